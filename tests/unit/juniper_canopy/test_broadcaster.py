import asyncio

import pytest

from juniper_canopy.backend.updates import Alive, Connected
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import QUEUE_LENGTH, Broadcaster

pytestmark = pytest.mark.anyio


async def test_a_frame_is_encoded_once_for_all(live: LiveState, broadcaster: Broadcaster) -> None:
    """However many browsers there are, they get the very same bytes."""
    browsers = [broadcaster.join() for _ in range(10)]
    live.apply(Connected(resumed=False))
    broadcaster.broadcast()

    frames = [await browser.get() for browser in browsers]

    assert broadcaster.frames_encoded == 1
    assert all(frame is frames[0] for frame in frames)


async def test_a_slow_browser_loses_frames_and_is_told(broadcaster: Broadcaster) -> None:
    """A full queue gives way to one gap notice, and what comes after it."""
    slow = broadcaster.join()
    for _ in range(QUEUE_LENGTH + 3):
        broadcaster.broadcast()

    kept = [await slow.get() for _ in range(3)]

    assert b'"gap"' in kept[0]
    assert all(b'"frame"' in frame for frame in kept[1:])
    assert slow.gaps == 1


async def test_nothing_is_encoded_for_nobody(broadcaster: Broadcaster) -> None:
    """Without a browser a tick costs nothing."""
    browser = broadcaster.join()
    broadcaster.leave(browser)
    broadcaster.broadcast()

    assert broadcaster.frames_encoded == 0
    assert broadcaster.browsers == 0


async def test_one_history_serves_all_who_ask(live: LiveState, broadcaster: Broadcaster) -> None:
    """Requests of the same tick share the same bytes."""
    live.apply(Connected(resumed=False))
    broadcaster.broadcast()

    assert await broadcaster.history() is await broadcaster.history()


async def test_a_history_holds_no_news_that_a_frame_tells_again(live: LiveState, broadcaster: Broadcaster) -> None:
    """With news under way the history waits for the tick that tells it, and carries that tick's number."""
    ticking = asyncio.create_task(broadcaster.run())
    browser = broadcaster.join()
    live.apply(Connected(resumed=False))

    history = await broadcaster.history()
    frame = await browser.get()
    ticking.cancel()

    assert b'"tick":1' in frame
    assert b'"tick":1' in history
    assert b'"upstream":true' in history


async def test_a_frame_comes_without_news_too(broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser learns from silence alone that its connection is gone, so there is none."""
    monkeypatch.setattr("juniper_canopy.transport.broadcaster.MAX_PERIOD_S", 0.01)
    browser = broadcaster.join()
    ticking = asyncio.create_task(broadcaster.run())

    frame = await asyncio.wait_for(browser.get(), 5)
    ticking.cancel()

    assert b'"frame"' in frame


async def test_the_age_of_data_is_in_every_frame(live: LiveState, broadcaster: Broadcaster) -> None:
    """Also in one that tells nothing else."""
    browser = broadcaster.join()
    live.apply(Alive(None))
    broadcaster.broadcast()

    assert b'"age":0.0' in await browser.get()


async def test_a_cancellation_that_comes_with_news_ends_it(broadcaster: Broadcaster) -> None:
    """As when the training service ends together with the dashboard."""
    task = asyncio.create_task(broadcaster.run())
    await asyncio.sleep(0)
    broadcaster.wake()
    await asyncio.sleep(0)  # the wait is over, and the task does not know it yet
    task.cancel()
    await asyncio.wait([task], timeout=0.5)

    is_over = task.cancelled()
    task.cancel()
    assert is_over
