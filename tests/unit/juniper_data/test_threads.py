"""Work in a thread of its own."""

import asyncio
import subprocess
import sys
import textwrap
import threading
from contextvars import ContextVar

import pytest

from juniper_data.threads import in_own_thread

pytestmark = pytest.mark.anyio
caller: ContextVar[str] = ContextVar("caller")


async def test_result_comes_back() -> None:
    """From another thread."""
    assert await in_own_thread(threading.current_thread) is not threading.current_thread()


async def test_error_comes_back() -> None:
    """As it was raised."""
    with pytest.raises(ZeroDivisionError):
        await in_own_thread(lambda: 1 // 0)


async def test_work_knows_whom_it_is_for() -> None:
    """So that its log lines name the request."""
    caller.set("me")
    assert await in_own_thread(caller.get) == "me"


async def test_result_for_nobody_is_dropped() -> None:
    """Whoever is cancelled does not wait for the thread, which ends by itself."""
    goes_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        goes_on.wait(60)
        ended.set()

    task = asyncio.create_task(in_own_thread(work))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await asyncio.to_thread(ended.wait, 60)


def test_process_does_not_wait_for_its_work() -> None:
    """A service that is told to stop stops."""
    code = """
        import asyncio, time
        from juniper_data.threads import in_own_thread

        async def main():
            task = asyncio.create_task(in_own_thread(lambda: time.sleep(600)))
            await asyncio.sleep(0.1)
            task.cancel()

        asyncio.run(main())
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=60, check=True)
