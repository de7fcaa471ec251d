"""The files of a snapshot folder, and their ids."""

import os
from pathlib import Path

import pytest

from juniper_cascor.runs.snapshot_files import file_of_id, files, id_of, path_of_id
from juniper_common.errors import NotFoundError

NUMBERED = "run-1/00002-000000120.h5"


def made(folder: Path, *names: str) -> None:
    """Files of these names, each with something in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))


def listed(folder: Path) -> set[str]:
    """What lies in the folder."""
    return {file.relative for file in files(folder)}


def test_a_runs_snapshot_has_a_readable_id() -> None:
    """The run and how far it had grown."""
    assert id_of(NUMBERED) == "run-1.00002-000000120"


@pytest.mark.parametrize(
    "name", [NUMBERED, "net.h5", "run-1.00002-000000120", "run-1/~ä b.h5", "ru n/00002-000000120.h5", "a/b/..c", "%2F"]
)
def test_each_file_has_an_id_that_leads_back_to_it(tmp_path: Path, name: str) -> None:
    """Whatever it is called, the id is plain in a URL."""
    made(tmp_path, name)
    (file,) = files(tmp_path)
    snapshot_id = id_of(file.relative)
    assert not set(snapshot_id) & set("/%?# ")
    assert snapshot_id.isascii()
    assert path_of_id(tmp_path, snapshot_id).read_text() == name
    assert file_of_id(tmp_path, snapshot_id) == file


def test_no_two_files_have_one_id() -> None:
    """Names that look like an id, or like an escaped one, do not get in the way of others."""
    names = [NUMBERED, "run-1.00002-000000120", "run-1/00002-000000120", "a/b", "a~2Fb", "~a~2Fb", "a.b"]
    assert len({id_of(name) for name in names}) == len(names)


def test_a_name_that_is_no_text_has_an_id(tmp_path: Path) -> None:
    """A file system keeps bytes."""
    raw = os.fsdecode(b"\xff.h5")
    made(tmp_path, raw)
    assert id_of(raw) == "~~FF.h5"
    assert path_of_id(tmp_path, "~~FF.h5").exists()


@pytest.mark.parametrize(
    "snapshot_id",
    [
        "",
        "~",
        "~..~2Fsecret.h5",
        "~a~2F..~2F..~2Fsecret.h5",
        "~~2Fetc~2Fpasswd",
        "~.",
        "..",
        "~net~00.h5",
        "~net~2eh5",
        "~net.h5~2F",
        "net.h5",
        "~" + 300 * "a",
        "~ä",
        "run-1.00009-000000120",
        "run-1.2-120",
        "~run-1~2F00002-000000120.h5",
    ],
)
def test_an_id_that_no_list_has_is_of_nothing(tmp_path: Path, snapshot_id: str) -> None:
    """Paths out of the folder, other spellings of an id, and files that are not there."""
    folder = tmp_path / "snapshots"
    made(folder, NUMBERED, "net.h5", "a/b")
    made(tmp_path, "secret.h5")
    with pytest.raises(NotFoundError, match="there is no snapshot") as refused:
        path_of_id(folder, snapshot_id)
    assert refused.value.fields[0].loc == ["snapshot_id"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to a file nor to a folder, which may be any of the host's."""
    folder = tmp_path / "snapshots"
    made(tmp_path, "elsewhere/secret.h5")
    folder.mkdir()
    (folder / "link.h5").symlink_to(tmp_path / "elsewhere" / "secret.h5")
    (folder / "run-2").symlink_to(tmp_path / "elsewhere")
    assert files(folder) == []
    for snapshot_id in ("~link.h5", "~run-2~2Fsecret.h5"):
        with pytest.raises(NotFoundError):
            path_of_id(folder, snapshot_id)


def test_what_is_no_file_is_not_listed(tmp_path: Path) -> None:
    """Opening a pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.h5")
    assert files(tmp_path) == []
    with pytest.raises(NotFoundError):
        path_of_id(tmp_path, "~pipe.h5")


def test_what_belongs_to_the_writing_is_not_listed(tmp_path: Path) -> None:
    """A run's checkpoint, what it was grown on from, and half-written files; elsewhere such names are any names."""
    made(tmp_path, "run-1/checkpoint.h5", "run-1/parent.h5", f"run-1/.{NUMBERED[6:]}.01ab.partial", "parent.h5")
    assert listed(tmp_path) == {"parent.h5"}
    with pytest.raises(NotFoundError):
        path_of_id(tmp_path, "~run-1~2Fcheckpoint.h5")


def test_the_folder_may_be_missing_or_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Before the first run there is none; one that cannot be listed is said in the log."""
    assert files(tmp_path / "none") == []
    assert not caplog.text
    made(tmp_path, "a-file")
    assert files(tmp_path / "a-file") == []
    assert "cannot be listed" in caplog.text
