"""All runs of the service: they are made, found, taken up after a restart, and deleted here."""

import asyncio
import logging
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.runs import retention, snapshot_folder
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.state_machine import State
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_cascor.runs.surroundings import Surroundings
from juniper_cascor.snapshots import Snapshot
from juniper_common import logs
from juniper_common.atomic_file import remove_leftovers
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError
from juniper_common.wire.runs import RunChange, RunRecord

REMEMBERED = 8
"""Runs that are over and were looked at lately stay in memory; the others are read again when they are asked for."""

_MOVING = ("status", "started_at", "ended_at", "pace", "epochs", "hidden_units", "outcome", "reason")

INTERRUPTED = "the service ended while it trained"

FetchData = Callable[[str | None, str], Awaitable[object]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewRun:
    """A run that is not recorded yet, and the network or the training that it begins with, if it does."""

    record: RunRecord
    spec: NetworkSpec
    parent: Snapshot | None = None
    changes: tuple[RunChange, ...] = ()  # of what the parent was trained with


class Runs:
    """Every run, whether it waits, trains, or is over.

    Args:
        store: their records.
        queue: gives them trainers.
        around: what they share.
        fetch_data: makes sure that the data of an id and a checksum is kept. Raises NotFoundError, UnavailableError.
    """

    def __init__(self, store: RunStore, queue: RunQueue, around: Surroundings, fetch_data: FetchData) -> None:
        self.store = store
        self.queue = queue
        self._around = around
        self._fetch_data = fetch_data
        self._alive: dict[str, Session] = {}
        self._over: OrderedDict[str, Session] = OrderedDict()

    async def add(self, new: list[NewRun], *, on_add: Callable[[Session], None] = lambda _: None) -> list[Session]:
        """Record runs and let them begin, each when it is its turn; `on_add` is told of each before.

        Raises:
            StoreError, OSError: the disk does not take it; then there is none of them.
        """
        await asyncio.to_thread(self._keep, new)
        sessions = [Session(item.record, self._around, spec=item.spec, changes=item.changes) for item in new]
        for session in sessions:
            self._alive[session.run_id] = session
            on_add(session)
        for session in sessions:
            self.queue.enqueue(session)
        return sessions

    async def find(self, run_id: str, field: str = "run_id") -> Session:
        """A run, whose id the request has in this field.

        Raises:
            NotFoundError: there is none.
            ConflictError: another version has trained it, with parameters that are unknown here.
        """
        if (session := self._alive.get(run_id) or self._over.get(run_id)) is not None:
            if session.run_id in self._over:
                self._over.move_to_end(run_id)
            return session
        record = await asyncio.to_thread(self.store.get, run_id)
        if record is None:
            raise no_such_run(run_id, field)
        session = await self._recalled(record)
        self._remember(session)
        return session

    async def recover(self) -> AsyncIterator[Session]:
        """Take up what an earlier process left: yields each run as soon as it waits, or is held."""
        for folder in (self._around.datasets, self._around.snapshots):
            folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._around.datasets)
        for record in await asyncio.to_thread(self.store.fail_unreadable):
            with logs.about(record.id, record.dataset_id):
                log.error("run %s failed: %s", record.id, record.reason)
        left = await asyncio.to_thread(self.store.of_status, "STARTED", "PAUSED", "QUEUED", "RESUME_READY")
        # Those that trained go before those that waited for them.
        for record in sorted(left, key=lambda record: record.status in ("QUEUED", "RESUME_READY")):
            try:
                session = await self._recalled(record)
            except ConflictError as error:
                with logs.about(record.id, record.dataset_id):
                    log.error("%s", error)
                failed = {"status": "FAILED", "ended_at": time.time(), "reason": error.message}
                self._around.recorder.record(record.model_copy(update=failed))
                continue
            self._alive[session.run_id] = session
            session.record_history()
            if (problem := await self._missing_data(session)) is not None:
                session.hold(problem)
            elif record.status == "STARTED" and record.on_restart == "hold":
                session.hold(INTERRUPTED)
            elif record.status != "RESUME_READY":
                with session.named_in_logs():
                    log.warning("run %s goes on from epoch %d: %s", session.run_id, session.state.epoch, INTERRUPTED)
                self.queue.enqueue(session)
            yield session

    def ended(self, session: Session) -> None:
        """A run is over: the next may begin."""
        self._alive.pop(session.run_id, None)
        self._remember(session)
        self.queue.let_go(session)

    async def delete(self, run_id: str) -> Session:
        """Delete a run's record, metrics and snapshots. Raises NotFoundError, ConflictError while it is not over."""
        session = await self.find(run_id)
        await self._around.recorder.flush()
        await asyncio.to_thread(retention.delete_ended, self.store, self._around.snapshots, run_id)
        self._over.pop(run_id, None)
        return session

    def as_it_stands(self, record: RunRecord) -> RunRecord:
        """A record that was read, with what is known since: of a run that trains, or that the disk does not take."""
        session = self._alive.get(record.id) or self._over.get(record.id)
        if session is None:
            return record
        now = session.record_now()
        return record.model_copy(update={name: getattr(now, name) for name in _MOVING})

    def is_active(self, run_id: str) -> bool:
        """Whether a run waits or trains."""
        return run_id in self._alive

    def _keep(self, new: list[NewRun]) -> None:
        folder = self._around.snapshots
        try:
            for item in new:
                if item.parent is not None:
                    snapshot_folder.write_parent(folder, item.record.id, item.parent)
            self.store.add([item.record for item in new], {item.record.id: item.changes for item in new})
        except (StoreError, OSError):
            for item in new:
                # The caller hears of the first error; what a sick disk does not even delete is nobody's snapshot.
                shutil.rmtree(folder / item.record.id, ignore_errors=True)
            raise

    async def _recalled(self, record: RunRecord) -> Session:
        changes = await asyncio.to_thread(self.store.changes, record.id)
        recorded_epoch = await asyncio.to_thread(self.store.last_step, record.id)
        status = record.status if record.status not in ("STARTED", "PAUSED") else "QUEUED"
        state = State(
            status,
            is_held=record.status == "PAUSED",
            epoch=record.epochs,
            outcome=record.outcome,
            reason=INTERRUPTED if record.status == "STARTED" else record.reason,
        )
        try:
            session = Session(record, self._around, state=state, changes=changes, recorded_epoch=recorded_epoch)
        except (ParameterError, TypeError) as error:
            raise ConflictError(f"run {record.id} was made with parameters unknown here: {error}") from error
        await session.recall(self._around.snapshots)
        return session

    async def _missing_data(self, session: Session) -> str | None:
        """Fetch what the run trains on where it is not kept; why that cannot be done now, so that it must wait."""
        named: list[RunRecord | RunChange] = [session.record, *session.changes]
        for data in named:  # All of them: its newest snapshot may be of before a swap.
            if data.dataset_checksum is None:
                continue
            try:
                await self._fetch_data(data.dataset_id, data.dataset_checksum)
            except NotFoundError as error:
                with session.named_in_logs():
                    log.warning("run %s: %s", session.run_id, error.message)  # If it needs it, its trainer says so.
            except UnavailableError as error:
                return error.message
        return None

    def _remember(self, session: Session) -> None:
        self._over[session.run_id] = session
        while len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
