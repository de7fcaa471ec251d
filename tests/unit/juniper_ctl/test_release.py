import os
from pathlib import Path

import pytest

from juniper_ctl.locations import Locations
from juniper_ctl.release import KEPT, Release, prune, write_atomically


def whole_release(home: Locations, version: str, age_s: int) -> Release:
    """A folder that counts as one."""
    release = Release(home.releases / version)
    release.folder.mkdir(parents=True)
    (release.folder / "release.json").write_text("{}")
    os.utime(release.folder, (10**9 - age_s, 10**9 - age_s))
    return release


def test_the_link_moves_in_one_step(home: Locations) -> None:
    """And is relative, so that the home may be moved."""
    for version in ("1", "2"):
        release = whole_release(home, version, 0)
        assert not release.is_current(home)
        release.make_current(home)
        assert release.is_current(home)
    assert str(home.current.readlink()) == "releases/2"
    assert [path.name for path in home.code_folder.iterdir() if path.name.startswith(".")] == []


def test_old_releases_go_but_not_those_in_use(home: Locations) -> None:
    """The current one stays however old it is, so does one that a process runs from."""
    for age in range(KEPT + 3):
        whole_release(home, f"r{age}", age)
    Release(home.releases / f"r{KEPT + 2}").make_current(home)
    removed = prune(home, {f"r{KEPT + 1}"})
    assert removed == [f"r{age}" for age in range(KEPT - 1, KEPT + 1)]
    assert len(list(home.releases.iterdir())) == KEPT + 1


def test_the_release_before_the_current_one_stays_however_old_it_is(home: Locations) -> None:
    """What was tried in between and taken back is newer, and nothing to go back to."""
    for age in range(KEPT + 2):
        whole_release(home, f"r{age}", age)
    newest = Release(home.releases / "r0")
    newest.files.mkdir(parents=True)
    newest.note_before(f"r{KEPT + 1}")
    newest.make_current(home)
    prune(home, set())
    assert (home.releases / f"r{KEPT + 1}").is_dir()
    assert not (home.releases / f"r{KEPT}").is_dir()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """With the mode that it should have from the first moment, and nothing beside it."""
    write_atomically(tmp_path / "a", "text", mode=0o600)
    assert (tmp_path / "a").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("content", ["", "x"])
def test_a_file_is_replaced(tmp_path: Path, content: str) -> None:
    """Who reads meanwhile sees the old one or the new one."""
    (tmp_path / "a").write_text("old")
    write_atomically(tmp_path / "a", content)
    assert (tmp_path / "a").read_text() == content
