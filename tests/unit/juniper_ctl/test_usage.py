import os
from pathlib import Path

from juniper_ctl.systemctl import UnitState
from juniper_ctl.usage import Usage, processes_of, usage_of

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")

GROUP = {"ControlGroup": "/juniper.slice/a.service", "MainPID": "7"}


def make_process(proc: Path, pid: int, *, pages: int, ticks: int, threads: int = 1) -> None:
    """What the kernel tells of one; its name has a blank and a bracket."""
    (proc / str(pid)).mkdir(parents=True)
    fields = ["S", *["0"] * 10, str(ticks), "0", "0", "0", "20", "0", str(threads), "0", "0", "999", str(pages), "0"]
    (proc / str(pid) / "stat").write_text(f"{pid} (a b) c) {' '.join(fields)}")


def make_group(cgroups: Path, *pids: int) -> Path:
    """The control group of GROUP, with these processes."""
    group = cgroups / "juniper.slice/a.service"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return group


def test_a_process_that_has_ended_meanwhile_counts_nothing(tmp_path: Path) -> None:
    """The others are summed."""
    group = make_group(tmp_path / "cgroup", 7, 8, 9)
    make_process(tmp_path / "proc", 7, pages=10, ticks=2 * TICK, threads=3)
    make_process(tmp_path / "proc", 8, pages=20, ticks=TICK)
    assert processes_of(group, tmp_path / "proc") == (30 * PAGE, 3.0, 4)


def test_a_group_that_has_ended_meanwhile_is_unknown(tmp_path: Path) -> None:
    """Not 0."""
    assert processes_of(tmp_path / "gone") is None
    state = UnitState("a.service", GROUP | {"MemoryCurrent": "[not set]"})
    assert usage_of(state, tmp_path, tmp_path) == Usage()


def test_what_systemd_counts_goes_before_the_processes(tmp_path: Path) -> None:
    """Older versions say the largest number of what nothing counts, newer ones words."""
    make_group(tmp_path / "cgroup", 7)
    make_process(tmp_path / "proc", 7, pages=10, ticks=2 * TICK)
    for unknown in ("[not set]", str(2**64 - 1)):
        state = UnitState("a.service", GROUP | {"MemoryCurrent": unknown, "CPUUsageNSec": "1500000000"})
        found = usage_of(state, tmp_path / "proc", tmp_path / "cgroup")
        assert found == Usage(10 * PAGE, "processes", 1.5, "cgroup")
    state = UnitState("a.service", GROUP | {"MemoryCurrent": "4096"})
    assert usage_of(state, tmp_path / "proc", tmp_path / "cgroup") == Usage(4096, "cgroup", 2.0, "processes")


def test_a_service_that_does_not_run_uses_nothing() -> None:
    """What systemd still shows is of its last run; before the next one its control group may be there."""
    assert usage_of(UnitState("a.service", {"ControlGroup": "", "MainPID": "0", "CPUUsageNSec": "7"})) == Usage()
    assert usage_of(UnitState("a.service", GROUP | {"MainPID": "0", "MemoryCurrent": "0"})) == Usage()
