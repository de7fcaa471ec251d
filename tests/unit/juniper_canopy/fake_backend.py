"""The dashboard's real backend over the services' fakes."""

import asyncio

import httpx

from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.backend.updates import Alive, Update
from juniper_cascor.client import AsyncJuniperCascorClient
from juniper_cascor.testing import FakeCascorService, FakeCascorTrainingStream, Scenario
from juniper_cascor.testing.transport import Transport
from juniper_common.wire.training import RunParameters, StartTraining
from juniper_data.testing import AsyncFakeDataClient, FakeDataService

SPIRALS = StartTraining(params=RunParameters(seed=7, pace=50), start_fresh=True)
"""Starts the recorded run of the two spirals: 480 epochs, a hidden unit at each 75th."""

_END = "nothing more was told"


class Way(httpx.AsyncBaseTransport):
    """The way to the fake training service: it keeps what was sent, and may be held up, cut off or end in a refusal."""

    def __init__(self, service: FakeCascorService) -> None:
        self.is_cut = False
        self.refusal: tuple[int, str] | None = None
        self.refused: dict[str, tuple[int, str]] = {}
        self.sent: list[httpx.Request] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self._to_service = Transport(service)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Bring one request there."""
        self.sent.append(request)
        await self.is_open.wait()
        if self.is_cut:
            raise httpx.ConnectError("refused", request=request)
        if refusal := self.refusal or self.refused.get(request.url.path):
            status, message = refusal
            return httpx.Response(status, json={"status": "error", "error": {"code": "X", "message": message}})
        return await self._to_service.handle_async_request(request)

    def bodies(self, path: str) -> list[bytes]:
        """What was sent to a path."""
        return [request.content for request in self.sent if request.url.path == path]


class FakeBackend(ServiceBackend):
    """Nothing trains by itself: `advance` trains some epochs, tests say when."""

    def __init__(self, data_service: FakeDataService, scenario: Scenario = "empty") -> None:
        self.service = FakeCascorService(scenario)
        self.way = Way(self.service)
        news = FakeCascorTrainingStream(service=self.service)
        client = AsyncJuniperCascorClient("http://cascor.test", transport=self.way, attempts=1)
        super().__init__(client, AsyncFakeDataClient(service=data_service), news)
        self._heard = self.updates()

    def advance(self, epochs: int) -> None:
        """Let the run that trains train so many epochs."""
        self.service.advance_epoch(epochs)

    async def heard(self) -> list[Update]:
        """All that was told since this was last called; the first time, that the stream is there."""
        if not self.service.hub.connections:
            return [await anext(self._heard)]
        self.service.inject_message("heartbeat", {"epoch": 0}, _END)
        told: list[Update] = []
        while (update := await anext(self._heard)) != Alive(_END):
            told.append(update)
        return told

    async def close(self) -> None:
        """Let go of everything; the dataset service is its maker's."""
        await self._heard.aclose()
        await super().close()
