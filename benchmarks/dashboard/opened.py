"""Hundreds of pages opened and closed: what of them stays in the dashboard's memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.data.running import resident_mb
from benchmarks.service.figures import Line, below

from .host import Host
from .visiting import visiting

OPENS = 240
MAX_GROWTH_MB = 5.0

_AT_ONCE = 3
_OPEN_S = 0.5
_WARM_UP = 60  # allocators take their pools with the first ones
_LET_GO_S = 15.0  # NiceGUI holds a page for three seconds after its channel was closed, and prunes every ten


@dataclass(frozen=True)
class Opened:
    """What was measured."""

    opens: int
    before_mb: float
    after_mb: float

    def lines(self) -> Iterator[Line]:
        """For the table."""
        grown_mb = self.after_mb - self.before_mb
        aside = f" (from {self.before_mb:.1f} MB to {self.after_mb:.1f} MB)"
        yield below(f"{self.opens} pages opened and closed: memory kept", grown_mb, MAX_GROWTH_MB, "MB", aside=aside)


def measure_opened(host: Host, *, quick: bool) -> Opened:
    """Some to warm up, and then as many as the budget says."""
    opens = 12 if quick else OPENS
    asyncio.run(_open(host.page, 6 if quick else _WARM_UP))
    before_mb = _rested_mb(host)
    asyncio.run(_open(host.page, opens))
    return Opened(opens, before_mb, _rested_mb(host))


async def _open(address: str, opens: int) -> None:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def visit() -> None:
        async with turns, visiting(address):
            await asyncio.sleep(_OPEN_S)

    async with asyncio.TaskGroup() as group:
        for _ in range(opens):
            group.create_task(visit())


def _rested_mb(host: Host) -> float:
    time.sleep(_LET_GO_S)
    return resident_mb(host.canopy.pid)
