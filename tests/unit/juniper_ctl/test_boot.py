import json

import pytest

from juniper_ctl import boot
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import FakeSystemd


def set_linger(systemd: FakeSystemd, *lines: str) -> None:
    """What `loginctl` does from now on."""
    program = systemd.folder / "bin/loginctl"
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("loginctl", "lingers", "verdict"),
    [
        ("echo yes", True, Exit.OK),
        ("echo no", False, Exit.DEGRADED),
        ("echo 'Failed to get user: User ID 7 is not logged in or lingering' >&2; exit 1", False, Exit.DEGRADED),
        ("echo 'Failed to connect to bus' >&2; exit 1", None, Exit.OK),
    ],
)
def test_enabled_is_half_of_it_where_the_user_does_not_linger(
    systemd: FakeSystemd,
    capsys: pytest.CaptureFixture[str],
    loginctl: str,
    lingers: bool | None,
    verdict: Exit,
) -> None:
    """Then the services start at a login, not at boot, and the next command says what is missing."""
    set_linger(systemd, loginctl)
    assert boot.enable(as_json=True) is verdict
    assert json.loads(capsys.readouterr().out)["lingers"] is lingers
    assert boot.enable(as_json=False) is verdict
    told = capsys.readouterr().out
    assert told.endswith("next: loginctl enable-linger\n") is (lingers is False)
    others = "disable juniper-dev.target juniper-demo.target"
    assert systemd.calls() == ["enable juniper.target", others] * 2


@pytest.mark.parametrize(
    ("said", "link", "target"),
    [("", "demo.env", "juniper-demo.target"), ("dev", "demo.env", "juniper-dev.target"), ("", None, "juniper.target")],
)
def test_the_target_of_the_profile_that_the_host_runs_is_enabled(
    systemd: FakeSystemd, home: Locations, said: str, link: str | None, target: str
) -> None:
    """What juniper.env says for good, else what was started last; it alone, whatever was enabled before."""
    set_linger(systemd, "echo yes")
    home.configuration.mkdir(parents=True)
    (home.configuration / "juniper.env").write_text(f"JUNIPER_ENV={said}\n")
    if link is not None:
        (home.configuration / "profile.env").symlink_to(link)
    assert boot.enable(as_json=False) is Exit.OK
    enabled, disabled = systemd.calls()
    assert enabled == f"enable {target}"
    assert set(disabled.split()[1:]) == {*boot.TARGETS} - {target}


def test_a_machine_without_logind_does_not_tell(systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is enabled all the same."""
    monkeypatch.setenv("PATH", str(systemd.folder / "bin"))
    assert boot.enable(as_json=True) is Exit.OK


def test_disabled_says_that_what_runs_goes_on(systemd: FakeSystemd, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the start at boot is taken away."""
    assert boot.disable(as_json=False) is Exit.OK
    assert "what runs goes on" in capsys.readouterr().out
    assert boot.disable(as_json=True) is Exit.OK
    assert json.loads(capsys.readouterr().out) == {"verdict": "ok", "is_enabled": False}
    assert systemd.calls() == ["disable juniper-dev.target juniper-demo.target juniper.target"] * 2


def test_what_is_not_installed_cannot_be_enabled(systemd: FakeSystemd) -> None:
    """Exit code 4."""
    systemd.refuse("enable", "Failed to enable unit: Unit file juniper.target does not exist.")
    with pytest.raises(ControlError) as raised:
        boot.enable(as_json=False)
    assert raised.value.code is Exit.UNKNOWN_UNIT
