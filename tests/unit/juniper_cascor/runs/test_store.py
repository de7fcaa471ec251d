"""Run records in SQLite."""

import sqlite3
from pathlib import Path

import pytest

from juniper_cascor.runs.store import MIGRATIONS, RunStore, StoreError, StoreTooNewError
from juniper_common.wire.runs import RunRecord


def record(number: int, **changes: object) -> RunRecord:
    """A run that trains."""
    return RunRecord(
        id=f"r{number}",
        status="STARTED",
        created_at=float(number),
        ended_at=None,
        seed=2**62,
        params={"patience": None, "learning_rate": 0.05},
        pace=None,
        dataset_id=None,
        dataset_checksum="00",
        backend="numba",
        versions={"numpy": "2"},
        epochs=0,
        hidden_units=0,
        outcome=None,
        reason=None,
    ).model_copy(update=changes)


def test_records_outlive_the_process(tmp_path: Path) -> None:
    """What was written is read after the store was opened anew, newest first."""
    store = RunStore(tmp_path / "runs.sqlite3")
    store.add(record(1))
    store.add(record(2))
    store.update(record(1, status="COMPLETED", outcome="solved", epochs=9))
    store.close()
    again = RunStore(tmp_path / "runs.sqlite3")
    assert again.newest(10) == [record(2), record(1, status="COMPLETED", outcome="solved", epochs=9)]
    assert again.newest(1) == [record(2)]
    assert again.get("r2") == record(2)
    assert again.get("r3") is None
    again.close()


def test_interrupted_runs_are_marked(tmp_path: Path) -> None:
    """Runs that an earlier process left active are failed, others are let be."""
    store = RunStore(tmp_path / "runs.sqlite3")
    store.add(record(1))
    store.add(record(2, status="PAUSED"))
    store.add(record(3, status="COMPLETED"))
    assert store.end_interrupted(5.0, "gone") == 2
    assert [(run.status, run.reason) for run in store.newest(3)] == [
        ("COMPLETED", None),
        ("FAILED", "gone"),
        ("FAILED", "gone"),
    ]
    store.close()


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    """An older version refuses what a newer one has written."""
    path = tmp_path / "runs.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreTooNewError, match="has schema 2; this version knows 1"):
        RunStore(path)


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A full disk, here a bound on the file's pages, is an error of the store's own, and loses no earlier record."""
    store = RunStore(tmp_path / "runs.sqlite3")
    store.add(record(1))
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match="the run store cannot be used: database or disk is full"):
        for number in range(2, 200):
            store.add(record(number, reason="x" * 1_000))
    assert store.get("r1") == record(1)
    store.close()


def test_a_second_service_is_refused(tmp_path: Path) -> None:
    """It would take the first one's run for an interrupted one."""
    store = RunStore(tmp_path / "runs.sqlite3")
    with pytest.raises(StoreError, match="cannot be opened"):
        RunStore(tmp_path / "runs.sqlite3")
    store.close()
    RunStore(tmp_path / "runs.sqlite3").close()
