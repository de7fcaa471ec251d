import json
import time
from pathlib import Path

import pytest

from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.services import CANOPY, CASCOR, DATA, SERVICES
from juniper_ctl.status import release_of_process, status
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd

DETAILS = {
    "MainPID": "1",
    "NRestarts": "2",
    "ControlGroup": "/no/such/group",
    "MemoryCurrent": "104857600",
    "CPUUsageNSec": "3000000000",
    "StateChangeTimestamp": "@1700000000",
}


def test_all_ready_is_exit_code_0(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per service below the names of the columns."""
    for service in SERVICES:
        systemd.set(service.unit, READY | DETAILS)
    assert status(SERVICES, as_json=False) is Exit.OK
    header, *lines = capsys.readouterr().out.splitlines()
    names = "SERVICE STATE READY SINCE RESTARTS WATCHDOG MEMORY CPU PORT VERSION"
    assert header.split() == names.split()
    assert [line.split()[:3] for line in lines] == [[service.name, "active", "ready"] for service in SERVICES]
    assert lines[0].split()[5:] == ["2", "-", "100", "MiB", "-", "8100", "-"]


def test_programs_get_the_same_as_json(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Ports come from the settings."""
    systemd.set(DATA.unit, READY | DETAILS)
    assert status([DATA], as_json=True) is Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "ok"
    (data,) = told["services"]
    assert (data["service"], data["is_ready"], data["restarts"], data["port"]) == ("data", True, 2, 8100)
    assert (data["memory_bytes"], data["memory_of"], data["pid"]) == (104857600, "cgroup", 1)
    assert (data["cpu_s"], data["cpu_of"]) == (3, "cgroup")


def test_a_wrong_setting_hides_nothing_but_the_port(
    systemd: FakeSystemd, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what a service failed at: just then one looks."""
    home.configuration.mkdir(parents=True)
    (home.configuration / "data.env").write_text("JUNIPER_DATA_PORT=ninety\n")
    systemd.set(DATA.unit, {"LoadState": "loaded", "ActiveState": "failed", "SubState": "failed"})
    systemd.set(CASCOR.unit, READY | DETAILS)
    assert status([DATA, CASCOR], as_json=False) is Exit.FAILED
    _, data, cascor, *_ = capsys.readouterr().out.splitlines()
    assert data.split()[:2] == ["data", "failed"]
    assert data.split()[-2:] == ["?", "-"]
    assert cascor.split()[:3] == ["cascor", "active", "ready"]


def test_how_long_ago_the_watchdog_was_answered_and_the_share_of_a_core_are_told(
    systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]
) -> None:
    """Systemd gives both moments on the monotonic clock, in microseconds."""
    now_us = int(time.monotonic() * 1e6)
    moments = {"WatchdogTimestampMonotonic": now_us - 7_000_000, "ExecMainStartTimestampMonotonic": now_us - 30_000_000}
    systemd.set(DATA.unit, READY | DETAILS | {name: str(moment) for name, moment in moments.items()})
    status([DATA], as_json=True)
    (data,) = json.loads(capsys.readouterr().out)["services"]
    assert 7 <= data["watchdog_age_s"] < 60
    assert 3 < data["cpu_percent"] <= 10


def test_one_without_a_watchdog_has_no_age(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Systemd says 0 there."""
    systemd.set(DATA.unit, READY | DETAILS | {"WatchdogTimestampMonotonic": "0"})
    status([DATA], as_json=True)
    assert json.loads(capsys.readouterr().out)["services"][0]["watchdog_age_s"] is None


@pytest.mark.parametrize(
    ("canopy", "verdict", "next_command"),
    [
        (STOPPED, Exit.DEGRADED, "next: juniper-ctl start canopy"),
        (STOPPED | {"ActiveState": "failed", "SubState": "failed"}, Exit.FAILED, "next: juniper-ctl logs canopy"),
        (STOPPED | {"ActiveState": "activating", "SubState": "auto-restart"}, Exit.DEGRADED, "logs canopy"),
    ],
)
def test_one_that_is_not_ready_decides(
    systemd: FakeSystemd,
    capsys: pytest.CaptureFixture[str],
    canopy: dict[str, str],
    verdict: Exit,
    next_command: str,
) -> None:
    """1 where one failed, 2 where one is missing; and whose log to read, or what to start."""
    systemd.set(DATA.unit, READY)
    systemd.set(CASCOR.unit, READY)
    systemd.set(CANOPY.unit, canopy | {"StatusText": "looking for data"})
    assert status(SERVICES, as_json=False) is verdict
    out = capsys.readouterr().out
    assert out.rstrip().endswith(next_command)
    assert "looking for data" in out


def test_what_a_service_said_before_it_ended_is_not_shown(
    systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manager keeps its last STATUS until the next start."""
    systemd.set(DATA.unit, STOPPED | {"StatusText": "ready, nothing trains"})
    status([DATA], as_json=False)
    assert "ready" not in capsys.readouterr().out


def test_all_stopped_is_exit_code_3(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """The next thing to do is to start them."""
    for service in SERVICES:
        systemd.set(service.unit, STOPPED)
    assert status(SERVICES, as_json=False) is Exit.STOPPED
    assert capsys.readouterr().out.endswith("next: juniper-ctl start\n")


@pytest.mark.usefixtures("systemd")
def test_without_units_there_is_something_to_install() -> None:
    """Exit code 4."""
    with pytest.raises(ControlError) as raised:
        status(SERVICES, as_json=False)
    assert (raised.value.code, raised.value.next_command) == (Exit.UNKNOWN_UNIT, "juniper-ctl install")


def test_what_would_start_is_told_of_a_stopped_service(
    systemd: FakeSystemd, home: Locations, capsys: pytest.CaptureFixture[str]
) -> None:
    """The link `current` names it."""
    home.releases.mkdir(parents=True)
    home.current.symlink_to("releases/0.1.0+abc")
    systemd.set(DATA.unit, STOPPED)
    status([DATA], as_json=True)
    assert json.loads(capsys.readouterr().out)["services"][0]["version"] == "0.1.0+abc"


def test_the_release_of_a_process_is_in_its_interpreters_path(tmp_path: Path) -> None:
    """Not what `current` says now: that may have moved since the process was started."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_bytes(b"/home/x/.local/lib/juniper/releases/0.1.0+abc/bin/python\0-m\0")
    (tmp_path / "8").mkdir()
    (tmp_path / "8/cmdline").write_bytes(b"/usr/bin/python3\0")
    assert [release_of_process(pid, tmp_path) for pid in (7, 8, 9)] == ["0.1.0+abc", "", ""]


def test_figures_of_processes_are_marked_and_explained(
    systemd: FakeSystemd, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where the kernel counts no memory, systemd says `[not set]`."""
    (tmp_path / "cgroup.procs").write_text("1\n")
    # A control group is a folder below /sys/fs/cgroup.
    group = f"/../../..{tmp_path}"
    systemd.set(DATA.unit, READY | DETAILS | {"MemoryCurrent": "[not set]", "ControlGroup": group})
    status([DATA], as_json=False)
    _, line, note = capsys.readouterr().out.splitlines()
    assert "~" in line
    assert note.startswith("~ summed over the processes")


def test_a_machine_without_the_memory_controller_is_no_error(
    systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]
) -> None:
    """There systemd says `[not set]`."""
    systemd.set(DATA.unit, READY | {"MemoryCurrent": "[not set]", "ControlGroup": "/no/such/group"})
    status([DATA], as_json=True)
    assert json.loads(capsys.readouterr().out)["services"][0]["memory_bytes"] is None
