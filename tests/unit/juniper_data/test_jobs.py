"""Datasets that are being made, whoever waits, leaves or kills."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path

import pytest
from anyio import to_thread

from juniper_common.wire.datasets import CreateDatasetRequest, UploadQuery
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.profiles import Constraints
from juniper_data.catalog import Catalog
from juniper_data.errors import BusyError, ConstraintError, GivenUpError, InvalidParametersError
from juniper_data.imports.importer import Importer
from juniper_data.job_files import JobFiles, KeptJob, UploadRequest
from juniper_data.jobs import MADE_AT_ONCE, MAX_REQUESTS, MAX_RESTARTS, READ_AT_ONCE, REMEMBERED_FOR, Job, Jobs
from juniper_data.making import Made
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Stored
from tests.unit.juniper_data.gated_generator import Gate
from tests.unit.juniper_data.stores.made import NOON

pytestmark = pytest.mark.anyio


@dataclass
class World:
    """What outlives a process: the store, the files; and the clock."""

    root: Path
    store: MemoryStore
    now: datetime = NOON

    @property
    def kept(self) -> list[str]:
        """The jobs that a kill would not lose."""
        return sorted(path.stem for path in (self.root / "jobs").glob("*"))

    @property
    def uploads(self) -> list[str]:
        """The files that were sent."""
        return sorted(path.name for path in (self.root / "uploads").glob("*"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Nothing yet, at noon."""
    return World(tmp_path, MemoryStore())


