"""Run records in SQLite."""

from pathlib import Path

import pytest

from juniper_cascor.runs.store import RunStore, StoreError
from juniper_common.wire.run_queries import RunQuery
from juniper_common.wire.runs import RunChange, StateChange

from .records import record


def test_records_outlive_the_process(tmp_path: Path) -> None:
    """What was written is read after the store was opened anew, newest first."""
    store = RunStore(tmp_path / "runs.sqlite3")
    store.add([record(1), record(2)])
    store.update(record(1, status="COMPLETED", outcome="solved", epochs=9))
    store.close()
    again = RunStore(tmp_path / "runs.sqlite3")
    assert again.page(RunQuery(limit=10)).runs == [record(2), record(1, status="COMPLETED", outcome="solved", epochs=9)]
    assert again.page(RunQuery(limit=1)).runs == [record(2)]
    assert again.get("r2") == record(2)
    assert again.get("r3") is None
    again.close()


def test_runs_are_added_all_or_none(store: RunStore) -> None:
    """Where one cannot be recorded, none of those posted with it is."""
    store.add([record(1)])
    with pytest.raises(StoreError, match="the run store cannot be used: UNIQUE"):
        store.add([record(2), record(1)])
    assert store.page(RunQuery(limit=9)).runs == [record(1)]


def test_a_run_tells_its_states(store: RunStore) -> None:
    """From when it was posted, each change of status or of its reason; what else is written is none."""
    store.add([record(1, status="QUEUED")])
    store.update(record(1, status="STARTED"))
    store.update(record(1, status="STARTED", epochs=70))
    store.update(record(1, status="PAUSED", reason="the disk is full"))
    store.update(record(1, status="PAUSED", reason="by a person"))
    detail = store.detail("r1")
    assert detail is not None
    assert detail.state_changes == [
        StateChange(time=1.0, status="QUEUED"),
        StateChange(time=1_000.0, status="STARTED"),
        StateChange(time=1_000.0, status="PAUSED", reason="the disk is full"),
        StateChange(time=1_000.0, status="PAUSED", reason="by a person"),
    ]


def test_a_run_tells_what_was_changed_while_it_trained(store: RunStore) -> None:
    """Parameters and datasets, in the order in which they were changed."""
    store.add([record(1), record(2)])
    first = RunChange(epoch=7, time=3.0, params={"learning_rate": 0.1, "class_weights": None})
    second = RunChange(epoch=7, time=4.0, dataset_id="spiral-1", dataset_checksum="11")
    store.add_change("r1", first)
    store.add_change("r1", second)
    assert store.changes("r1") == [first, second]
    assert store.changes("r2") == []


def test_a_detail_has_all_that_is_kept_of_a_run(store: RunStore) -> None:
    """The record itself, its changes, and each metric's value at the last step."""
    store.add([record(1)])
    store.add_change("r1", RunChange(epoch=7, time=3.0))
    store.add_metrics("r1", [("score", 9, 0.5, 3.0), ("train_loss", 1, 1.0, 1.0), ("train_loss", 2, 0.5, 2.0)])
    detail = store.detail("r1")
    assert detail is not None
    assert detail.model_dump(exclude={"state_changes", "changes", "metrics"}) == record(1).model_dump()
    assert detail.changes == store.changes("r1")
    assert detail.metrics == {"score": 0.5, "train_loss": 0.5}


def test_there_is_no_detail_of_an_unknown_run(store: RunStore) -> None:
    """Nor an error."""
    assert store.detail("r1") is None


def test_what_people_note_outlives_an_update(store: RunStore) -> None:
    """The service writes a record that it has held since before the notes were edited."""
    store.add([record(1)])
    annotated = store.annotate("r1", "looks good", None)
    assert annotated == record(1, notes="looks good")
    assert store.annotate("r1", None, ["a", "b"]) == record(1, notes="looks good", tags=["a", "b"])
    store.update(record(1, epochs=9))
    assert store.get("r1") == record(1, epochs=9, notes="looks good", tags=["a", "b"])


def test_an_unknown_run_cannot_be_annotated(store: RunStore) -> None:
    """Nothing is made of it."""
    assert store.annotate("r1", "x", []) is None
    assert store.page(RunQuery(limit=9)).runs == []


def test_a_deleted_run_leaves_nothing(store: RunStore) -> None:
    """A later run that takes its id, and its number in the file, has none of its rows."""
    store.add([record(1)])
    store.add_change("r1", RunChange(epoch=7, time=3.0))
    store.add_metrics("r1", [("score", 9, 0.5, 3.0)])
    assert store.delete("r1")
    assert not store.delete("r1")
    store.add([record(1)])
    detail = store.detail("r1")
    assert detail is not None
    assert (len(detail.state_changes), detail.changes, detail.metrics) == (1, [], {})


