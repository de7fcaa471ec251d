import pytest

from juniper_ctl import unit_files
from juniper_ctl.doctor.install_section import look
from juniper_ctl.locations import Locations
from tests.unit.juniper_ctl.fake_systemd import READY, STOPPED, FakeSystemd

UNIT = "juniper-data.service"


@pytest.fixture
def installed(home: Locations, systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch) -> Locations:
    """A whole release with a unit file for each service, and nothing running."""
    folder = home.releases / "1.0"
    folder.mkdir(parents=True)
    (folder / "release.json").touch()
    home.current.symlink_to("releases/1.0")
    units = {f"juniper-{name}.service": "[Service]\n" for name in ("data", "cascor", "canopy")}
    unit_files.write(units, unit_files.changes(units, home), home)
    monkeypatch.setenv("PATH", f"{home.command.parent}:{systemd.folder / 'bin'}:/usr/bin:/bin")
    for name in ("data", "cascor", "canopy"):
        systemd.set(f"juniper-{name}.service", STOPPED)
    return home


def wrong(locations: Locations) -> list[tuple[str, str]]:
    """What is, and what to type."""
    return [(finding.text, finding.next_command) for finding in look(locations) if finding.level == "wrong"]


def test_an_installation_as_it_was_made(installed: Locations) -> None:
    """Nothing is wrong; a drop-in of the person's own is named."""
    own = installed.units / f"{UNIT}.d/mine.conf"
    own.parent.mkdir()
    own.write_text("[Service]\n")
    assert [(finding.level, finding.text) for finding in look(installed)] == [
        ("ok", "release 1.0"),
        ("ok", f"3 unit files in {installed.units} are as they were installed"),
        ("ok", f"a drop-in of your own: {own}"),
    ]


def test_a_unit_file_that_was_edited_is_drift(installed: Locations) -> None:
    """The next command shows what differs."""
    (installed.units / UNIT).write_text("[Service]\nRestart=no\n")
    ((text, then),) = wrong(installed)
    assert text == f"{installed.units / UNIT} is changed since it was installed"
    assert then.startswith("juniper-ctl install --diff")


def test_a_half_made_release_is_told(installed: Locations) -> None:
    """By its folder."""
    (installed.releases / "1.0/release.json").unlink()
    assert wrong(installed) == [(f"the release {installed.releases / '1.0'} is not whole", "juniper-ctl install")]


def test_what_systemd_has_is_compared(installed: Locations, systemd: FakeSystemd) -> None:
    """Unit files that it has not read again, and a service that failed."""
    systemd.set(UNIT, READY | {"NeedDaemonReload": "yes"})
    systemd.set("juniper-cascor.service", STOPPED | {"ActiveState": "failed", "Result": "exit-code"})
    assert wrong(installed) == [
        ("systemd has not read the unit files as they are now", "systemctl --user daemon-reload"),
        ("cascor has failed: exit-code", "juniper-ctl logs cascor"),
    ]


@pytest.mark.usefixtures("systemd")
def test_a_host_without_an_installation(home: Locations) -> None:
    """One line."""
    assert wrong(home) == [("no release is installed", "juniper-ctl install")]