class HeldImporter(Importer):
    """Reads nothing, once it may."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(Path(), 60)
        self._gate = gate

    def open(self, file_path: str) -> BufferedReader:  # noqa: ARG002 - an Importer's signature
        """Wait for the gate."""
        self._gate.opens.wait(60)
        raise GivenUpError("read")


class Process:
    """The jobs of one process."""

    def __init__(self, world: World, gate: Gate, importer: Importer | None = None) -> None:
        generators = {"gated": gate.generator()}
        self.gate = gate
        self.catalog = Catalog(world.store, importer, generators=generators, clock=lambda: world.now)
        self.files = JobFiles(world.root)
        self.jobs = Jobs(self.catalog, self.files, lambda: world.now)

    async def ask(self, patience_s: float = 60, seed: int | None = 1, **notes: object) -> Stored | Job:
        """Ask for a dataset."""
        request = CreateDatasetRequest.model_validate({"generator": "gated", "params": {"seed": seed}, **notes})
        return await self.jobs.create(request, None, patience_s)

    async def job(self, seed: int | None = 1, **notes: object) -> Job:
        """Ask for a dataset that takes longer than one waits."""
        job = await self.ask(0, seed, **notes)
        assert isinstance(job, Job)
        return job

    def id_of(self, seed: int) -> str:
        """The id of a dataset."""
        return self.catalog.order(_request(seed)).dataset_id

    async def running(self, job_id: str) -> Job:
        """The job, once it runs."""
        while (job := self.jobs.running(job_id)) is None:
            await asyncio.sleep(0.01)
        return job

    async def ended(self, job: Job) -> None:
        """Return when the job has ended."""
        while self.jobs.running(job.job_id):
            await asyncio.sleep(0.01)


@pytest.fixture
def process(world: World, gate: Gate) -> Process:
    """A process that makes what the gate lets it make."""
    return Process(world, gate)


@pytest.fixture
def next_process(world: World) -> Process:
    """The process after it, which makes at once."""
    gate = Gate()
    gate.opens.set()
    return Process(world, gate)


async def _line(process: Process, *asked: Coroutine[None, None, Stored | Job]) -> list[asyncio.Task[Stored | Job]]:
    """Have one after the other ask for the same dataset; return when all stand in line."""
    tasks = []
    for number, each in enumerate(asked, 1):
        tasks.append(asyncio.create_task(each))
        await asyncio.to_thread(process.gate.began.wait, 60)
        job = process.jobs.running(process.id_of(1))
        assert job is not None
        while len(job.line) < number:
            await asyncio.sleep(0.01)
    return tasks


async def test_same_requests_at_once_make_one_dataset(process: Process) -> None:
    """The first makes it, the others get it."""
    (first,) = await _line(process, process.ask())
    job = await process.job()
    second = asyncio.create_task(process.ask())
    process.gate.opens.set()
    outcomes = await asyncio.gather(first, second)
    assert [outcome.created for outcome in outcomes if isinstance(outcome, Stored)] == [True, False]
    await process.ended(job)
    assert process.gate.makings == {1: 1}


async def test_same_request_has_the_same_place_in_line(process: Process) -> None:
    """A crowd that asks for the same is not too many."""
    job = await process.job()
    assert await process.job() is job
    assert len(job.line) == 1


async def test_same_dataset_with_a_name_of_its_own_is_made_once(process: Process, world: World) -> None:
    """Who joins gets its name too."""
    tasks = await _line(process, process.ask(), process.ask(name="other"))
    process.gate.opens.set()
    await asyncio.gather(*tasks)
    assert process.gate.makings == {1: 1}
    assert [meta.dataset_name for meta in world.store.versions("other")] == ["other"]


async def test_what_takes_long_is_a_job_that_a_kill_does_not_lose(process: Process, world: World) -> None:
    """It is on the disk until the dataset is there."""
    job = await process.job()
    assert process.jobs.running(job.job_id) is job
    assert world.kept == [job.job_id]
    process.gate.opens.set()
    await process.ended(job)
    assert (world.kept, world.store.ids(9, 0)) == ([], [job.job_id])


async def test_what_does_not_take_long_leaves_no_trace(process: Process, world: World) -> None:
    """Nothing is written down that nobody was promised."""
    process.gate.opens.set()
    assert isinstance(await process.ask(), Stored)
    assert world.kept == []


async def test_dataset_is_made_though_its_caller_leaves(process: Process, world: World) -> None:
    """The work is done already; who comes again finds it."""
    (task,) = await _line(process, process.ask())
    task.cancel()
    await asyncio.wait({task})
    process.gate.opens.set()
    while not world.store.ids(9, 0):
        await asyncio.sleep(0.01)


async def test_failure_is_told_to_all_who_wait(process: Process) -> None:
    """Nobody tries again what cannot be made; the job tells why."""
    process.gate.failure = InvalidParametersError((FieldProblem(loc=["params"], msg="no"),))
    tasks = await _line(process, process.ask(), process.ask(name="other"))
    process.gate.opens.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes == [process.gate.failure] * 2
    assert process.gate.makings == {1: 1}


async def test_what_one_demands_of_the_data_does_not_fail_another(process: Process) -> None:
    """The next in line makes it."""
    tasks = await _line(process, process.ask(constraints=Constraints(min_samples=1000)), process.ask())
    process.gate.opens.set()
    refused, stored = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(refused, ConstraintError)
    assert isinstance(stored, Stored)


async def test_failed_job_is_told_of_for_an_hour(process: Process, world: World) -> None:
    """What it failed with, and when."""
    process.gate.failure = InvalidParametersError((FieldProblem(loc=["params"], msg="no"),))
    job = await process.job()
    process.gate.opens.set()
    await process.ended(job)
    failed = process.jobs.failed(job.job_id)
    assert failed is not None
    assert (failed.error, failed.finished_at, world.kept) == (process.gate.failure, NOON, [])
    world.now += REMEMBERED_FOR - timedelta(seconds=1)
    assert process.jobs.failed(job.job_id)
    world.now += timedelta(seconds=1)
    assert process.jobs.failed(job.job_id) is None


async def test_dataset_that_is_made_at_last_has_no_failed_job(process: Process) -> None:
    """What was is not told any more."""
    process.gate.opens.set()
    process.gate.failure = InvalidParametersError(())
    with pytest.raises(InvalidParametersError):
        await process.ask()
    process.gate.failure = None
    stored = await process.ask()
    assert isinstance(stored, Stored)
    assert process.jobs.failed(stored.meta.dataset_id) is None


async def test_what_is_not_to_be_kept_is_waited_for(process: Process, world: World) -> None:
    """There is nowhere to ask for it later; and each gets its own."""
    tasks = [asyncio.create_task(process.ask(0, persist=False)) for _ in range(2)]
    await asyncio.to_thread(process.gate.began.wait, 60)
    process.gate.opens.set()
    outcomes = await asyncio.gather(*tasks)
    assert [isinstance(outcome, Stored) and outcome.created for outcome in outcomes] == [True, True]
    assert (process.gate.makings[1], world.store.ids(9, 0), world.kept) == (2, [], [])


async def test_too_many_who_wait_are_refused(process: Process) -> None:
    """But not who asks for what is made already."""
    tasks = [asyncio.create_task(process.ask(60, seed)) for seed in range(MAX_REQUESTS)]
    await asyncio.to_thread(process.gate.began.wait, 60)
    while not all(process.jobs.running(process.id_of(seed)) for seed in range(MAX_REQUESTS)):
        await asyncio.sleep(0.01)
    for persist in (True, False):
        with pytest.raises(BusyError):
            await process.ask(60, MAX_REQUESTS, persist=persist)
    tasks.append(asyncio.create_task(process.ask(60, 7)))
    await asyncio.sleep(0)
    process.gate.opens.set()
    assert all(isinstance(outcome, Stored) for outcome in await asyncio.gather(*tasks))


async def test_files_that_are_read_keep_nobody_waiting(world: World, gate: Gate) -> None:
    """However long they are and however many wait for them; too many are refused."""
    process = Process(world, gate, HeldImporter(gate))
    n = READ_AT_ONCE + MAX_REQUESTS
    tasks = [asyncio.create_task(process.jobs.create(_import(each), None, 60)) for each in range(n)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        await to_thread.run_sync(process.catalog.check)
    with pytest.raises(BusyError):
        await process.jobs.create(_import(n), None, 60)
    gate.opens.set()
    assert {str(outcome) for outcome in await asyncio.gather(*tasks, return_exceptions=True)} == {"read"}


def _sent(path: Path) -> UploadRequest:
    path.write_text("content")
    return UploadRequest(file=path.name, sha256="0" * 64, query=UploadQuery.model_validate({}))


def _import(number: int) -> CreateDatasetRequest:
    return CreateDatasetRequest(generator="csv_import", params={"file_path": f"{number}.csv"})


def _request(seed: int) -> CreateDatasetRequest:
    return CreateDatasetRequest(generator="gated", params={"seed": seed})


async def test_caller_waits_where_its_job_cannot_be_kept(
    process: Process, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """No promise is made that a kill would break."""
    (world.root / "jobs").touch()
    task = asyncio.create_task(process.ask(0))
    while "cannot be kept" not in caplog.text:
        await asyncio.sleep(0.01)
    process.gate.opens.set()
    assert isinstance(await task, Stored)


async def test_upload_that_comes_while_a_job_is_forgotten_keeps_its_file(process: Process, gate: Gate) -> None:
    """It joins after the last one in line was served, and is served after what that one left was removed."""
    order = process.catalog.order(_request(1))
    paths = [process.files.new_upload() for _ in range(2)]
    first, second = (_sent(path) for path in paths)

    def failing() -> AbstractContextManager[Made]:
        gate.opens.wait()
        raise GivenUpError("not this one")

    def reading() -> AbstractContextManager[Made]:
        raise GivenUpError(paths[1].read_text())

    earlier = asyncio.create_task(process.jobs.fulfil(replace(order, make=failing), first, 60))
    job = await process.running(order.dataset_id)
    async with job.lock:
        gate.opens.set()
        while job.line:
            await asyncio.sleep(0.01)
        later = asyncio.create_task(process.jobs.fulfil(replace(order, make=reading), second, 60))
        while not job.line:
            await asyncio.sleep(0.01)
    with pytest.raises(GivenUpError, match="not this one"):
        await earlier
    with pytest.raises(GivenUpError, match="content"):
        await later
    assert not any(path.exists() for path in paths)


async def test_next_process_goes_on_with_a_job(process: Process, next_process: Process, world: World) -> None:
    """By itself: the same dataset, even one whose seed was drawn."""
    job = await process.job(seed=None, name="mine", tags=["t"])
    await next_process.jobs.take_up()
    taken_up = next_process.jobs.running(job.job_id)
    assert taken_up is not None
    assert taken_up.created_at == job.created_at
    await next_process.ended(taken_up)
    meta = world.store.meta(job.job_id)
    assert (meta.dataset_name, meta.tags, world.kept) == ("mine", ("t",), [])


async def test_next_process_serves_all_who_were_promised(process: Process, next_process: Process, world: World) -> None:
    """Who joined a job is not forgotten."""
    job = await process.job(name="one")
    await process.job(name="two")
    await next_process.jobs.take_up()
    await next_process.ended(job)
    assert [len(world.store.versions(name)) for name in ("one", "two")] == [1, 1]


async def test_next_process_tells_of_a_job_that_fails(process: Process, next_process: Process, world: World) -> None:
    """It does not try again at each start."""
    job = await process.job()
    next_process.gate.failure = InvalidParametersError(())
    await next_process.jobs.take_up()
    await next_process.ended(job)
    failed = next_process.jobs.failed(job.job_id)
    assert failed is not None
    assert (failed.error, world.kept) == (next_process.gate.failure, [])


async def test_next_process_removes_uploads_without_a_job(next_process: Process, world: World) -> None:
    """Whoever sent them was never answered."""
    next_process.files.new_upload().write_bytes(b"half of")
    await next_process.jobs.take_up()
    assert world.uploads == []


async def test_job_that_ends_the_service_again_and_again_is_given_up(
    next_process: Process, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be down for ever; the job tells so, and the log to whom does not ask before the next start."""
    job_id = next_process.id_of(1)
    next_process.files.keep(KeptJob(job_id=job_id, created_at=NOON, restarts=MAX_RESTARTS, requests=(_request(1),)))
    await next_process.jobs.take_up()
    failed = next_process.jobs.failed(job_id)
    assert failed is not None
    assert isinstance(failed.error, GivenUpError)
    assert (next_process.gate.makings, world.kept) == ({}, [])
    assert f"{job_id} is given up" in caplog.text


