"""What a unit uses: as systemd counts it or, where the kernel does not count by control group, by its processes."""

import os
from pathlib import Path
from typing import Literal, NamedTuple

from juniper_ctl.systemctl import UnitState

Source = Literal["cgroup", "processes"]

CGROUPS = Path("/sys/fs/cgroup")
PROC = Path("/proc")


SUMMED = "~ summed over the processes: the kernel does not count it by control group here"
"""What a person is told below a table with a mark in it."""


def mark(source: Source | None) -> str:
    """Goes before a figure, to say where it is from."""
    return "~" if source == "processes" else ""


class Processes(NamedTuple):
    """Sums over the processes of a control group."""

    memory_bytes: int = 0
    """What is resident; pages that several share are counted for each."""
    cpu_s: float = 0.0
    """Of those that live, and of their children that have ended."""
    tasks: int = 0


class Usage(NamedTuple):
    """Memory and processor time of a unit since it was started; None where it does not run."""

    memory_bytes: int | None = None
    memory_of: Source | None = None
    cpu_s: float | None = None
    cpu_of: Source | None = None


def usage_of(state: UnitState, proc: Path = PROC, cgroups: Path = CGROUPS) -> Usage:
    """What systemd knows of it; the processes are counted for the rest."""
    folder = group_of(state, cgroups)
    if folder is None:
        return Usage()
    memory, cpu_ns = state.number("MemoryCurrent"), state.number("CPUUsageNSec")
    found = Usage(memory, "cgroup", None if cpu_ns is None else cpu_ns / 1e9, "cgroup")
    if memory is not None and cpu_ns is not None:
        return found
    processes = processes_of(folder, proc)
    if processes is None:
        return Usage()
    if memory is None:
        found = found._replace(memory_bytes=processes.memory_bytes, memory_of="processes")
    if cpu_ns is None:
        found = found._replace(cpu_s=processes.cpu_s, cpu_of="processes")
    return found


def group_of(state: UnitState, cgroups: Path = CGROUPS) -> Path | None:
    """The folder of the unit's control group; None where it does not run, though an empty one may be left."""
    group = state.properties.get("ControlGroup", "")
    return cgroups / group.lstrip("/") if group and state.number("MainPID") else None


def pids_of(group: Path) -> list[str] | None:
    """The processes of a control group; None where it has ended meanwhile, or is not readable here."""
    try:
        return (group / "cgroup.procs").read_text(encoding="ascii").split()
    except OSError:
        return None


def processes_of(group: Path, proc: Path = PROC) -> Processes | None:
    """Count them; one that has ended meanwhile counts nothing."""
    pids = pids_of(group)
    if pids is None:
        return None
    each = [_process(proc / pid) for pid in pids]
    return Processes(
        sum(one.memory_bytes for one in each), sum(one.cpu_s for one in each), sum(one.tasks for one in each)
    )


def _process(folder: Path) -> Processes:
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended meanwhile
        return Processes()
    # proc(5) numbers the fields from 1. The second, the name, may hold blanks and brackets.
    fields = ["", "", "", *text.rpartition(")")[2].split()]
    ticks = sum(int(fields[number]) for number in (14, 15, 16, 17))
    return Processes(
        memory_bytes=int(fields[24]) * os.sysconf("SC_PAGE_SIZE"),
        cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
        tasks=int(fields[20]),
    )
