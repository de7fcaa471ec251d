"""What the service does by itself every so often."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread

from juniper_data.errors import StoreError

log = logging.getLogger(__name__)


@asynccontextmanager
async def repeating(name: str, work: Callable[[], object], every_s: float) -> AsyncIterator[None]:
    """Do it in a thread every so often, and once more at the end of the `async with`.

    What the store cannot do is told, and tried again the next time.
    """
    task = asyncio.create_task(_repeat(name, work, every_s), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await _try(name, work)


async def _repeat(name: str, work: Callable[[], object], every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        await _try(name, work)


async def _try(name: str, work: Callable[[], object]) -> None:
    try:
        await to_thread.run_sync(work)
    except StoreError as error:
        log.error("the %s failed, and will be tried again: %s", name, error)