async def test_restarts_are_counted_before_the_job_is_tried(process: Process, gate: Gate, world: World) -> None:
    """Else what kills the service at once would never be given up."""
    job = await process.job()
    process.files.keep(KeptJob(job_id=job.job_id, created_at=NOON, restarts=1, requests=(_request(1),)))
    await Process(world, gate).jobs.take_up()
    await asyncio.to_thread(_begun, gate, 2)
    (kept,) = process.files.left()
    assert kept.restarts == 2


async def test_restarts_are_not_counted_of_what_only_waits(process: Process, world: World) -> None:
    """It cannot be what kills the service, and must not be given up with that."""
    jobs = [await process.job(seed) for seed in range(MADE_AT_ONCE + 2)]
    gate = Gate()
    await Process(world, gate).jobs.take_up()
    await asyncio.to_thread(_begun, gate, MADE_AT_ONCE)
    assert Counter(kept.restarts for kept in process.files.left()) == {1: MADE_AT_ONCE, 0: len(jobs) - MADE_AT_ONCE}
    process.gate.opens.set()
    gate.opens.set()


def _begun(gate: Gate, number: int) -> None:
    deadline = time.monotonic() + 60
    while gate.makings.total() < number and time.monotonic() < deadline:
        time.sleep(0.01)


async def test_job_of_another_version_is_given_up(next_process: Process) -> None:
    """What is made now is not what was asked for."""
    job_id = "gated-0.9.0-0123456789abcdef"
    next_process.files.keep(KeptJob(job_id=job_id, created_at=NOON, requests=(_request(1),)))
    await next_process.jobs.take_up()
    await next_process.ended(Job(job_id, NOON))
    failed = next_process.jobs.failed(job_id)
    assert failed is not None
    assert isinstance(failed.error, GivenUpError)


async def test_end_in_order_waits_a_little(process: Process, world: World) -> None:
    """What is nearly done is done."""
    await process.job()
    closing = asyncio.create_task(process.jobs.close())
    process.gate.opens.set()
    await closing
    assert (len(world.store.ids(9, 0)), world.kept) == (1, [])


async def test_end_in_order_leaves_the_rest_to_the_next_process(
    process: Process, next_process: Process, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """And that is no reason to give it up."""
    caplog.set_level(logging.INFO)
    job = await process.job()
    process.files.keep(KeptJob(job_id=job.job_id, created_at=NOON, restarts=MAX_RESTARTS, requests=(_request(1),)))
    await process.jobs.close(patience_s=0.01)
    assert "the next start goes on" in caplog.text
    await next_process.jobs.take_up()
    await next_process.ended(job)
    assert world.store.ids(9, 0) == [job.job_id]
