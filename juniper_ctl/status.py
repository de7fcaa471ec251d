"""What runs, in one line per service, from one question to systemd."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from juniper_ctl import systemctl
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, program_as_typed
from juniper_ctl.services import Service
from juniper_ctl.systemctl import UnitState
from juniper_ctl.table import duration, size, table
from juniper_ctl.usage import SUMMED, Source, mark, usage_of


class ServiceStatus(NamedTuple):
    """One service, as `--json` prints it."""

    service: str
    state: str
    """As systemd has it: active, activating, failed, inactive and so on."""
    detail: str
    """The finer state: running, start, auto-restart, dead and so on."""
    is_ready: bool
    """It said READY=1 and lives; the watchdog ends one that hangs."""
    text: str
    """The last STATUS that it sent."""
    since_s: float | None
    """How long it has been in this state."""
    restarts: int
    watchdog_age_s: float | None
    """How long ago it last answered systemd's watchdog; None: it is not watched, or does not run."""
    memory_bytes: int | None
    memory_of: Source | None
    """The control group counts all; where it does not, it is the resident memory of its processes, shared pages too."""
    cpu_s: float | None
    """The processor time that it has used since its process was started."""
    cpu_percent: float | None
    """The same, of one core."""
    cpu_of: Source | None
    pid: int | None
    port: int | None
    """None: the env files cannot be read, or say none; `juniper-ctl env check` says why."""
    version: str
    """The release that the process was started from; of one that does not run, the one that would start."""

    def cells(self) -> tuple[str, ...]:
        """For a terminal; `HEADER` names the columns."""
        return (
            self.service,
            self.state if self.detail in ("running", "dead", self.state) else f"{self.state} ({self.detail})",
            "ready" if self.is_ready else "-",
            duration(self.since_s),
            str(self.restarts),
            duration(self.watchdog_age_s),
            mark(self.memory_of) + size(self.memory_bytes),
            "-" if self.cpu_percent is None else f"{mark(self.cpu_of)}{duration(self.cpu_s)} {self.cpu_percent:.0f}%",
            "?" if self.port is None else str(self.port),
            self.version if self.is_ready or not says_more(self.text) else f"{self.version}  {self.text}",
        )


HEADER = ("SERVICE", "STATE", "READY", "SINCE", "RESTARTS", "WATCHDOG", "MEMORY", "CPU", "PORT", "VERSION")


def status(services: Sequence[Service], *, as_json: bool) -> Exit:
    """Print the state of `services`.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    rows = statuses(services)
    verdict = verdict_on(rows)
    if as_json:
        print_json({"verdict": verdict.name.lower(), "services": [row._asdict() for row in rows]})
        return verdict
    print(*table(HEADER, [row.cells() for row in rows], left=("SERVICE", "STATE", "READY", "VERSION")), sep="\n")
    if any("processes" in (row.memory_of, row.cpu_of) for row in rows):
        print(SUMMED)
    if verdict is not Exit.OK:
        print(f"next: {program_as_typed()} {_next_command(rows)}")
    return verdict


def tell_state(services: Sequence[Service], *, as_json: bool) -> Exit:
    """End a command that did what it was asked to: programs are told the state afterwards."""
    if as_json:
        status(services, as_json=True)
    return Exit.OK


def statuses(services: Sequence[Service]) -> list[ServiceStatus]:
    """One question to systemd, and what /proc and the settings add.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    locations = Locations.of(os.environ)
    states = show_installed(services)
    return [_status_of(service, state, locations) for service, state in zip(services, states, strict=True)]


def show_installed(services: Sequence[Service]) -> list[UnitState]:
    """The states of their units.

    Raises:
        ControlError: no manager answers, or none of them is installed.
    """
    states = systemctl.show([service.unit for service in services])
    if not any(state.is_installed for state in states):
        raise systemctl.not_installed()
    return states


def _next_command(rows: Sequence[ServiceStatus]) -> str:
    """What to type about the worst of the services: look into one that fails or hangs, start what is stopped."""
    stopped = [row.service for row in rows if row.state == "inactive"]
    troubled = sorted((row for row in rows if not row.is_ready and row.state != "inactive"), key=_is_not_failed)
    if troubled:
        return f"logs {troubled[0].service}"
    return "start" if len(stopped) == len(rows) else f"start {' '.join(stopped)}"


def _is_not_failed(row: ServiceStatus) -> bool:
    return row.state != "failed"


def verdict_on(rows: Sequence[ServiceStatus]) -> Exit:
    """One word for all: failed if any failed, stopped if none runs, degraded if some are not ready."""
    if any(row.state == "failed" for row in rows):
        return Exit.FAILED
    if all(row.state == "inactive" for row in rows):
        return Exit.STOPPED
    return Exit.OK if all(row.is_ready for row in rows) else Exit.DEGRADED


def _status_of(service: Service, state: UnitState, locations: Locations) -> ServiceStatus:
    pid = state.number("MainPID") or None
    usage = usage_of(state)
    since = state.properties.get("StateChangeTimestamp", "").removeprefix("@")
    runs_for_s = _age_s(state, "ExecMainStartTimestampMonotonic")
    return ServiceStatus(
        service=service.name,
        state=state.active,
        detail=state.sub,
        is_ready=(state.active, state.sub) == ("active", "running"),
        text=state.status_text,
        since_s=round(max(0.0, time.time() - int(since)), 1) if since.isdigit() else None,
        restarts=state.number("NRestarts") or 0,
        watchdog_age_s=_age_s(state, "WatchdogTimestampMonotonic"),
        memory_bytes=usage.memory_bytes,
        memory_of=usage.memory_of,
        cpu_s=usage.cpu_s,
        cpu_percent=round(100 * usage.cpu_s / runs_for_s, 1) if usage.cpu_s is not None and runs_for_s else None,
        cpu_of=usage.cpu_of,
        pid=pid,
        port=_port(service, locations),
        version=(release_of_process(pid) if pid else "") or _current_release(locations),
    )


def _port(service: Service, locations: Locations) -> int | None:
    # What is wrong with a setting must not hide how the services are.
    try:
        return service.port(environment_of(service, locations))
    except (ControlError, OSError):
        return None


def says_more(text: str) -> bool:
    """Whether a STATUS tells something of a service that is not ready: what it said when it was is old."""
    return text != "" and not text.startswith("ready")


def _age_s(state: UnitState, name: str) -> float | None:
    """How long ago a moment was that systemd gives in microseconds of the monotonic clock; 0 is none."""
    moment_us = state.number(name)
    return round(max(0.0, time.monotonic() - moment_us / 1e6), 1) if moment_us else None


def release_of_process(pid: int, proc: Path = Path("/proc")) -> str:
    """The release in whose environment a process runs, read from its interpreter's path; empty when it is none."""
    try:
        interpreter = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:  # it has ended meanwhile
        return ""
    _, found, after = interpreter.partition("/juniper/releases/")
    return after.split("/")[0] if found else ""


def _current_release(locations: Locations) -> str:
    return locations.current.readlink().name if locations.current.is_symlink() else "-"