def test_runs_of_a_status_come_in_their_order(store: RunStore) -> None:
    """Oldest first, and those posted at once as they were posted."""
    store.add([record(3, created_at=5.0), record(2, status="QUEUED", created_at=5.0), record(1, status="PAUSED")])
    store.add([record(4, status="COMPLETED")])
    assert [run.id for run in store.of_status("QUEUED", "STARTED", "PAUSED")] == ["r1", "r3", "r2"]


def test_datasets_are_named_by_runs_and_their_changes(store: RunStore) -> None:
    """Both are needed to repeat a run."""
    store.add([record(1), record(2, dataset_checksum="22")])
    store.add_change("r1", RunChange(epoch=7, time=3.0, dataset_checksum="33"))
    store.add_change("r1", RunChange(epoch=8, time=3.0))
    assert store.dataset_checksums() == {"00", "22", "33"}
    store.delete("r1")
    assert store.dataset_checksums() == {"22"}


def test_a_store_that_cannot_be_written_says_so(store: RunStore) -> None:
    """A full disk, here a bound on the file's pages, is an error of the store's own, and loses no earlier record."""
    store.add([record(1)])
    with store._file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match="the run store cannot be used: database or disk is full"):
        for number in range(2, 200):
            store.add([record(number, reason="x" * 1_000)])
    assert store.get("r1") == record(1)
    assert store.page(RunQuery(limit=999)).runs[0].id == f"r{store.page(RunQuery()).total}"


def damaged(store: RunStore, number: int, **columns: str) -> None:
    """These columns of a run get these texts, which SQLite lets pass."""
    with store._file.writing() as connection:
        for name, text in columns.items():
            connection.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (text, f"r{number}"))  # noqa: S608


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("params", "{broken", {}),
        ("params", "[]", {}),
        ("versions", "null", {}),
        ("tags", "", []),
        ("status", "BUSY", "FAILED"),
        ("origin", "sea", "fresh"),
        ("on_restart", "", "resume"),
    ],
)
def test_what_cannot_be_read_of_a_run_is_said(store: RunStore, name: str, text: str, shown: object) -> None:
    """It is left empty, and the run counts as failed; others are listed as ever."""
    store.add([record(1), record(2)])
    damaged(store, 1, **{name: text})
    reason = f"its record is damaged: {name} cannot be read"
    expected = record(1, **{"status": "FAILED", "reason": reason, name: shown})
    assert store.page(RunQuery()).runs == [record(2), expected]
    assert store.get("r1") == expected
    assert store.page(RunQuery(tag="first")).total == (1 if name == "tags" else 2)


def test_a_damaged_run_that_had_ended_stays_as_it_ended(store: RunStore) -> None:
    """It is not expired while nobody knows whether it was to be kept."""
    store.add([record(1, status="COMPLETED", ended_at=2.0)])
    damaged(store, 1, tags="[")
    assert store.fail_unreadable() == []
    found = store.get("r1")
    assert found is not None
    assert (found.status, found.tags) == ("COMPLETED", [])
    assert store.expired(0, None, now=9.0) == []


def test_damaged_runs_are_ended(store: RunStore) -> None:
    """At the clock's time and with the reason; what cannot be read stays as it is, for whoever can mend it."""
    store.add([record(1), record(2), record(3, status="QUEUED")])
    damaged(store, 1, params="{broken")
    store.add_change("r2", RunChange(epoch=7, time=3.0))
    with store._file.writing() as connection:
        connection.execute("UPDATE run_changes SET params = '{'")
    assert [failed.id for failed in store.fail_unreadable()] == ["r1", "r2"]
    assert [run.id for run in store.of_status("STARTED", "PAUSED", "QUEUED")] == ["r3"]
    details = [store.detail("r1"), store.detail("r2")]
    assert [(run.ended_at, run.reason, run.state_changes[-1].status) for run in details if run] == [
        (1_000.0, "its record is damaged: params cannot be read", "FAILED"),
        (1_000.0, "its record is damaged: changes cannot be read", "FAILED"),
    ]
    with store._file.reading() as connection:
        assert connection.execute("SELECT params FROM runs WHERE id = 'r1'").fetchone()[0] == "{broken"
    assert store.fail_unreadable() == []


def test_a_state_that_cannot_be_read_is_passed_over(store: RunStore, caplog: pytest.LogCaptureFixture) -> None:
    """And logged."""
    store.add([record(1)])
    store.update(record(1, status="STOPPED"))
    with store._file.writing() as connection:
        connection.execute("UPDATE state_changes SET status = 'BUSY' WHERE status = 'STARTED'")
    detail = store.detail("r1")
    assert detail is not None
    assert [change.status for change in detail.state_changes] == ["STOPPED"]
    assert "BUSY" in caplog.text
