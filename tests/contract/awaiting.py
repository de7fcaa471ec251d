"""Clients for event loops, used as if they were those for threads."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from juniper_common.http import AsyncHttpClient, HttpClient

C = TypeVar("C", bound=HttpClient)


@contextmanager
def awaited(make: Callable[[], AsyncHttpClient], kind: type[C]) -> Iterator[C]:  # noqa: ARG001 - says the type
    """The client for an event loop as if it were the one for threads, `kind`: each call runs to its end."""
    with asyncio.Runner() as runner:
        client = make()
        try:
            yield cast("C", _Awaited(client, runner))
        finally:
            runner.run(client.close())


class _Awaited:
    def __init__(self, client: AsyncHttpClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        if inspect.isasyncgenfunction(method):
            return lambda *args, **kwargs: iter(self._runner.run(_gathered(method(*args, **kwargs))))
        assert inspect.iscoroutinefunction(inspect.unwrap(method, stop=inspect.iscoroutinefunction))
        return lambda *args, **kwargs: self._runner.run(method(*args, **kwargs))


async def _gathered(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]
