"""How the dashboard's tasks end."""

import asyncio
import contextlib

import pytest

from juniper_canopy import app

pytestmark = pytest.mark.anyio


async def test_a_task_that_swallows_a_cancellation_ends_too() -> None:
    """As one did that was cancelled while the training service went: the process then never ended by itself."""

    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await app.end([task])

    assert task.cancelled()
