"""Datasets that are being made: each once, however many ask for it, and to the end, whoever leaves or kills.

A job is all that is asked of one dataset at the same time. It knows nothing of HTTP.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from juniper_common import logs
from juniper_common.wire.datasets import CreateDatasetRequest, GeneratorPreview
from juniper_data.catalog import Catalog, Order, utc_now
from juniper_data.errors import BusyError, ConstraintError, DataError, GivenUpError
from juniper_data.imports.importer import COLLECTIONS
from juniper_data.imports.parameters import CSV_IMPORT
from juniper_data.job_files import DatasetRequest, JobFiles, KeptJob
from juniper_data.stores.protocol import Stored
from juniper_data.threads import in_own_thread

MADE_AT_ONCE = 4
"""Each making holds its arrays in memory: more at once would trade the host's memory for nothing."""

READ_AT_ONCE = 2
"""A file to import is read before it is known which dataset it makes."""

MAX_REQUESTS = 100
"""Requests that wait for a dataset to be made; one more is refused."""

MAX_RESTARTS = 3
"""What outlives as many kills of the service may well be what kills it."""

REMEMBERED = 1000
REMEMBERED_FOR = timedelta(hours=1)
"""How many jobs that failed are told of, and how long."""

SHUTDOWN_S = 5.0
"""How long a service that ends waits for what it makes."""

_KILLED = "the service ended again and again while it made this dataset; ask for a smaller one"
_CHANGED = "what was asked for has changed since (the generator's version, or the file to import); post it again"

_OF_FILES = frozenset(source.name for source in (CSV_IMPORT, *COLLECTIONS))

log = logging.getLogger(__name__)

MadeNow = TypeVar("MadeNow")


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A dataset that could not be made."""

    job_id: str
    created_at: datetime
    finished_at: datetime
    error: Exception

    @property
    def generator(self) -> str:
        """What should have made it."""
        return _generator(self.job_id)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """One request in a job's line."""

    request: DatasetRequest
    order: Order | None
    """None: it must be ordered again, since the process that took the request is gone."""
    outcome: "asyncio.Future[Stored]"

    def tell(self, outcome: Stored | Exception) -> None:
        """What came of it."""
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class Job:
    """A dataset that is being made, and the line of those who want it: the first makes it, the others find it."""

    def __init__(self, job_id: str, created_at: datetime, restarts: int | None = None) -> None:
        self.job_id = job_id
        self.created_at = created_at
        self.restarts = restarts or 0
        self.line: list[_Place] = []
        # All that were in line since the last time that nobody was.
        self.seen: list[DatasetRequest] = []
        # Taken up from a process before this one.
        self.is_kept = self.is_restart = restarts is not None
        # Held by who writes or removes the job's file.
        self.lock = asyncio.Lock()

    @property
    def generator(self) -> str:
        """What makes it."""
        return _generator(self.job_id)

    def join(self, request: DatasetRequest, order: Order | None) -> _Place:
        """A new place at the end of the line."""
        place = _Place(request, order, asyncio.get_running_loop().create_future())
        # Looked at, so that asyncio does not complain of a failure whose caller has left.
        place.outcome.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.line.append(place)
        self.seen.append(request)
        return place

    def place(self, request: DatasetRequest) -> _Place | None:
        """The place of who asked for the very same."""
        return next((place for place in self.line if place.request == request), None)

    def kept(self) -> KeptJob:
        """What the disk must know of it."""
        requests = tuple(place.request for place in self.line)
        return KeptJob(job_id=self.job_id, created_at=self.created_at, restarts=self.restarts, requests=requests)


