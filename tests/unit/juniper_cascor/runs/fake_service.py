"""Runs, their queue and their records, wired as in the service, with trainers that the test speaks for."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.recorder import Recorder
from juniper_cascor.runs.run_queue import RunQueue
from juniper_cascor.runs.runs import NewRun, Runs
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.store import RunStore
from juniper_cascor.runs.surroundings import Surroundings
from juniper_common.wire.runs import RunRecord

from .fake_trainers import FakeProcess, FakeTrainers
from .records import record

SPEC = NetworkSpec(2, 1, Parameters())


def queued(number: int, **changes: object) -> RunRecord:
    """A run that was just posted."""
    params = network_spec.as_json(SPEC.parameters)
    return record(number, status="QUEUED", origin="fresh", params=params, backend="numba-serial", **changes)


class FakeService:
    """What a test needs of it."""

    def __init__(self, folder: Path, limit: int = 1) -> None:
        self.store = RunStore(folder / "runs.sqlite3")
        self.recorder = Recorder(self.store)
        self.trainers = FakeTrainers()
        self.begun: list[str] = []
        self.fetched: list[tuple[str | None, str]] = []
        self.data_problem: Exception | None = None
        self.queue = RunQueue(self.trainers.at, limit, on_begin=lambda session: self.begun.append(session.run_id))
        around = Surroundings(
            snapshots=folder / "snapshots",
            datasets=folder / "datasets",
            recorder=self.recorder,
            fanout=Fanout(),
            history_rows=1_000,
            deadline_s=30.0,
            checkpoint_s=30.0,
            is_in_foreground=lambda _: True,
            enqueue=self.queue.enqueue,
            let_go=lambda session: self.runs.ended(session),
        )
        self.runs = Runs(self.store, self.queue, around, self._fetch_data)

    async def add(self, *numbers: int) -> list[Session]:
        """Post runs."""
        return await self.runs.add([NewRun(queued(number), SPEC) for number in numbers])

    async def _fetch_data(self, dataset_id: str | None, checksum: str) -> None:
        self.fetched.append((dataset_id, checksum))
        if self.data_problem is not None:
            raise self.data_problem

    def told(self, process: FakeProcess) -> list[tuple[str, object]]:
        """What a trainer was told, and of which run."""
        return [(message.kind, message.fields["run_id"]) for message in process.told]


def served(folder: Path, use: Callable[[FakeService], Awaitable[None]], limit: int = 1) -> None:
    """Open the service with its first trainer warm, use it, and close it."""

    async def go() -> None:
        service = FakeService(folder, limit)
        await service.queue.warm_up()
        service.queue.open()
        service.trainers.last.say("ready")
        try:
            await use(service)
        finally:
            await service.queue.close()
            await service.recorder.flush()
            service.store.close()

    asyncio.run(go())
