"""Run stores that earlier versions have written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from juniper_cascor.runs.migrations import MIGRATIONS
from juniper_cascor.runs.store import RunStore, StoreTooNewError
from juniper_common.sqlite_file import Migration, Migrations, SqliteFile
from juniper_common.wire.run_queries import RunQuery
from juniper_common.wire.runs import RunRecord, StateChange

from .records import record


def _first_version(path: Path) -> None:
    """A store as the first version made it, with a run that was solved and one that trains."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN; {MIGRATIONS.first[0]} PRAGMA user_version = 1; COMMIT;")
    insert = "INSERT INTO runs VALUES (?, ?, ?, ?, 7, '{\"patience\":null}', 2.5, 'd', '00', 'numba', '{}', 9, 1, ?, ?)"
    connection.execute(insert, ("new", "STARTED", 2.0, None, None, None))
    connection.execute(insert, ("old", "FAILED", 1.0, 3.0, None, "out of memory"))
    connection.close()


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its runs are there with all that was kept, and say of the rest what was so in that version."""
    _first_version(tmp_path / "runs.sqlite3")
    store = RunStore(tmp_path / "runs.sqlite3")
    old = RunRecord(
        id="old",
        status="FAILED",
        created_at=1.0,
        started_at=1.0,
        ended_at=3.0,
        seed=7,
        params={"patience": None},
        pace=2.5,
        dataset_id="d",
        dataset_checksum="00",
        backend="numba",
        versions={},
        epochs=9,
        hidden_units=1,
        reason="out of memory",
    )
    new = {"id": "new", "status": "STARTED", "created_at": 2.0, "started_at": 2.0, "ended_at": None, "reason": None}
    assert store.page(RunQuery(limit=9)).runs == [old.model_copy(update=new), old]
    store.close()


def test_runs_of_the_first_version_get_states(tmp_path: Path) -> None:
    """From what their records say."""
    _first_version(tmp_path / "runs.sqlite3")
    store = RunStore(tmp_path / "runs.sqlite3")
    old, new = store.detail("old"), store.detail("new")
    assert old is not None
    assert new is not None
    assert new.state_changes == [StateChange(time=2.0, status="STARTED")]
    assert old.state_changes == [
        StateChange(time=1.0, status="STARTED"),
        StateChange(time=3.0, status="FAILED", reason="out of memory"),
    ]
    store.close()


def test_a_store_is_brought_up_to_date_once(tmp_path: Path) -> None:
    """Opened again, it is as it was left."""
    _first_version(tmp_path / "runs.sqlite3")
    store = RunStore(tmp_path / "runs.sqlite3")
    store.add_metrics("old", [("score", 1, 0.5, 1.0)])
    before = store.detail("old")
    store.close()
    again = RunStore(tmp_path / "runs.sqlite3")
    assert again.detail("old") == before
    again.close()


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    """An older version refuses what a newer one has written."""
    path = tmp_path / "runs.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {MIGRATIONS.version + 1}")
    connection.close()
    with pytest.raises(StoreTooNewError, match="has schema 3; this version knows 2, and no way back to it"):
        RunStore(path)


def test_a_store_of_the_next_release_is_taken_back(tmp_path: Path) -> None:
    """With every run, of the time after the upgrade too."""
    path = tmp_path / "runs.sqlite3"
    step = Migration("ALTER TABLE runs ADD COLUMN place TEXT;", "ALTER TABLE runs DROP COLUMN place;")
    with closing(RunStore(path)) as store:
        store.add([record(1), record(2)])
    next_release = Migrations(MIGRATIONS.first, (step,))
    with closing(SqliteFile(path, next_release, "the run store")) as newer, newer.writing() as connection:
        connection.execute("UPDATE runs SET place = 'here', notes = 'newer'")
    with closing(RunStore(path)) as store:
        assert store.page(RunQuery(limit=9)).runs == [record(2, notes="newer"), record(1, notes="newer")]
