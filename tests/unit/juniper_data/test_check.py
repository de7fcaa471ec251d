"""`juniper-data check`: that every dataset of a state folder can be read."""

from contextlib import closing
from pathlib import Path

import pytest

from juniper_data.__main__ import main
from juniper_data.stores.file_system import FileSystemStore
from tests.unit.juniper_data.stores.samples import artifact_files, holding


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with two datasets."""
    monkeypatch.setenv("JUNIPER_DATA_STATE_DIR", str(tmp_path))
    with closing(FileSystemStore(tmp_path)) as store:
        for number in range(2):
            store.put(*holding(number, f"content {number}".encode()))
    return tmp_path


def ended() -> int:
    """What the command ends with."""
    try:
        main(["check"])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.usefixtures("state")
def test_a_whole_store(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says how much there is."""
    assert ended() == 0
    assert capsys.readouterr().out == "2 datasets, each whole\n"


def test_damage_is_told(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each dataset that is not what was written, and how many."""
    changed, lost = artifact_files(state)
    changed.write_bytes(b"else")
    lost.unlink()
    assert ended() == 1
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (3, "2 of 2 datasets cannot be read")


def test_a_state_that_cannot_be_opened(state: Path) -> None:
    """It ends with 78, as the service would."""
    (state / "index.sqlite").write_bytes(b"no database, but longer than nothing")
    assert ended() == 78


def test_a_store_in_memory_has_nothing_to_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said."""
    monkeypatch.setenv("JUNIPER_DATA_STORE", "memory")
    assert ended() == 0
    assert capsys.readouterr().out.startswith("nothing to check")
