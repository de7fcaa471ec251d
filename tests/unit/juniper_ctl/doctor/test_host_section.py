from pathlib import Path

import pytest

from juniper_ctl.doctor import host_section
from juniper_ctl.doctor.host_section import controllers, linger, namespaces, systemd
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import FakeSystemd

GROUP = "user.slice/user-1000.slice/user@1000.service"


def cgroup_files(folder: Path, *, offered: str, delegated: str) -> Path:
    """A /sys/fs/cgroup whose root and whose manager have these controllers."""
    (folder / GROUP).mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(offered)
    (folder / GROUP / "cgroup.controllers").write_text(delegated)
    return folder


@pytest.fixture
def manager(systemd: FakeSystemd) -> None:
    """A user's manager in a control group."""
    systemd.set_manager({"Version": "252.39-1", "ControlGroup": f"/{GROUP}"})


@pytest.mark.parametrize(
    ("version", "level"), [("252.39-1~deb12u1", "ok"), ("257", "ok"), ("249.11", "wrong"), ("", "unknown")]
)
def test_the_units_are_made_for_systemd_252_and_later(version: str, level: str) -> None:
    """An older one is wrong."""
    assert systemd(version).level == level


def test_a_user_who_does_not_linger_is_told_how() -> None:
    """As `juniper-ctl enable` tells it; where logind does not say, nobody claims anything."""
    assert linger(False).next_command == "loginctl enable-linger"
    assert [linger(True).level, linger(None).level] == ["ok", "unknown"]


@pytest.mark.usefixtures("manager")
def test_controllers_that_are_not_delegated_are_wrong(tmp_path: Path) -> None:
    """All but io, which only counts; one that the machine does not offer need not be there."""
    folder = cgroup_files(tmp_path / "cgroup", offered="cpu io pids", delegated="pids")
    levels = [(finding.level, finding.text.split(":")[0]) for finding in controllers(folder)]
    assert levels == [
        ("ok", "counted and limited"),
        ("absent", "this machine offers no memory controller"),
        ("wrong", "the cpu controller is not delegated to you"),
        ("absent", "the io controller is not delegated to you"),
    ]


@pytest.mark.parametrize(
    ("switch", "value", "level"),
    [
        ("user/max_user_namespaces", "0", "wrong"),
        ("user/max_user_namespaces", "96364", "ok"),
        ("kernel/unprivileged_userns_clone", "0", "wrong"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "wrong"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0", "ok"),
    ],
)
def test_a_kernel_that_forbids_user_namespaces_is_wrong(tmp_path: Path, switch: str, value: str, level: str) -> None:
    """Each of the three ways to forbid them."""
    path = tmp_path / "sys" / switch
    path.parent.mkdir(parents=True)
    path.write_text(f"{value}\n")
    assert [finding.level for finding in namespaces(tmp_path, tmp_path / "etc")] == [level]


def test_the_apparmor_profile_gives_them_back(tmp_path: Path) -> None:
    """On Ubuntu 24.04."""
    path = tmp_path / "sys/kernel/apparmor_restrict_unprivileged_userns"
    path.parent.mkdir(parents=True)
    path.write_text("1\n")
    (tmp_path / "etc/apparmor.d").mkdir(parents=True)
    (tmp_path / "etc/apparmor.d/systemd-executor").touch()
    assert [finding.level for finding in namespaces(tmp_path, tmp_path / "etc")] == ["ok"]


@pytest.mark.usefixtures("no_systemd")
def test_a_machine_without_a_manager_says_why(home: Locations) -> None:
    """The first line; what would be asked of the manager is left out."""
    first, *others = host_section.look(home)
    assert first.level == "wrong"
    assert "no systemd user manager answers" in first.text
    assert len(others) == 1
