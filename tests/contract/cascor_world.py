"""The training service as its clients see it: the real one, or the fake; for threads, or for an event loop."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

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


@contextmanager
def awaited(make: Callable[[], AsyncJuniperCascorClient]) -> Iterator[JuniperCascorClient]:
    """The client for an event loop as if it were the one for threads: each call runs to its end."""
    with asyncio.Runner() as runner:
        client = make()
        try:
            yield cast("JuniperCascorClient", _Awaited(client, runner))
        finally:
            runner.run(client.close())


class _Awaited:
    def __init__(self, client: AsyncJuniperCascorClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        assert inspect.iscoroutinefunction(inspect.unwrap(method, stop=inspect.iscoroutinefunction))
        return lambda *args, **kwargs: self._runner.run(method(*args, **kwargs))
