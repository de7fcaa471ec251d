"""What becomes of runs is written down in order, and nothing is lost while a store does not take it."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor.runs.history import ROW, Rows
from juniper_cascor.runs.recorder import MOST_ROWS, Recorder
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_common.wire.run_queries import RunQuery
from juniper_common.wire.runs import RunChange, RunRecord

from .records import record


class SickStore(RunStore):
    """A store that fails at will, or waits: for a disk that is full, or slow."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_sick = False
        self.is_quick = threading.Event()
        self.is_quick.set()
        self.is_written_to = threading.Event()
        self.fails_after = 1_000

    def update(self, record: RunRecord, at: float | None = None) -> None:
        """Write, or fail."""
        self._wait_or_fail()
        super().update(record, at)

    def add_change(self, run_id: str, change: RunChange) -> None:
        """Write, or fail."""
        self._wait_or_fail()
        super().add_change(run_id, change)

    def _wait_or_fail(self) -> None:
        self.is_written_to.set()
        assert self.is_quick.wait(30)
        self.fails_after -= 1
        if self.is_sick or self.fails_after < 0:
            raise StoreError("the run store cannot be used: disk I/O error")


@pytest.fixture
def store(tmp_path: Path) -> SickStore:
    """A store that is well, with two runs."""
    store = SickStore(tmp_path / "runs.sqlite3")
    store.add([record(1), record(2)])
    return store


def rows(first: int, last: int) -> Rows:
    """These epochs."""
    made = np.zeros(last - first + 1, ROW)
    made["epoch"] = np.arange(first, last + 1)
    made["train_loss"] = made["epoch"] / 8
    return made


def change(epoch: int) -> RunChange:
    """Something that was set."""
    return RunChange(epoch=epoch, time=float(epoch), params={"patience": epoch})


def losses(store: RunStore, run_id: str = "r1") -> Sequence[int]:
    """The epochs whose loss is recorded."""
    series = store.metrics(run_id, ["train_loss"], -1, 10 * MOST_ROWS).series["train_loss"]
    return series.step


def test_what_a_sick_store_did_not_take_is_written_when_it_is_well(store: SickStore) -> None:
    """The newest record, every change in order, every row."""

    async def go() -> None:
        recorder = Recorder(store)
        store.is_sick = True
        for epoch in (1, 2, 3):
            recorder.record(record(1, epochs=epoch))
            recorder.change("r1", change(epoch))
            recorder.rows("r1", rows(epoch, epoch))
            await recorder.flush()
        assert (store.changes("r1"), losses(store)) == ([], [])
        store.is_sick = False
        recorder.change("r1", change(4))
        recorder.rows("r1", rows(4, 5))
        await recorder.flush()

    asyncio.run(go())
    detail = store.detail("r1")
    assert detail is not None
    assert detail.epochs == 3
    assert [made.epoch for made in detail.changes] == [1, 2, 3, 4]
    assert losses(store) == [1, 2, 3, 4, 5]


def test_what_was_written_before_the_failure_is_not_written_twice(store: SickStore) -> None:
    """The store gives up between the first and the second of three changes."""

    async def go() -> None:
        recorder = Recorder(store)
        for epoch in (1, 2, 3):
            recorder.change("r1", change(epoch))
        store.fails_after = 1
        await recorder.flush()
        assert [made.epoch for made in store.changes("r1")] == [1]
        store.fails_after = 1_000
        await recorder.flush()

    asyncio.run(go())
    assert [made.epoch for made in store.changes("r1")] == [1, 2, 3]


def test_every_state_is_recorded_however_soon_the_next_one_came(store: SickStore) -> None:
    """With its own time; what else a record says is that of the newest."""

    async def go() -> None:
        recorder = Recorder(store)
        recorder.record(record(1, status="PAUSED", epochs=1))
        recorder.record(record(1, status="PAUSED", epochs=2))
        recorder.record(record(1, status="STARTED", epochs=3))
        recorder.record(record(1, status="COMPLETED", epochs=4))
        await recorder.flush()

    asyncio.run(go())
    detail = store.detail("r1")
    assert detail is not None
    assert [change.status for change in detail.state_changes] == ["STARTED", "PAUSED", "STARTED", "COMPLETED"]
    assert detail.epochs == 4


def test_one_run_that_cannot_be_written_does_not_hold_up_another(store: SickStore) -> None:
    """Each is tried by itself."""

    async def go() -> None:
        recorder = Recorder(store)
        recorder.record(record(1, epochs=5))
        recorder.rows("r2", rows(1, 2))
        store.is_sick = True
        await recorder.flush()

    asyncio.run(go())
    assert losses(store, "r2") == [1, 2]


def test_what_waits_for_a_sick_store_is_bounded(store: SickStore) -> None:
    """The oldest rows are given up, never the newest."""

    async def go() -> None:
        recorder = Recorder(store)
        store.is_sick = True
        recorder.record(record(1))
        parts = 5
        for part in range(parts):
            recorder.rows("r1", rows(part * MOST_ROWS // 2 + 1, (part + 1) * MOST_ROWS // 2))
            await recorder.flush()
        store.is_sick = False
        await recorder.flush()
        assert losses(store) == list(range(3 * MOST_ROWS // 2 + 1, parts * MOST_ROWS // 2 + 1))

    asyncio.run(go())


def test_a_service_that_ends_while_it_writes_loses_nothing(store: SickStore) -> None:
    """The recorder is cancelled between two runs of a slow flush; what ends the service flushes once more."""

    async def go() -> None:
        recorder = Recorder(store)
        store.is_quick.clear()
        work = asyncio.create_task(recorder.run())
        recorder.record(record(1, epochs=5))
        recorder.record(record(2, epochs=6))
        await asyncio.to_thread(store.is_written_to.wait, 30)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        store.is_quick.set()
        await recorder.flush()

    asyncio.run(go())
    assert [run.epochs for run in store.page(RunQuery(limit=2)).runs] == [6, 5]


def test_it_writes_by_itself(store: SickStore) -> None:
    """Nobody needs to wait for it."""

    async def go() -> None:
        recorder = Recorder(store)
        work = asyncio.create_task(recorder.run())
        recorder.rows("r1", rows(1, 1))
        async with asyncio.timeout(30):
            while not losses(store):
                await asyncio.sleep(0.01)
        work.cancel()

    asyncio.run(go())
