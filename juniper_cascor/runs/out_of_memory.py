"""Whether the kernel killed a process of this service for want of memory, as its control group counts."""

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def kills(own_groups: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS) -> int | None:
    """How often the kernel killed a process of this process's control group; None where that is not counted."""
    try:
        unified = next(line for line in own_groups.read_text(encoding="ascii").splitlines() if line.startswith("0::"))
        events = (root / unified.removeprefix("0::/") / "memory.events").read_text(encoding="ascii")
    except (OSError, StopIteration):
        return None
    counts = dict(line.split() for line in events.splitlines())
    return int(counts["oom_kill"]) if "oom_kill" in counts else None
