"""Removes what has expired while the service runs, for a store that no other process can reach."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread

from juniper_data.catalog import Catalog
from juniper_data.errors import StoreError

SWEEP_EVERY_S = 60.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def sweeping(catalog: Catalog, every_s: float = SWEEP_EVERY_S) -> AsyncIterator[None]:
    """Sweep now and then, until the end of the `async with`."""
    task = asyncio.create_task(_sweep_for_ever(catalog, every_s), name="sweep")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _sweep_for_ever(catalog: Catalog, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            deleted = await to_thread.run_sync(catalog.delete_expired)
        except StoreError as error:
            log.error("what has expired is not removed, and will be tried again: %s", error)
        else:
            if deleted:
                log.info("removed %d expired", len(deleted))
