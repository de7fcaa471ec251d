import json
import os

import pytest

from juniper_ctl import releases
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.main import main
from juniper_ctl.release import Release

pytestmark = pytest.mark.usefixtures("no_systemd")


@pytest.fixture
def versions(home: Locations) -> list[str]:
    """Three releases, the oldest first, each installed over the one before; each has a unit file that names it."""
    names = [f"1.{number}" for number in range(3)]
    for number, name in enumerate(names):
        release = Release(home.releases / name)
        for folder in ("systemd/user", "conf"):
            (release.files / folder).mkdir(parents=True)
        (release.files / "systemd/user/juniper-data.service").write_text(f"[Service]\nExecStart=/bin/echo {number}\n")
        (release.folder / "release.json").write_text("{}")
        if number:
            release.note_before(names[number - 1])
        os.utime(release.folder, (10**9 + number, 10**9 + number))
    releases.go_back(names[-1])
    return names


def test_going_back_brings_the_unit_files_of_that_release(home: Locations, versions: list[str]) -> None:
    """Each time one further; what the person wrote stays."""
    (home.configuration / "juniper.env").write_text("MINE=1\n")
    for number in (1, 0):
        assert releases.go_back(None).release.version == versions[number]
        assert home.current.readlink().name == versions[number]
        assert f"echo {number}" in (home.units / "juniper-data.service").read_text()
    assert (home.configuration / "juniper.env").read_text() == "MINE=1\n"
    with pytest.raises(ControlError, match="no earlier release is kept here"):
        releases.go_back(None)


def test_going_back_passes_over_what_was_tried_and_taken_back(home: Locations, versions: list[str]) -> None:
    """The last one took the place of the first: the one in between was never what served."""
    Release(home.releases / versions[2]).note_before(versions[0])
    assert releases.go_back(None).release.version == versions[0]


def test_a_release_is_chosen_by_its_name(home: Locations, versions: list[str]) -> None:
    """A second time nothing changes; one that is not there is refused."""
    assert releases.go_back(versions[0]).changes_something()
    assert not releases.go_back(versions[0]).changes_something()
    assert home.current.readlink().name == versions[0]
    with pytest.raises(ControlError, match="no release 9 is kept here"):
        releases.go_back("9")


def test_they_are_listed_with_what_is_current(versions: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first."""
    capsys.readouterr()
    assert main(["releases", "--json"]) == Exit.OK
    listed = json.loads(capsys.readouterr().out)["releases"]
    assert [(one["release"], one["is_current"]) for one in listed] == [
        (version, version == versions[-1]) for version in reversed(versions)
    ]
    assert main(["releases"]) == Exit.OK
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == [versions[-1], "current"]


@pytest.mark.usefixtures("home")
def test_nothing_installed_has_no_releases(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to type."""
    assert main(["rollback"]) == Exit.UNKNOWN_UNIT
    assert "juniper-ctl install" in capsys.readouterr().err
