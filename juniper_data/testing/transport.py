"""The way to a fake service for HTTP clients, in place of the network."""

import asyncio

import httpx

from juniper_data.testing.service import FakeDataService


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Brings requests to a fake service, from threads and event loops."""

    def __init__(self, service: FakeDataService) -> None:
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for the answer in this thread."""
        request.read()
        return self._service.answer(request).result()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait for the answer on this event loop."""
        await request.aread()
        return await asyncio.wrap_future(self._service.answer(request))
