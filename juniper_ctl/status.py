"""What runs, in one line per service, from one question to systemd."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from juniper_ctl import systemctl
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import program_as_typed
from juniper_ctl.services import Service
from juniper_ctl.systemctl import UnitState

MemorySource = Literal["cgroup", "processes"]


@dataclass(frozen=True, slots=True)
class ServiceStatus:
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
    memory_bytes: int | None
    memory_of: MemorySource | None
    """The control group counts all; where it does not, it is the resident memory of its processes, shared pages too."""
    pid: int | None
    port: int
    version: str
    """The release that the process was started from; of one that does not run, the one that would start."""

    def line(self) -> str:
        """For a terminal; `HEADER` names the columns."""
        ready = "ready" if self.is_ready else "-"
        state = self.state if self.detail in ("running", "dead", self.state) else f"{self.state} ({self.detail})"
        memory = "-" if self.memory_bytes is None else f"{self.memory_bytes / 2**20:.0f} MiB"
        columns = (self.service, state, ready, _duration(self.since_s), self.restarts, memory, self.port, self.version)
        return _FORMAT.format(*columns) + ("" if self.is_ready or not self.text else f"  {self.text}")


_FORMAT = "{:<8} {:<26} {:<6} {:>8} {:>8} {:>9} {:>6}  {}"
HEADER = _FORMAT.format("SERVICE", "STATE", "READY", "FOR", "RESTARTS", "MEMORY", "PORT", "VERSION")


def status(services: Sequence[Service], *, as_json: bool) -> Exit:
    """Print the state of `services`.

    Raises:
        ControlError: no manager answers, or nothing is installed.
    """
    locations = Locations.of(os.environ)
    states = systemctl.show([service.unit for service in services])
    if not any(state.is_installed for state in states):
        raise ControlError(
            "no unit of Juniper is installed", next_command="juniper-ctl install", code=Exit.UNKNOWN_UNIT
        )
    now = time.time()
    rows = [_status_of(service, state, locations, now) for service, state in zip(services, states, strict=True)]
    verdict = verdict_on(rows)
    if as_json:
        print(json.dumps({"verdict": verdict.name.lower(), "services": [asdict(row) for row in rows]}, indent=2))
        return verdict
    print(HEADER)
    for row in rows:
        print(row.line())
    if verdict is not Exit.OK:
        print(f"next: {program_as_typed()} {_next_command(rows)}")
    return verdict


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


def _status_of(service: Service, state: UnitState, locations: Locations, now: float) -> ServiceStatus:
    pid = state.number("MainPID") or None
    memory, memory_of = _memory(state)
    since = state.properties.get("StateChangeTimestamp", "").removeprefix("@")
    return ServiceStatus(
        service=service.name,
        state=state.active,
        detail=state.sub,
        is_ready=(state.active, state.sub) == ("active", "running"),
        text=state.status_text,
        since_s=round(max(0.0, now - int(since)), 1) if since.isdigit() else None,
        restarts=state.number("NRestarts") or 0,
        memory_bytes=memory,
        memory_of=memory_of,
        pid=pid,
        port=service.port(environment_of(service, locations)),
        version=(release_of_process(pid) if pid else "") or _current_release(locations),
    )


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


def _memory(state: UnitState) -> tuple[int | None, MemorySource | None]:
    counted = state.number("MemoryCurrent")
    if counted is not None:
        return counted, "cgroup"
    group = state.properties.get("ControlGroup", "")
    return (resident_memory(group), "processes") if group else (None, None)


def resident_memory(group: str, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """The resident memory of a control group's processes in bytes: for machines without the memory controller."""
    try:
        pids = (cgroups / group.lstrip("/") / "cgroup.procs").read_text(encoding="ascii").split()
    except OSError:  # the group ended with its last process, or it is not readable here
        return None
    return sum(_resident_memory_of(proc / pid) for pid in pids)


def _resident_memory_of(process: Path) -> int:
    try:
        pages = (process / "statm").read_text(encoding="ascii").split()[1]
    except OSError:  # it has ended meanwhile
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"
