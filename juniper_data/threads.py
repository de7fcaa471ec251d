"""A thread for work that a service which ends does not wait for."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


async def in_own_thread(function: Callable[[], Result]) -> Result:
    """What the function returns or raises. When the process ends before it does, it ends with the process.

    The threads of anyio and of executors are joined first: a stop would last as long as the longest work.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()
    context = contextvars.copy_context()

    def tell(set_outcome: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody is there to be told.
            loop.call_soon_threadsafe(lambda: None if future.done() else set_outcome())

    def run() -> None:
        try:
            result = context.run(function)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to whoever waits
            tell(partial(future.set_exception, error))
        else:
            tell(partial(future.set_result, result))

    threading.Thread(target=run, name="making", daemon=True).start()
    return await future
