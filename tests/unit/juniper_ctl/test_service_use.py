from pathlib import Path

import pytest

from juniper_ctl.errors import ControlError
from juniper_ctl.service_use import Meter
from juniper_ctl.services import DATA, SERVICES
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd
from tests.unit.juniper_ctl.test_usage import GROUP, PAGE, make_group, make_process

FILES = {
    "memory.peak": "300",
    "memory.high": "max",
    "memory.max": "2147483648",
    "memory.swap.current": "0",
    "cpu.max": "400000 100000",
    "pids.current": "5",
    "pids.max": "512",
    "io.stat": "8:0 rbytes=100 wbytes=10 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1\n",
}


class Clock:
    """Shows what it is told."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_control_group_that_counts_all_tells_use_and_limits(systemd: FakeSystemd, tmp_path: Path) -> None:
    """`max` is no limit."""
    systemd.set(DATA.unit, READY | GROUP | {"MemoryCurrent": "200", "CPUUsageNSec": "1000000000"})
    group = make_group(tmp_path / "cgroup", 7)
    for name, text in FILES.items():
        (group / name).write_text(text)
    (use,) = Meter([DATA], tmp_path / "proc", tmp_path / "cgroup").measure()
    assert (use.memory_bytes, use.memory_peak_bytes, use.memory_high_bytes, use.memory_max_bytes) == (
        200,
        300,
        None,
        2**31,
    )
    assert (use.swap_bytes, use.tasks, use.tasks_max, use.cpu_max_percent) == (0, 5, 512, 400)
    assert (use.read_bytes, use.written_bytes) == (101, 12)
    assert {use.memory_of, use.swap_of, use.cpu_of, use.tasks_of, use.io_of} == {"cgroup"}


def test_without_controllers_the_processes_are_counted_and_no_limit_is_in_force(
    systemd: FakeSystemd, tmp_path: Path
) -> None:
    """As in a container."""
    systemd.set(DATA.unit, READY | GROUP | {"MemoryCurrent": "[not set]", "CPUUsageNSec": "1000000000"})
    make_group(tmp_path / "cgroup", 7, 8)
    make_process(tmp_path / "proc", 7, pages=10, ticks=0, threads=4)
    (tmp_path / "proc/7/io").write_text("rchar: 9\nread_bytes: 4096\nwrite_bytes: 512\n")
    (tmp_path / "proc/7/status").write_text("Name:\ta\nVmSwap:\t      2 kB\n")
    (use,) = Meter([DATA], tmp_path / "proc", tmp_path / "cgroup").measure()
    assert (use.memory_bytes, use.swap_bytes, use.tasks) == (10 * PAGE, 2048, 4)
    assert (use.read_bytes, use.written_bytes) == (4096, 512)
    assert {use.memory_of, use.swap_of, use.tasks_of, use.io_of} == {"processes"}
    assert (use.memory_max_bytes, use.tasks_max, use.cpu_max_percent) == (None, None, None)


def test_the_use_of_processors_is_since_the_measure_before(systemd: FakeSystemd, tmp_path: Path) -> None:
    """The first measure has none; a service that was started anew meanwhile has not used less than nothing."""
    clock = Clock()
    make_group(tmp_path / "cgroup")
    meter = Meter([DATA], tmp_path / "proc", tmp_path / "cgroup", clock)
    told = []
    for now, cpu_ns in ((1000.0, 1_000_000_000), (1002.0, 4_000_000_000), (1003.0, 0)):
        clock.now = now
        systemd.set(DATA.unit, READY | GROUP | {"MemoryCurrent": "1", "CPUUsageNSec": str(cpu_ns)})
        told.append(meter.measure()[0].cpu_percent)
    assert told == [None, 150, 0]


def test_a_stopped_service_has_a_state_and_no_figures(systemd: FakeSystemd, tmp_path: Path) -> None:
    """Its control group is gone."""
    systemd.set(DATA.unit, STOPPED)
    (use,) = Meter([DATA], tmp_path, tmp_path).measure()
    assert (use.state, use.memory_bytes, use.tasks, use.read_bytes) == ("inactive", None, None, None)


@pytest.mark.usefixtures("systemd")
def test_where_nothing_is_installed_there_is_nothing_to_measure() -> None:
    """Exit code 4."""
    with pytest.raises(ControlError, match="no unit of Juniper is installed"):
        Meter(SERVICES).measure()
