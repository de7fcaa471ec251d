from pathlib import Path

import pytest

from juniper_ctl import systemctl
from juniper_ctl.errors import ControlError, Exit
from tests.unit.juniper_ctl.fake_systemd import READY, FakeSystemd


def test_a_manager_that_answers_is_found(systemd: FakeSystemd) -> None:
    """And asked over the bus: that a program `systemctl` exists says nothing."""
    assert systemctl.manager_answers()
    systemd.go_down()
    assert not systemctl.manager_answers()


@pytest.mark.usefixtures("systemd")
def test_a_machine_without_systemctl_has_no_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says so with exit code 69, and what works there."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert not systemctl.manager_answers()
    with pytest.raises(ControlError, match="systemd does not run this machine") as raised:
        systemctl.show(["juniper-data.service"])
    assert (raised.value.code, raised.value.next_command) == (Exit.NO_BUS, "juniper-ctl demo")


def test_several_units_are_asked_for_at_once(systemd: FakeSystemd) -> None:
    """The answers come in the order of the question."""
    systemd.set("a.service", READY | {"MainPID": "7", "MemoryCurrent": "[not set]"})
    first, second = systemctl.show(["a.service", "b.service"])
    assert (first.is_installed, first.active, first.sub) == (True, "active", "running")
    assert (first.number("MainPID"), first.number("MemoryCurrent")) == (7, None)
    assert (second.is_installed, second.active) == (False, "inactive")


@pytest.mark.usefixtures("no_systemd")
def test_without_a_manager_a_question_is_an_error() -> None:
    """Exit code 69."""
    with pytest.raises(ControlError) as raised:
        systemctl.show(["a.service"])
    assert raised.value.code is Exit.NO_BUS


def test_of_units_that_are_not_there_one_line_is_enough(systemd: FakeSystemd) -> None:
    """Systemctl writes one for each."""
    systemd.refuse("stop", "Failed to stop a.service: Unit a.service not loaded.\nFailed to stop b.service: the same.")
    with pytest.raises(ControlError) as raised:
        systemctl.tell("stop", "a.service", "b.service")
    assert raised.value.message.endswith("Unit a.service not loaded.")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Failed to start juniper.target: Unit juniper.target not found.", Exit.UNKNOWN_UNIT),
        ("Failed to connect to bus: Connection refused", Exit.NO_BUS),
        ("Failed to start a.service: Access denied", Exit.PERMISSION),
        ("Failed to start juniper.target: Interactive authentication required.", Exit.PERMISSION),
        ("Job failed. See the journal.", Exit.FAILED),
        ("", Exit.FAILED),
    ],
)
def test_what_systemd_refuses_becomes_the_exit_code_that_tells_why(
    systemd: FakeSystemd, reason: str, code: Exit
) -> None:
    """And the message has systemd's own words."""
    systemd.refuse("start", reason)
    with pytest.raises(ControlError) as raised:
        systemctl.tell("start", "juniper.target")
    assert raised.value.code is code
