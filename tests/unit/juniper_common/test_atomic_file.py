"""Files that are there whole or not at all."""

from pathlib import Path

import pytest

from juniper_common.atomic_file import NewFile, remove_leftovers, replace_atomically


def test_the_new_content_takes_the_old_ones_place(tmp_path: Path) -> None:
    """The folder holds the file alone."""
    path = tmp_path / "file"
    for content in (b"old", b"newer"):
        replace_atomically(path, content)
    assert path.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    """What cannot be put in its place is taken away."""
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_atomically(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_leftovers_of_kills_are_told_from_other_files(tmp_path: Path) -> None:
    """Only what is being written has such a name."""
    for name in (".file.0123abcd.partial", "kept.partial", ".kept"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"kept.partial", ".kept"}


def test_what_is_not_kept_is_gone(tmp_path: Path) -> None:
    """The old file stays until the new one is there whole."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with NewFile(path) as new:
        new.file.write(b"half of")
    assert path.read_bytes() == b"old"
    with NewFile(path) as new:
        new.file.write(b"new")
        assert path.read_bytes() == b"old"
        new.keep()
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
