"""Starts, stops and restarts services through systemd, and waits until they are what was asked for."""

import os
import time
from collections.abc import Callable, Mapping, Sequence

from juniper_ctl import profiles, systemctl
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import SERVICES, Service
from juniper_ctl.systemctl import UnitState

Report = Callable[[str, str], None]

ALL = tuple(profiles.TARGETS.values())
POLL_S = 0.1
START_TIMEOUT_S = 150.0
"""Longer than the units' TimeoutStartSec, so that systemd's verdict is the one that is told."""


def start(services: Sequence[Service], report: Report, *, profile: str | None = None, wait: bool = True) -> Exit:
    """Start services, all through the profile's target, and wait until each is ready.

    One that failed before gets a new chance.

    Args:
        services: to start.
        report: told what happens.
        profile: None: what the environment or `juniper.env` says, else what runs, else production.
        wait: until they are ready.

    Raises:
        ControlError: no manager answers, no units, another profile runs, or a service fails or does not become ready.
    """
    systemctl.require_manager()
    wanted, running = _profiles(profile)
    if running not in (wanted, None):
        raise _runs_as(running, wanted)
    profiles.choose(wanted, Locations.of(os.environ))
    _forget_failures(services)
    units = [profiles.TARGETS[wanted]] if tuple(services) == SERVICES else [service.unit for service in services]
    systemctl.tell("start", "--no-block", *units)
    if wait:
        wait_until_ready(services, report)
    return Exit.OK


def restart(services: Sequence[Service], report: Report, *, wait: bool = True) -> Exit:
    """Restart services; one that does not run is started. All of them: under another profile, if one is wanted.

    Raises:
        ControlError: as `start`.
    """
    systemctl.require_manager()
    wanted, running = _profiles(None)
    is_all = tuple(services) == SERVICES
    if running not in (wanted, None):
        if not is_all:
            raise _runs_as(running, wanted)
        # The other profile's target must go, so that what systemd shows as active is what runs.
        stop(services, report)
    profiles.choose(wanted, Locations.of(os.environ))
    _forget_failures(services)
    units = [service.unit for service in services]
    before = {state.unit: state.number("MainPID") for state in systemctl.show(units)}
    systemctl.tell("restart", "--no-block", *units)
    if is_all:
        # Without the target, a later stop of it would not reach services that were started one by one.
        systemctl.tell("start", "--no-block", profiles.TARGETS[wanted])
    if wait:
        wait_until_ready(services, report, before=before)
    return Exit.OK


def _profiles(asked: str | None) -> tuple[str, str | None]:
    """The profile that is wanted, and the one that runs. What runs stays what it is, unless somebody says another."""
    locations = Locations.of(os.environ)
    states = systemctl.show([service.unit for service in SERVICES])
    runs = any(state.active in ("active", "activating", "reloading") for state in states)
    running = profiles.chosen(locations) if runs else None
    return asked or profiles.said(os.environ, locations) or running or profiles.DEFAULT, running


def _runs_as(running: str | None, wanted: str) -> ControlError:
    return ControlError(
        f"services run under the profile {running}, and only all of them change to {wanted}",
        next_command=f"{profiles.VARIABLE}={wanted} juniper-ctl restart",
        code=Exit.CONFIGURATION,
    )


def stop(services: Sequence[Service], report: Report) -> Exit:
    """Stop services and wait until they have ended. All of them: the targets as well.

    Raises:
        ControlError: no manager answers, no units, or systemd cannot stop one.
    """
    systemctl.require_manager()
    units = [service.unit for service in reversed(services)]
    before = {state.unit: state for state in systemctl.show(units)}
    targets = ALL if tuple(services) == SERVICES else ()
    systemctl.tell("stop", *targets, *units)
    for service in reversed(services):
        was_running = before[service.unit].active not in ("inactive", "failed")
        report(service.name, "stopped" if was_running else "was not running")
    return Exit.OK


def wait_until_ready(
    services: Sequence[Service],
    report: Report,
    *,
    before: Mapping[str, int | None] | None = None,
    timeout_s: float = START_TIMEOUT_S,
) -> None:
    """Wait for READY of each, telling what they say meanwhile.

    Args:
        services: to wait for.
        report: told what happens.
        before: the process of each unit that is to go; the ready one must be another.
        timeout_s: for all together.

    Raises:
        ControlError: one failed, or is not ready in time.
    """
    began = time.monotonic()
    waited_for = list(services)
    last_text: dict[str, str] = {}
    while True:
        states = systemctl.show([service.unit for service in waited_for])
        for service, state in zip(tuple(waited_for), states, strict=True):
            is_old = state.number("MainPID") == (before or {}).get(service.unit, -1)
            if (state.active, state.sub) == ("active", "running") and not is_old:
                report(service.name, f"ready after {time.monotonic() - began:.1f} s")
                waited_for.remove(service)
            elif has_failed(state):
                raise _start_failed(service, state)
            elif state.status_text not in ("", "ready", last_text.get(service.name)):
                last_text[service.name] = state.status_text
                report(service.name, state.status_text)
        if not waited_for:
            return
        if time.monotonic() - began > timeout_s:
            raise ControlError(
                f"{waited_for[0].name} is not ready after {timeout_s:.0f} s",
                next_command=f"juniper-ctl logs {waited_for[0].name}",
                code=Exit.TIMEOUT,
            )
        time.sleep(POLL_S)


def has_failed(state: UnitState) -> bool:
    """It ended badly, whether or not systemd tries again."""
    return state.active == "failed" or state.sub == "auto-restart"


def _start_failed(service: Service, state: UnitState) -> ControlError:
    result, status = state.properties.get("Result", ""), state.properties.get("ExecMainStatus", "")
    how = f"{result}, status {status}" if result == "exit-code" else result
    again = "; systemd tries again" if state.sub == "auto-restart" else ""
    code = {"75": Exit.TIMEOUT, "78": Exit.CONFIGURATION}.get(status, Exit.FAILED)
    return ControlError(
        f"{service.name} does not start: {how}{again}", next_command=f"juniper-ctl logs {service.name}", code=code
    )


def _forget_failures(services: Sequence[Service]) -> None:
    # Else a service that reached its start limit is refused for minutes, although a person asks for it.
    failed = [
        state.unit for state in systemctl.show([service.unit for service in services]) if state.active == "failed"
    ]
    if failed:
        systemctl.tell("reset-failed", *failed)
