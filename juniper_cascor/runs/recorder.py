"""Writes down what becomes of runs, behind the event loop: no watcher waits for a disk.

What the disk does not take is kept and tried again; a run's record is written whole, so of those that tell of the same
state only the newest counts.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field

import numpy as np

from juniper_cascor.runs import recording
from juniper_cascor.runs.history import ROW, Rows
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_common.wire.runs import RunChange, RunRecord

PERIOD_S = 0.25
RETRY_S = 1.0
MOST_ROWS = 200_000
MOST_STATES = 1_000
"""While the disk takes nothing, so many epochs and states of a run wait; older ones are not recorded then."""

log = logging.getLogger(__name__)


@dataclass
class _Pending:
    """What is still to be written of one run."""

    records: list[tuple[float, RunRecord]] = field(default_factory=list)  # with its time; one for each state
    changes: list[RunChange] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)


class Recorder:
    """Takes what happens at once, and writes it in order, a few times a second or when somebody waits for it."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._pending: dict[str, _Pending] = {}
        self._is_wanted = asyncio.Event()
        self._write_lock = asyncio.Lock()
        self._is_failing = False

    def record(self, record: RunRecord) -> None:
        """The run stands so now."""
        records = self._of(record.id).records
        if records and _state(records[-1][1]) == _state(record):
            records[-1] = records[-1][0], record
        else:
            records.append((time.time(), record))
        del records[:-MOST_STATES]

    def change(self, run_id: str, change: RunChange) -> None:
        """Something was set while the run trained."""
        self._of(run_id).changes.append(change)

    def rows(self, run_id: str, rows: Rows) -> None:
        """Rows of the run that are to be recorded, as `recording.chosen` says."""
        pending = self._of(run_id).rows
        pending.append(rows)
        while sum(map(len, pending)) > MOST_ROWS:
            del pending[0]

    async def run(self) -> None:
        """Write for as long as the service lives."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted.clear()
            await self.flush()
            await asyncio.sleep(RETRY_S if self._is_failing else PERIOD_S)

    async def flush(self) -> None:
        """Return when all that came before is written, or the disk did not take it."""
        # Whoever leaves before, as the recorder itself when the service ends, does not take along what is in between.
        await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        async with self._write_lock:
            taken, self._pending = self._pending, {}
            for run_id, pending in taken.items():
                try:
                    await asyncio.to_thread(self._write, run_id, pending)
                except StoreError as error:
                    self._put_back(run_id, pending)
                    if not self._is_failing:
                        log.error("records are out of date until the disk takes them: %s", error)
                    self._is_failing = True
                else:
                    self._is_failing = False

    def _write(self, run_id: str, pending: _Pending) -> None:
        while pending.records:
            at, record = pending.records[0]
            self._store.update(record, at)
            del pending.records[0]
        while pending.changes:
            self._store.add_change(run_id, pending.changes[0])
            del pending.changes[0]
        if pending.rows:
            rows = np.concatenate([np.empty(0, ROW), *pending.rows])
            self._store.add_metrics(run_id, list(recording.points(rows)))

    def _put_back(self, run_id: str, pending: _Pending) -> None:
        newer = self._of(run_id)
        newer.records[:0] = pending.records
        newer.changes[:0] = pending.changes
        newer.rows[:0] = pending.rows

    def _of(self, run_id: str) -> _Pending:
        self._is_wanted.set()
        return self._pending.setdefault(run_id, _Pending())


def _state(record: RunRecord) -> tuple[str, str | None]:
    return record.status, record.reason
