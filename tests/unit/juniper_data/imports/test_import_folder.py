import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.import_folder import names_inside, open_inside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An import folder with a file in a folder of its own, beside a secret."""
    folder = tmp_path / "import"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.csv").write_text("inside")
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.csv").write_text("outside")
    return folder


def opened_files() -> Iterator[Path]:
    """What this process has open."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # Other threads close theirs meanwhile.
            yield descriptor.readlink()


@pytest.mark.parametrize("path", ["sub/a.csv", "./sub//a.csv", "sub/./a.csv"])
def test_files_of_the_folder_are_opened(folder: Path, path: str) -> None:
    """Any way to write a relative path is taken."""
    with open_inside(folder, path) as file:
        assert file.read() == b"inside"
        assert folder / "sub" / "a.csv" in opened_files()


@pytest.mark.parametrize(
    "path",
    ["../secret", "sub/../../secret", "sub/../sub/a.csv", "..", ".", "/", "//", "/etc/passwd", "sub/a.csv\0", "\ud800"],
)
def test_paths_that_lead_out_are_refused(folder: Path, path: str) -> None:
    """A path that is absolute, goes up, names no file or cannot be a name is refused where it stands."""
    with pytest.raises(UnreadableFileError) as refused:
        open_inside(folder, path)
    assert refused.value.problems[0].loc == ["params", "file_path"]
    assert "secret" not in refused.value.problems[0].msg


def test_links_are_not_followed(folder: Path) -> None:
    """A link is refused wherever it leads and wherever in the path it is, as if it were not there."""
    (folder / "file").symlink_to(folder.parent / "secret")
    (folder / "out").symlink_to(folder.parent / "outside")
    (folder / "inside").symlink_to(folder / "sub" / "a.csv")
    messages = set()
    for path in ("file", "out/a.csv", "inside", "missing", "sub/a.csv/b", "missing/a.csv", "a" * 999):
        with pytest.raises(UnreadableFileError) as refused:
            open_inside(folder, path)
        messages.add(refused.value.problems[0].msg)
    assert messages == {"there is no such file in the import folder; links are not followed"}


def test_folder_that_becomes_a_link_meanwhile_leads_nowhere(folder: Path) -> None:
    """While a folder is swapped for a link out, again and again, only what is inside is ever read."""
    is_done = threading.Event()

    def swap() -> None:
        while not is_done.is_set():
            (folder / "sub").rename(folder / "aside")
            (folder / "sub").symlink_to(folder.parent / "outside")
            (folder / "sub").unlink()
            (folder / "aside").rename(folder / "sub")

    swapping = threading.Thread(target=swap)
    swapping.start()
    read = set()
    try:
        for _ in range(3000):
            try:
                with open_inside(folder, "sub/a.csv") as file:
                    read.add(file.read())
            except UnreadableFileError:
                continue
    finally:
        is_done.set()
        swapping.join()
    assert read <= {b"inside"}


def test_only_regular_files_are_opened(folder: Path) -> None:
    """A named pipe, on which opening would wait for ever, and a folder are refused."""
    os.mkfifo(folder / "pipe")
    for path in ("pipe", "sub"):
        with pytest.raises(UnreadableFileError, match="no regular file"):
            open_inside(folder, path)


def test_refused_files_leave_nothing_open(folder: Path) -> None:
    """However often a path is refused, no descriptor stays open."""
    for path in ("sub", "sub/none", "sub/a.csv/x"):
        with pytest.raises(UnreadableFileError):
            open_inside(folder, path)
    assert [path for path in opened_files() if path.is_relative_to(folder)] == []


def test_missing_folder_says_what_to_make(tmp_path: Path) -> None:
    """Without an import folder the refusal names it, and the setting."""
    with pytest.raises(UnreadableFileError, match=f"make {tmp_path}/none, or set JUNIPER_DATA_IMPORT_DIR"):
        open_inside(tmp_path / "none", "a.csv")


def test_names_of_a_folder_inside_are_told(folder: Path) -> None:
    """But for those that are no text; nothing of a folder that is not there, or is a link or a file."""
    (folder / "sub" / os.fsdecode(b"\xff.csv")).touch()
    (folder / "link").symlink_to(folder.parent / "outside")
    assert names_inside(folder, "sub") == {"a.csv"}
    for path in ("nothing", "link", "sub/a.csv", "link/sub"):
        assert names_inside(folder, path) == frozenset()
    assert names_inside(folder / "nothing", "sub") == frozenset()
    for path in ("..", "/", "sub/../..", "."):
        with pytest.raises(UnreadableFileError):
            names_inside(folder, path)
