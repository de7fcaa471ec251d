"""`check`: that all which the training service keeps can be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from juniper_cascor.serving.model_store import ModelStore
from juniper_cascor.snapshots import content_of
from tests.unit.juniper_cascor.snapshot_data import SNAPSHOT
from tests.unit.juniper_ctl.backups.kept_state import keep_run

from .command_line import run


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with a run, its dataset, its snapshot and a model."""
    monkeypatch.setenv("JUNIPER_CASCOR_STATE_DIR", str(tmp_path))
    keep_run(tmp_path)
    ModelStore(tmp_path / "models").promote("best", bytes(content_of(SNAPSHOT)))
    return tmp_path


@pytest.mark.usefixtures("state")
def test_a_whole_state(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says how much there is."""
    assert run(capsys, "check").out == "1 runs, 1 snapshots and 1 datasets, each whole\n"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("snapshots/*/*.h5", "snapshots/"), ("datasets/*.npz", "missing or damaged"), ("models/*/*.h5", "model best: ")],
)
def test_damage_is_told(capsys: pytest.CaptureFixture[str], state: Path, pattern: str, message: str) -> None:
    """Of each kind; it ends with 1."""
    (path,) = state.glob(pattern)
    path.write_bytes(b"else")
    ended = run(capsys, "check")
    assert (ended.code, message in ended.err) == (1, True)


def test_a_store_of_a_newer_version(capsys: pytest.CaptureFixture[str], state: Path) -> None:
    """It ends with 78: it cannot be opened."""
    with closing(sqlite3.connect(state / "runs.sqlite3")) as connection:
        connection.execute("PRAGMA user_version = 99")
    ended = run(capsys, "check")
    assert (ended.code, "has schema 99" in ended.err) == (78, True)
