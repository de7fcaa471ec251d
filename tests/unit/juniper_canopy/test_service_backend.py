import json
from collections.abc import Callable

import httpx
import pytest
from pydantic import JsonValue

from juniper_canopy.backend.protocol import if_there
from juniper_canopy.backend.service import RETRY_FOR_S, TIMEOUT_S, ServiceBackend
from juniper_canopy.backend.updates import Connected, Grown, Installed, Measured, Reported, Scored
from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorService, FakeCascorTrainingStream
from juniper_common.http import ConflictError, ServerError, UnreachableError
from juniper_common.wire.training import RunParameters, StartTraining
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
    started = await backend.cascor.start(StartTraining(params=RunParameters(pace=None, seed=3), start_fresh=True))
    await backend.close()

    assert started.run_id == "r"
    assert bodies == [{"params": {"pace": None, "seed": 3}, "start_fresh": True}]


def test_a_person_waits_ten_seconds_at_most() -> None:
    """For a service that takes the request and stays silent: it is asked once."""
    assert RETRY_FOR_S < TIMEOUT_S < 10


async def test_a_refusal_says_why() -> None:
    """The service's own words reach the caller."""
    backend = made(lambda _: failure(409, "a run is active"))

    with pytest.raises(ConflictError, match="a run is active"):
        await backend.cascor.command("pause")
    await backend.close()


async def test_what_is_not_there_yet_is_none() -> None:
    """Before the first run there is no network; that is no error."""
    backend = made(lambda _: failure(404, "no network is loaded"))

    assert await if_there(backend.cascor.topology()) is None
    await backend.close()


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
        await backend.cascor.command("pause")
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
    topology = await backend.cascor.topology()
    assert len(topology.hidden_units) == (await backend.cascor.status()).monitor.current_hidden_units == 3
    assert len(await backend.cascor.history(5)) == 5
    assert (await backend.cascor.command("pause")).status == "PAUSED"
    assert await backend.probes()["juniper_cascor"]() == "answers"
    await updates.aclose()
    await backend.close()
