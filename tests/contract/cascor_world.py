"""The training service as its clients see it: the real one, or the fake; for threads, or for an event loop."""

import time
from contextlib import suppress
from typing import Any, Protocol

from juniper_cascor.client import (
    AsyncJuniperCascorClient,
    CascorControlStream,
    CascorTrainingStream,
    JuniperCascorClient,
)
from juniper_cascor.testing import (
    AsyncFakeCascorClient,
    FakeCascorClient,
    FakeCascorControlStream,
    FakeCascorService,
    FakeCascorTrainingStream,
)
from juniper_common.http import ConflictError
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import DatasetSource, RunParameters, StartTraining

XOR = DatasetSource(generator="xor", params={"seed": 42})
_PARAMETERS: dict[str, Any] = {
    "seed": 1,
    "candidate_epochs": 60,
    "output_epochs": 40,
    "candidate_patience": 1_000,
    "output_patience": 1_000,
    "candidate_pool_size": 4,
    "max_hidden_units": 2,
}
SMALL = StartTraining(dataset=XOR, params=RunParameters(**_PARAMETERS), start_fresh=True)
"""Over in a moment, with two hidden units, in either world."""

PACED = SMALL.model_copy(update={"params": RunParameters(**_PARAMETERS, pace=20)})
"""The same, slow enough to be paused."""


class World(Protocol):
    """One service, and the ways to it."""

    def client(self) -> JuniperCascorClient:
        """A client for threads."""
        ...

    def async_client(self) -> AsyncJuniperCascorClient:
        """A client for an event loop."""
        ...

    def stream(self, run_id: str | None = None) -> CascorTrainingStream:
        """What watches."""
        ...

    def control(self) -> CascorControlStream:
        """What commands."""
        ...


class RealWorld:
    """The real service at an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def client(self) -> JuniperCascorClient:
        """A client for threads."""
        return JuniperCascorClient(self._url)

    def async_client(self) -> AsyncJuniperCascorClient:
        """A client for an event loop."""
        return AsyncJuniperCascorClient(self._url)

    def stream(self, run_id: str | None = None) -> CascorTrainingStream:
        """What watches."""
        return CascorTrainingStream(self._url, run_id=run_id)

    def control(self) -> CascorControlStream:
        """What commands."""
        return CascorControlStream(self._url)


class FakeWorld:
    """A fake service that trains while it is asked."""

    def __init__(self) -> None:
        self.service = FakeCascorService("empty", epochs_per_call=60)

    def client(self) -> JuniperCascorClient:
        """A client for threads."""
        return FakeCascorClient(service=self.service)

    def async_client(self) -> AsyncJuniperCascorClient:
        """A client for an event loop."""
        return AsyncFakeCascorClient(service=self.service)

    def stream(self, run_id: str | None = None) -> CascorTrainingStream:
        """What watches."""
        return FakeCascorTrainingStream(service=self.service, run_id=run_id)

    def control(self) -> CascorControlStream:
        """What commands."""
        return FakeCascorControlStream(service=self.service)


def at_rest(client: JuniperCascorClient) -> None:
    """Let nothing train, wait or be replayed, and no network be loaded."""
    client.wait_for_ready()
    for run in _all_runs(client):
        if run.status in ("STARTED", "PAUSED", "QUEUED", "RESUME_READY"):
            with suppress(ConflictError):  # It may end by itself just now.
                client.command_run(run.id, "stop")
    client.command("reset")


def _all_runs(client: JuniperCascorClient) -> list[RunRecord]:
    """A busy service keeps more runs waiting than one page lists."""
    runs: list[RunRecord] = []
    while page := client.runs(limit=1_000, offset=len(runs)).runs:
        runs += page
    return runs


def grown(client: JuniperCascorClient) -> str:
    """Grow a network to its end; the run's id."""
    run_id = client.start(SMALL).run_id
    assert client.wait(run_id, timeout_s=60).status == "COMPLETED"
    return run_id


def begun(client: JuniperCascorClient) -> str:
    """Start a run, and let it come to its first epochs, after which no state changes by itself; the run's id."""
    run_id = client.start(PACED).run_id
    while not client.status().monitor.current_epoch:
        time.sleep(0.01)
    return run_id
