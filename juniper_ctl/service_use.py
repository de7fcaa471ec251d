"""What each service uses now, beside its limits: measured again and again, as processor use is a difference."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl.services import Service
from juniper_ctl.status import show_installed
from juniper_ctl.systemctl import UnitState
from juniper_ctl.usage import CGROUPS, PROC, Source, group_of, pids_of, processes_of, usage_of


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """One service, as `--json` prints it. A figure is None where nothing runs or nothing counts it.

    A limit is None where none is in force: none is set, or the kernel does not have that controller here.
    """

    service: str
    state: str
    memory_bytes: int | None = None
    memory_of: Source | None = None
    memory_peak_bytes: int | None = None
    """Since its control group was made; the kernel counts it from 5.19 on."""
    memory_high_bytes: int | None = None
    memory_max_bytes: int | None = None
    swap_bytes: int | None = None
    swap_of: Source | None = None
    cpu_percent: float | None = None
    """Of one core, since the measure before."""
    cpu_of: Source | None = None
    cpu_max_percent: float | None = None
    tasks: int | None = None
    tasks_of: Source | None = None
    tasks_max: int | None = None
    read_bytes: int | None = None
    """From disks. Of the processes: of those that live."""
    written_bytes: int | None = None
    io_of: Source | None = None


class Meter:
    """Measures these services."""

    def __init__(
        self,
        services: Sequence[Service],
        proc: Path = PROC,
        cgroups: Path = CGROUPS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services = services
        self._proc, self._cgroups, self._clock = proc, cgroups, clock
        self._before: dict[Service, tuple[float, float]] = {}
        """When each was measured last, and its processor time then."""

    def measure(self) -> list[ServiceUse]:
        """Measure all of them; the first time without the use of processors.

        Raises:
            ControlError: no manager answers, or nothing is installed.
        """
        states = show_installed(self._services)
        return [self._use_of(service, state) for service, state in zip(self._services, states, strict=True)]

    def _use_of(self, service: Service, state: UnitState) -> ServiceUse:
        group = group_of(state, self._cgroups)
        if group is None:
            self._before.pop(service, None)
            return ServiceUse(service.name, state.active)
        usage = usage_of(state, self._proc, self._cgroups)
        tasks, tasks_of = _tasks(group, self._proc)
        swap, swap_of = _swap(group, self._proc)
        read, written, io_of = _io(group, self._proc)
        return ServiceUse(
            service=service.name,
            state=state.active,
            memory_bytes=usage.memory_bytes,
            memory_of=usage.memory_of,
            memory_peak_bytes=_number(group / "memory.peak"),
            memory_high_bytes=_number(group / "memory.high"),
            memory_max_bytes=_number(group / "memory.max"),
            swap_bytes=swap,
            swap_of=swap_of,
            cpu_percent=self._cpu_percent(service, usage.cpu_s),
            cpu_of=usage.cpu_of,
            cpu_max_percent=_cpu_max_percent(group),
            tasks=tasks,
            tasks_of=tasks_of,
            tasks_max=_number(group / "pids.max"),
            read_bytes=read,
            written_bytes=written,
            io_of=io_of,
        )

    def _cpu_percent(self, service: Service, cpu_s: float | None) -> float | None:
        if cpu_s is None:
            return None
        now = self._clock()
        before, cpu_before_s = self._before.get(service, (now, cpu_s))
        self._before[service] = now, cpu_s
        # It goes back when the service was started anew meanwhile.
        return None if now <= before else round(100 * max(0.0, cpu_s - cpu_before_s) / (now - before), 1)


def _text(path: Path) -> str:
    """What a file of a control group says; nothing without its controller."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _cpu_max_percent(group: Path) -> float | None:
    quota, _, period = _text(group / "cpu.max").strip().partition(" ")
    return 100 * int(quota) / int(period) if quota.isdigit() else None


def _tasks(group: Path, proc: Path) -> tuple[int | None, Source]:
    counted = _number(group / "pids.current")
    if counted is not None:
        return counted, "cgroup"
    processes = processes_of(group, proc)
    return (None if processes is None else processes.tasks), "processes"


def _swap(group: Path, proc: Path) -> tuple[int | None, Source]:
    counted = _number(group / "memory.swap.current")
    if counted is not None:
        return counted, "cgroup"
    return 1024 * sum(_fields(proc / pid / "status").get("VmSwap", 0) for pid in pids_of(group) or ()), "processes"


def _io(group: Path, proc: Path) -> tuple[int, int, Source]:
    """Bytes read and written. The file of a group that has used no disk yet is empty."""
    if (group / "io.stat").exists():
        # A line for each disk: `8:0 rbytes=4096 wbytes=0 ...`.
        words = [word.partition("=") for word in _text(group / "io.stat").split()]
        read, written = (sum(int(count) for name, _, count in words if name == key) for key in ("rbytes", "wbytes"))
        return read, written, "cgroup"
    each = [_fields(proc / pid / "io") for pid in pids_of(group) or ()]
    return sum(one.get("read_bytes", 0) for one in each), sum(one.get("write_bytes", 0) for one in each), "processes"


def _fields(path: Path) -> dict[str, int]:
    """The numbers of a file with lines such as `VmSwap:  12 kB`; none of a process that has ended meanwhile."""
    found = {}
    for line in _text(path).splitlines():
        name, _, value = line.partition(":")
        first = value.split()[:1]
        if first and first[0].isdigit():
            found[name] = int(first[0])
    return found
