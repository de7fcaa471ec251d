"""Many pages without a browser, in a process of their own: ``python -m benchmarks.dashboard.followers ADDRESS PAGES``.

Ready once all have been open for some seconds; at the end of its input it says what they received.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass, field

import uvloop

from benchmarks.service.aside import Aside, aside, ready_until_input_ends

from .frames import read_frame
from .visiting import visiting

_OPENING_AT_ONCE = 5
_SETTLE_S = 3.0  # what opening takes is not what following takes


@dataclass
class Received:
    """What all pages together received once all were open."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)  # of each point, from its making in the trainer to its receipt
    updates: list[int] = field(default_factory=list)  # frames with points, one number for each page
    n_bytes: int = 0
    gaps: int = 0

    @property
    def least_rate(self) -> float:
        """Updates a second of the page that got fewest."""
        return min(self.updates) / self.seconds


class Followers:
    """The process, seen from the benchmark."""

    def __init__(self, process: Aside) -> None:
        self._process = process

    def received(self) -> Received:
        """Close the pages; what they received."""
        return Received(**self._process.ended())


@contextmanager
def following(address: str, pages: int) -> Iterator[Followers]:
    """So many open pages."""
    with aside("benchmarks.dashboard.followers", address, str(pages)) as process:
        yield Followers(process)


async def follow(address: str, pages: int) -> Received:
    """Follow until the input ends."""
    turns, opened, closing = asyncio.Semaphore(_OPENING_AT_ONCE), asyncio.Semaphore(0), asyncio.Event()
    received = Received(updates=[0] * pages)
    counting = asyncio.Event()

    async def visit(index: int) -> None:
        async with AsyncExitStack() as stack:
            async with turns:
                await stack.enter_async_context(visiting(address, _hearing(index, received, counting)))
            opened.release()
            await closing.wait()

    async with asyncio.TaskGroup() as group:
        for index in range(pages):
            group.create_task(visit(index))
        for _ in range(pages):
            await opened.acquire()
        await asyncio.sleep(_SETTLE_S)
        began, began_cpu = time.perf_counter(), time.process_time()
        counting.set()
        await ready_until_input_ends()
        counting.clear()
        received.seconds = time.perf_counter() - began
        received.cpu_s = time.process_time() - began_cpu
        closing.set()
    return received


def _hearing(index: int, received: Received, counting: asyncio.Event) -> Callable[[bytes], None]:
    def hear(content: bytes) -> None:
        if not counting.is_set():
            return
        now = time.time()
        frame = read_frame(content)
        received.n_bytes += len(content)
        received.gaps += frame.kind == "gap"
        received.updates[index] += bool(frame.point_times)
        received.delays_s += [now - made_at for made_at in frame.point_times]

    return hear


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(follow(sys.argv[1], int(sys.argv[2]))))))
