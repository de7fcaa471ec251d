"""What is told of the host as a whole."""

import time
from pathlib import Path

import psutil
import pytest

from juniper_common.machine import MachineMeter, disk_space


def test_the_host_is_told(tmp_path: Path) -> None:
    """As the kernel has it."""
    machine = MachineMeter(tmp_path).measure()

    assert machine is not None
    assert machine.processors == psutil.cpu_count()
    assert machine.memory_total == psutil.virtual_memory().total
    assert 0 < machine.memory_available <= machine.memory_total
    assert 0 <= machine.swap_used <= machine.swap_total
    assert machine.disk_total is not None
    assert machine.disk_free is not None
    assert 0 < machine.disk_free < machine.disk_total


def test_work_is_seen_from_one_look_to_the_next(tmp_path: Path) -> None:
    """One processor that works is its share of them all, or more where others work too."""
    meter = MachineMeter(tmp_path)
    meter.measure()
    until_s = time.process_time() + 0.3
    while time.process_time() < until_s:
        pass
    machine = meter.measure()

    assert machine is not None
    assert 100 >= machine.cpu_percent >= 0.3 * 100 / machine.processors


def test_a_folder_that_is_not_there_has_no_space(tmp_path: Path) -> None:
    """And the rest is told all the same."""
    machine = MachineMeter(tmp_path / "away").measure()

    assert machine is not None
    assert (machine.disk_total, machine.disk_free) == (None, None)
    assert disk_space(tmp_path / "away") == (None, None)


def test_a_hidden_host_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox may keep a process from reading what is not its own."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))

    assert MachineMeter(tmp_path).measure() is None
