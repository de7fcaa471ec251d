import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import JsonValue

from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.backend.updates import Connected, Grown, Installed, Measured, Reported, Scored
from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorService, FakeCascorTrainingStream
from juniper_common.http import ConflictError, ServerError, UnreachableError
from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.training import ChangeParameters, RunParameters, StartTraining
from juniper_data.client import AsyncJuniperDataClient

pytestmark = pytest.mark.anyio

Handler = Callable[[httpx.Request], httpx.Response]


def success(data: JsonValue) -> httpx.Response:
    """The training service's envelope."""
    return httpx.Response(
        200, json={"status": "success", "data": data, "meta": {"timestamp": "2026-01-01T00:00:00Z", "version": "1"}}
    )


def failure(status: int, message: str) -> httpx.Response:
    """Its refusal."""
    return httpx.Response(status, json={"status": "error", "error": {"code": "X", "message": message, "detail": []}})


def made(cascor: Handler, data: Handler | None = None) -> ServiceBackend:
    """A backend whose services answer as these functions do."""
    return ServiceBackend(
        AsyncJuniperCascorClient("http://cascor", transport=httpx.MockTransport(cascor), attempts=1),
        AsyncJuniperDataClient("http://data", transport=httpx.MockTransport(data or cascor), attempts=1),
        CascorTrainingStream("http://127.0.0.1:9"),
    )


async def test_a_start_sends_only_what_was_said() -> None:
    """Silence leaves the engine's defaults; a null pace means full speed and is sent."""
    bodies: list[JsonValue] = []

    def cascor(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return success({"status": "training_started", "timestamp": 1.0, "run_id": "r"})

    backend = made(cascor)
    started = await backend.start(StartTraining(params=RunParameters(pace=None, seed=3), start_fresh=True))
    await backend.close()

    assert started.run_id == "r"
    assert bodies == [{"params": {"pace": None, "seed": 3}, "start_fresh": True}]


async def test_commands_go_to_their_routes() -> None:
    """Each command is one POST."""
    paths: list[str] = []

    def cascor(request: httpx.Request) -> httpx.Response:
        paths.append(f"{request.method} {request.url.path}")
        if request.method == "PATCH":
            return success({"params": {}, "seed": 1, "pace": 5})
        return success({"status": "PAUSED", "timestamp": 1.0, "run_id": "r"})

    backend = made(cascor)
    for command in (backend.pause, backend.resume, backend.stop, backend.reset):
        assert (await command()).run_id == "r"
    await backend.set_params(ChangeParameters(pace=5))
    await backend.close()

    assert paths == [
        "POST /v1/training/pause",
        "POST /v1/training/resume",
        "POST /v1/training/stop",
        "POST /v1/training/reset",
        "PATCH /v1/training/params",
    ]


async def test_a_refusal_says_why() -> None:
    """The service's own words reach the caller."""
    backend = made(lambda _: failure(409, "a run is active"))

    with pytest.raises(ConflictError, match="a run is active"):
        await backend.pause()
    await backend.close()


async def test_what_is_not_there_yet_is_none() -> None:
    """Before the first run there is no network, no dataset and no boundary; that is no error."""
    backend = made(lambda _: failure(404, "no network is loaded"))

    assert await backend.topology() is None
    assert await backend.statistics() is None
    assert await backend.dataset() is None
    assert await backend.decision_boundary(50) is None
    await backend.close()


async def test_the_history_is_rows() -> None:
    """Rows come as models, oldest first, as many as were asked for."""
    row: dict[str, JsonValue] = {
        "epoch": 1,
        "train_loss": 0.2,
        "train_accuracy": 0.5,
        "val_loss": None,
        "val_accuracy": None,
        "loss": 0.2,
        "accuracy": 0.5,
        "validation_loss": None,
        "validation_accuracy": None,
        "hidden_units": 0,
        "phase": "output",
        "learning_rate": 0.05,
        "score": None,
        "timestamp": 1.0,
    }
    asked: list[str] = []

    def cascor(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return success([row])

    backend = made(cascor)

    assert [metric.epoch for metric in await backend.history(7)] == [1]
    assert asked == ["count=7"]
    await backend.close()


def meta(name: str, day: int) -> DatasetMeta:
    """A dataset of that day."""
    return DatasetMeta(
        dataset_id=f"{name}-1.0.0-0123456789abcdef",
        generator=name,
        generator_version="1.0.0",
        params={},
        n_samples=100,
        n_features=2,
        n_classes=2,
        n_train=80,
        n_test=20,
        class_distribution={"0": 50, "1": 50},
        created_at=datetime(2026, 1, day, tzinfo=UTC),
        checksum="",
    )


async def test_stored_datasets_come_newest_first() -> None:
    """The list names each dataset so that a person can choose."""
    kept = {entry.dataset_id: entry for entry in (meta("xor", 1), meta("two_moons", 2))}

    def data(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/datasets":
            return httpx.Response(200, json=sorted(kept))
        return httpx.Response(200, content=kept[request.url.path.rsplit("/", 1)[-1]].model_dump_json())

    backend = made(lambda _: failure(500, "not asked"), data)
    stored = await backend.stored_datasets()
    await backend.close()

    assert [dataset.label for dataset in stored] == ["two moons, 100 patterns (012345)", "xor, 100 patterns (012345)"]


async def test_probes_ask_both_services() -> None:
    """Each service's health is asked for by itself."""
    backend = made(lambda _: httpx.Response(503, json={"detail": "no"}), lambda _: httpx.Response(200, json={}))
    probes = backend.probes()

    assert await probes["juniper_data"]() == "answers"
    with pytest.raises(ServerError, match="no"):
        await probes["juniper_cascor"]()
    await backend.close()


async def test_connecting_sends_nothing() -> None:
    """A backend is made without any service being there; the first call says that there is none."""
    backend = ServiceBackend.connect("http://127.0.0.1:9", "http://127.0.0.1:9", cascor_key="k")

    with pytest.raises(UnreachableError):
        await backend.pause()
    await backend.close()


async def test_fakes_stand_in_for_the_training_service() -> None:
    """The real backend runs over fakes: what it asks, commands and hears is theirs."""
    service = FakeCascorService("two_spiral_training")
    data = AsyncJuniperDataClient("http://data", transport=httpx.MockTransport(lambda _: httpx.Response(503)))
    news = FakeCascorTrainingStream(service=service)
    backend = ServiceBackend(AsyncFakeCascorClient(service=service), data, news)
    updates = backend.updates()

    assert await anext(updates) == Connected(resumed=False)
    news.advance_epoch(40)
    heard = [await anext(updates) for _ in range(5)]
    assert [type(update) for update in heard] == [Reported, Measured, Scored, Installed, Grown]
    topology, dataset = await backend.topology(), await backend.dataset()
    assert topology is not None
    assert dataset is not None
    assert len(topology.hidden_units) == (await backend.status()).monitor.current_hidden_units == 3
    assert len(await backend.history(5)) == 5
    assert (await backend.pause()).status == "PAUSED"
    assert await backend.probes()["juniper_cascor"]() == "answers"
    await updates.aclose()  # type: ignore[attr-defined] # an async generator's
    await backend.close()
