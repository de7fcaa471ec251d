"""Starts, stops and restarts services through systemd, and waits until they are what was asked for."""

import os
import time
from collections.abc import Callable, Mapping, Sequence

from juniper_ctl import profiles, systemctl
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import Report
from juniper_ctl.services import Service, of_this_host
from juniper_ctl.status import says_more, show_installed
from juniper_ctl.systemctl import UnitState

POLL_S = 0.1
START_TIMEOUT_S = 150.0
"""Longer than the units' TimeoutStartSec, so that systemd's verdict is the one that is told."""


def wait(services: Sequence[Service], report: Report, *, timeout_s: float = START_TIMEOUT_S) -> None:
    """Wait until each of them is ready, whoever starts it.

    Raises:
        ControlError: no manager answers, no units, one that systemd has given up, or the time is over.
    """
    show_installed(services)
    wait_until_ready(services, report, timeout_s=timeout_s, has_failed=is_given_up)


def start(services: Sequence[Service], report: Report, *, profile: str | None = None, wait: bool = True) -> None:
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
    states = systemctl.show([service.unit for service in of_this_host()])
    wanted, running = _profiles(profile, states)
    if running not in (wanted, None):
        raise _runs_as(running, wanted)
    profiles.choose(wanted, Locations.of(os.environ))
    _forget_starts(services, states)
    units = [profiles.TARGETS[wanted]] if tuple(services) == of_this_host() else [service.unit for service in services]
    systemctl.tell("start", "--no-block", *units)
    if wait:
        wait_until_ready(services, report)


def restart(services: Sequence[Service], report: Report, *, wait: bool = True) -> None:
    """Restart services; one that does not run is started. All of them: under another profile, if one is wanted.

    Raises:
        ControlError: as `start`.
    """
    states = systemctl.show([service.unit for service in of_this_host()])
    wanted, running = _profiles(None, states)
    is_all = tuple(services) == of_this_host()
    if running not in (wanted, None):
        if not is_all:
            raise _runs_as(running, wanted)
        # The other profile's target must go, so that what systemd shows as active is what runs.
        stop(services, report)
        states = systemctl.show([service.unit for service in of_this_host()])
    profiles.choose(wanted, Locations.of(os.environ))
    _forget_starts(services, states)
    units = [service.unit for service in services]
    before = {state.unit: state.number("MainPID") for state in states}
    systemctl.tell("restart", "--no-block", *units)
    if is_all:
        # Without the target, a later stop of it would not reach services that were started one by one.
        systemctl.tell("start", "--no-block", profiles.TARGETS[wanted])
    if wait:
        wait_until_ready(services, report, before=before)


def _profiles(asked: str | None, states: Sequence[UnitState]) -> tuple[str, str | None]:
    """The profile that is wanted, and the one that runs. What runs stays what it is, unless somebody says another."""
    locations = Locations.of(os.environ)
    runs = any(state.active in ("active", "activating", "reloading") for state in states)
    running = profiles.chosen(locations) if runs else None
    return asked or profiles.said(os.environ, locations) or running or profiles.DEFAULT, running


def _runs_as(running: str | None, wanted: str) -> ControlError:
    return ControlError(
        f"services run under the profile {running}, and only all of them change to {wanted}",
        next_command=f"{profiles.VARIABLE}={wanted} juniper-ctl restart",
        code=Exit.CONFIGURATION,
    )


def stop(services: Sequence[Service], report: Report) -> None:
    """Stop services and wait until they have ended. All of them: the targets as well.

    Raises:
        ControlError: no manager answers, no units, or systemd cannot stop one.
    """
    units = [service.unit for service in reversed(services)]
    before = {state.unit: state for state in systemctl.show(units)}
    targets = profiles.TARGETS.values() if tuple(services) == of_this_host() else ()
    systemctl.tell("stop", *targets, *units)
    for service in reversed(services):
        was_running = before[service.unit].active not in ("inactive", "failed")
        report(service.name, "stopped" if was_running else "was not running")


def has_failed(state: UnitState) -> bool:
    """It ended badly, whether or not systemd tries again."""
    return is_given_up(state) or state.sub == "auto-restart"


def is_given_up(state: UnitState) -> bool:
    """It ended badly, and systemd does not try again."""
    return state.active == "failed"


def wait_until_ready(
    services: Sequence[Service],
    report: Report,
    *,
    before: Mapping[str, int | None] | None = None,
    timeout_s: float = START_TIMEOUT_S,
    has_failed: Callable[[UnitState], bool] = has_failed,
) -> None:
    """Wait for READY of each, telling what they say meanwhile.

    Args:
        services: to wait for.
        report: told what happens.
        before: the process of each unit that is to go; the ready one must be another.
        timeout_s: for all together.
        has_failed: of a unit that is not worth waiting for.

    Raises:
        ControlError: one failed, or is not ready in time.
    """
    began = time.monotonic()
    waited_for, phases = list(services), dict[Service, str]()
    while True:
        states = dict(zip(waited_for, systemctl.show([service.unit for service in waited_for]), strict=True))
        for service, state in states.items():
            is_old = state.number("MainPID") == (before or {}).get(service.unit, -1)
            phase = _phase(state)
            if (state.active, state.sub) == ("active", "running") and not is_old:
                report(service.name, f"ready after {time.monotonic() - began:.1f} s")
                waited_for.remove(service)
            elif has_failed(state):
                raise _start_failed(service, state)
            elif phases.get(service) != phase:
                phases[service] = phase
                report(service.name, phase, is_passing=":" not in phase)
        if not waited_for:
            return
        if time.monotonic() - began > timeout_s:
            raise _late([(service, states[service]) for service in waited_for], timeout_s)
        time.sleep(POLL_S)


def _phase(state: UnitState) -> str:
    """How far it is, and what it says of that itself."""
    word = {"activating": "starting", "deactivating": "stopping"}.get(state.active, "waiting")
    return f"{word}: {state.status_text}" if word != "waiting" and says_more(state.status_text) else word


def _late(late: Sequence[tuple[Service, UnitState]], timeout_s: float) -> ControlError:
    why = [f"{service.name} is not ready after {timeout_s:g} s: {_why_late(state)}" for service, state in late]
    service, state = late[0]
    verb = "start" if state.active == "inactive" else "logs"
    return ControlError("; ".join(why), next_command=f"juniper-ctl {verb} {service.name}", code=Exit.TIMEOUT)


def _why_late(state: UnitState) -> str:
    if not state.is_installed:
        return "its unit is not installed"
    if state.active == "inactive":
        return "nothing starts it"
    return state.sub if state.sub == "auto-restart" else _phase(state)


def _start_failed(service: Service, state: UnitState) -> ControlError:
    result, status = state.properties.get("Result", ""), state.properties.get("ExecMainStatus", "")
    how = f"{result}, status {status}" if result == "exit-code" else result
    again = "; systemd tries again" if state.sub == "auto-restart" else ""
    code = {"75": Exit.TIMEOUT, "78": Exit.CONFIGURATION}.get(status, Exit.FAILED)
    return ControlError(
        f"{service.name} does not start: {how}{again}", next_command=f"juniper-ctl logs {service.name}", code=code
    )


def _forget_starts(services: Sequence[Service], states: Sequence[UnitState]) -> None:
    # Else a service that has reached its start limit, or does so now, is refused for minutes although a person asks for
    # it. One that is stopped is mostly not even loaded, and then has no count.
    units = {service.unit for service in services}
    counted = [state.unit for state in states if state.unit in units and state.active != "inactive"]
    if counted:
        systemctl.tell("reset-failed", *counted)
