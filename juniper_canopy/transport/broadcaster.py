"""Tells all browsers what changed: at most twenty times a second, at least once."""

import asyncio
from collections import deque

from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.frames import encode_frame, encode_gap

MIN_PERIOD_S = 0.05
MAX_PERIOD_S = 1.0
"""A frame comes at least so often, so that a browser knows its connection to be good."""

QUEUE_LENGTH = 100


class Browser:
    """The frames that wait for one browser. One that reads too slowly loses them and is told of the gap."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self.gaps = 0

    def put(self, frame: bytes, gap: bytes) -> None:
        """Leave a frame; when too many wait already, leave the gap notice in place of all of them."""
        if len(self._frames) >= QUEUE_LENGTH:
            self._frames.clear()
            self.gaps += 1
            frame = gap
        self._frames.append(frame)
        self._arrived.set()

    async def get(self) -> bytes:
        """The next frame."""
        while not self._frames:
            self._arrived.clear()
            await self._arrived.wait()
        return self._frames.popleft()


class Broadcaster:
    """Owns the ticks. A tick takes the news out of the live state and gives the same bytes to every browser.

    A history is always as of a tick, so that a page knows which frames it already holds.
    """

    def __init__(self, live: LiveState) -> None:
        self.tick = 0
        self.frames_encoded = 0
        self._live = live
        self._browsers: set[Browser] = set()
        self._woken = asyncio.Event()
        self._history_wanted: list[asyncio.Future[bytes]] = []
        self._history: tuple[int, bytes] | None = None

    @property
    def browsers(self) -> int:
        """How many pages are open."""
        return len(self._browsers)

    def join(self) -> Browser:
        """A new browser. It gets every frame from now on."""
        browser = Browser()
        self._browsers.add(browser)
        return browser

    def leave(self, browser: Browser) -> None:
        """It is gone."""
        self._browsers.discard(browser)

    def wake(self) -> None:
        """There is news."""
        self._woken.set()

    async def history(self) -> bytes:
        """Everything, encoded once for all who ask at the same tick."""
        if self._live.has_news:
            wanted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._history_wanted.append(wanted)
            self.wake()
            return await wanted
        return self._encode_history()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            try:
                async with asyncio.timeout(MAX_PERIOD_S):
                    await self._woken.wait()
            except TimeoutError:
                self._history = None  # its age of data would grow old
            self._woken.clear()
            self.broadcast()
            await asyncio.sleep(MIN_PERIOD_S)

    def broadcast(self) -> None:
        """One tick."""
        delta = self._live.take()
        self.tick += 1
        if self._browsers:
            frame = encode_frame("frame", self.tick, delta, self._live)
            gap = encode_gap(self.tick, self._live)
            self.frames_encoded += 1
            for browser in self._browsers:
                browser.put(frame, gap)
        wanted, self._history_wanted = self._history_wanted, []
        if wanted:
            history = self._encode_history()
            for waiting in wanted:
                if not waiting.done():
                    waiting.set_result(history)

    def _encode_history(self) -> bytes:
        if self._history is None or self._history[0] != self.tick:
            self._history = (self.tick, encode_frame("history", self.tick, self._live.everything(), self._live))
        return self._history[1]