class Jobs:
    """The jobs of one service.

    Args:
        catalog: makes the datasets.
        files: keeps what a kill must not lose.
        clock: the time of day, with its zone.
    """

    def __init__(self, catalog: Catalog, files: JobFiles, clock: Callable[[], datetime] = utc_now) -> None:
        self._catalog = catalog
        self._files = files
        self._clock = clock
        self._limiter = CapacityLimiter(MADE_AT_ONCE)
        self._reading = CapacityLimiter(READ_AT_ONCE)
        self._running: dict[str, Job] = {}
        self._failed: OrderedDict[str, FailedJob] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._n_unkept = 0

    async def create(self, request: CreateDatasetRequest, key: str | None, patience_s: float) -> Stored | Job:
        """The dataset that a request asks for: there already, made now, or being made. See `fulfil`.

        Args:
            request: as it came.
            key: an idempotency key; see `Catalog.order`.
            patience_s: how long to wait.
        """
        order, found = await self._ordered(request, key)
        return found or await self.fulfil(order, request, patience_s)

    async def fulfil(self, order: Order, request: DatasetRequest, patience_s: float) -> Stored | Job:
        """The dataset of an order, or the job that makes it if that takes longer than the caller's patience.

        A job that was returned is made whatever happens to this process. The caller's leaving ends nothing. The file
        of an upload is the job's from now on, and removed at the end.

        Args:
            order: what is to be made.
            request: what was ordered; a kept job orders it again.
            patience_s: how long to wait for the dataset. One that is not to be stored is waited for whatever it takes.

        Raises:
            BusyError: too many wait already.
            DataError, OSError: it cannot be made.
        """
        if not order.notes.persist:
            return await self._make_unkept(lambda: self._catalog.make(order))
        request = _seeded(request, order)
        job = self._running.get(order.dataset_id)
        shared = job.place(request) if job else None
        if shared is None:
            self._refuse_if_busy()
        job = job or self._begin(Job(order.dataset_id, self._clock()))
        place = shared or job.join(request, order)
        await asyncio.wait({place.outcome}, timeout=patience_s)
        if not place.outcome.done() and await self._keep(job) and not place.outcome.done():
            return job
        stored = await asyncio.shield(place.outcome)
        return replace(stored, created=False) if shared else stored

    async def preview(self, request: CreateDatasetRequest, n: int) -> GeneratorPreview:
        """What a request would make, and `n` samples of it; waited for whatever it takes, as one of many that wait.

        Raises:
            BusyError: too many wait already.
            DataError, OSError: it cannot be made.
        """
        order, _ = await self._ordered(request.model_copy(update={"persist": False}), None)
        return await self._make_unkept(lambda: self._catalog.preview_order(order, n))

    def running(self, job_id: str) -> Job | None:
        """The job of this id while it runs."""
        return self._running.get(job_id)

    def failed(self, job_id: str) -> FailedJob | None:
        """The job of this id if it failed within the last hour."""
        job = self._failed.get(job_id)
        return job if job and self._clock() - job.finished_at < REMEMBERED_FOR else None

    async def take_up(self) -> None:
        """Go on with what a process before this one left undone. To be awaited before any request is served."""
        for kept in await to_thread.run_sync(self._files.left):
            if kept.restarts >= MAX_RESTARTS:
                log.error("%s is given up: %s", kept.job_id, _KILLED)
                await to_thread.run_sync(self._files.forget, kept.job_id, kept.requests)
                self._note_failure(kept.job_id, kept.created_at, GivenUpError(_KILLED))
                continue
            log.info("taking up the making of %s again", kept.job_id)
            job = Job(kept.job_id, kept.created_at, kept.restarts)
            for request in kept.requests:
                job.join(request, None)
            self._begin(job)

    async def close(self, patience_s: float = SHUTDOWN_S) -> None:
        """Wait a little for what is being made; what is kept and not done by then, the next start takes up."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        for task in self._tasks:
            task.cancel()
        for job in list(self._running.values()):
            log.info("%s is not made yet: %s", job.job_id, "the next start goes on" if job.is_kept else "given up")
            # It did not end the service: this start and those before do not count against it.
            job.restarts = 0
            if job.is_kept:
                await self._keep(job)

    async def _ordered(self, request: CreateDatasetRequest, key: str | None) -> tuple[Order, Stored | None]:
        if request.generator not in _OF_FILES:
            return await to_thread.run_sync(self._look, request, key)
        # In no thread that all calls share: a long file would keep them waiting, and the end of the service too.
        self._refuse_if_busy()
        async with self._reading:
            return await in_own_thread(lambda: self._look(request, key))

    def _refuse_if_busy(self) -> None:
        n_ordering = self._reading.statistics().tasks_waiting
        if n_ordering + self._n_unkept + sum(len(job.line) for job in self._running.values()) >= MAX_REQUESTS:
            raise BusyError(f"{MAX_REQUESTS} requests wait for datasets to be made; ask again later")

    def _begin(self, job: Job) -> Job:
        self._running[job.job_id] = job
        task = asyncio.create_task(self._work(job), name=f"making {job.job_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    async def _make_unkept(self, make: Callable[[], MadeNow]) -> MadeNow:
        self._refuse_if_busy()
        self._n_unkept += 1
        try:
            async with self._limiter:
                return await in_own_thread(make)
        finally:
            self._n_unkept -= 1

    async def _work(self, job: Job) -> None:
        """Serve a job's line to its end. When it is cancelled, the process ends: what is kept stays so."""
        logs.dataset_id.set(job.job_id)  # In the context of this task alone.
        outcomes: list[Stored | Exception] = []
        while job.line:
            outcome = await self._outcome(job, job.line[0])
            told = _told(job.line, outcome)
            job.line = [place for place in job.line if place not in told]
            if not job.line:
                # Before they are told: whoever looks then finds nothing left of it.
                await self._forget(job)
            for place in told:
                place.tell(outcome)
            outcomes.append(outcome)
        # No await from the last look at the line on: nobody can have joined.
        del self._running[job.job_id]
        self._failed.pop(job.job_id, None)
        failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if len(failures) == len(outcomes):
            self._note_failure(job.job_id, job.created_at, failures[-1])

    async def _outcome(self, job: Job, place: _Place) -> Stored | Exception:
        try:
            async with self._limiter:
                await self._count_restart(job)
                return await in_own_thread(lambda: self._made(job.job_id, place))
        except Exception as error:
            if job.is_kept:
                # Nobody may be there to be told.
                log.warning("%s is not made: %s", job.job_id, error, exc_info=not isinstance(error, DataError))
            return error

    async def _count_restart(self, job: Job) -> None:
        """Before it is tried, so that what kills the service does not do so for ever; not of one that only waits."""
        if job.is_restart:
            job.is_restart = False
            job.restarts += 1
            await self._keep(job)

    def _look(self, request: CreateDatasetRequest, key: str | None) -> tuple[Order, Stored | None]:
        order = self._catalog.order(request, key)
        return order, self._catalog.find_made(order)

    def _made(self, job_id: str, place: _Place) -> Stored:
        order = place.order or self._order_again(place.request)
        if order.dataset_id != job_id:
            raise GivenUpError(_CHANGED)
        return self._catalog.find_made(order) or self._catalog.make(order)

    def _order_again(self, request: DatasetRequest) -> Order:
        if isinstance(request, CreateDatasetRequest):
            return self._catalog.order(request)
        return self._catalog.upload_order(request.query, self._files.upload(request), request.sha256)

    async def _keep(self, job: Job) -> bool:
        """Whether the job is on the disk and still runs."""
        async with job.lock:
            if not job.line:
                return False
            try:
                await to_thread.run_sync(self._files.keep, job.kept())
            except OSError as error:
                log.warning("%s is waited for, since its job cannot be kept: %s", job.job_id, error)
                return False
            job.is_kept = True
            return True

    async def _forget(self, job: Job) -> None:
        async with job.lock:
            # Whoever came while the lock was waited for still needs what was kept for it.
            waiting = [place.request for place in job.line]
            done, job.seen = [request for request in job.seen if request not in waiting], waiting
            if not job.is_kept and all(isinstance(request, CreateDatasetRequest) for request in done):
                return
            try:
                await to_thread.run_sync(self._files.forget, job.job_id, done)
            except OSError as error:
                log.error("what was kept for %s cannot be removed: %s", job.job_id, error)
            job.is_kept = False

    def _note_failure(self, job_id: str, created_at: datetime, error: Exception) -> None:
        self._failed.pop(job_id, None)
        self._failed[job_id] = FailedJob(job_id, created_at, self._clock(), error)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)


def _seeded(request: DatasetRequest, order: Order) -> DatasetRequest:
    """The request with the seed that was drawn for it: ordered again it is the same dataset."""
    if isinstance(request, CreateDatasetRequest):
        return request.model_copy(update={"params": request.params | {"seed": order.params["seed"]}})
    return request


def _told(line: Sequence[_Place], outcome: Stored | Exception) -> Sequence[_Place]:
    """Whom the outcome of the first in line is for: a failure for all, but for what he alone demands of the data."""
    is_for_all = isinstance(outcome, Exception) and not isinstance(outcome, ConstraintError | GivenUpError)
    return list(line) if is_for_all else line[:1]


def _generator(dataset_id: str) -> str:
    return dataset_id.partition("-")[0]
