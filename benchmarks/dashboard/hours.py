"""Eight hours of a run in two minutes: what the dashboard's process keeps of them, while one page of two does not read.

``python -m benchmarks.dashboard.hours POINTS``: ready at once; says at the end of its input what memory it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from benchmarks.data.running import resident_mb
from benchmarks.service.aside import aside, ready_until_input_ends
from benchmarks.service.figures import Line, below
from juniper_canopy.backend.stream import read_update
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_common.wire.stream import StreamMessage

from .host import RATE

POINTS = 576_000
"""Eight hours at twenty a second."""

MAX_GROWTH_MB = 5.0

_UNITS = 100
_SOME = 4  # after this part of the points a run's history is full, and is thinned from then on


@dataclass(frozen=True)
class Hours:
    """What was measured."""

    points: int
    seconds: float
    start_mb: float
    some_mb: float  # after the first quarter
    end_mb: float

    def lines(self) -> Iterator[Line]:
        """For the table."""
        hours = self.points / RATE / 3_600
        name = f"{hours:.2g} hours at {RATE:g} points a second, one page reads, one does not: memory kept of the last ¾"
        aside = f" ({self.start_mb:.1f} MB at first, {self.some_mb:.1f} MB after ¼, {self.end_mb:.1f} MB at the end"
        yield below(name, self.end_mb - self.some_mb, MAX_GROWTH_MB, "MB", aside=f"{aside}; took {self.seconds:.0f} s)")


def measure_hours(*, quick: bool) -> Hours:
    """In a process of its own."""
    with aside("benchmarks.dashboard.hours", str(POINTS // 100 if quick else POINTS)) as process:
        return Hours(**process.ended())


async def live_through(points: int) -> Hours:
    """Tell a live state so many points, one a message, each broadcast in a frame of its own."""
    live = LiveState(time.monotonic)
    broadcaster = Broadcaster(live)
    reading, _idle = broadcaster.join(), broadcaster.join()
    began, start_mb, some_mb = time.perf_counter(), resident_mb(os.getpid()), 0.0
    for number in range(points):
        for message in messages(number, points):
            if (update := read_update(message)) is not None:
                live.apply(update)
        broadcaster.broadcast()
        await reading.get()
        if number == points // _SOME:
            some_mb = resident_mb(os.getpid())
        if number % 1_000 == 0:
            await broadcaster.history()
    return Hours(points, time.perf_counter() - began, start_mb, some_mb, resident_mb(os.getpid()))


def messages(number: int, points: int) -> Iterator[StreamMessage]:
    """Of one epoch; a unit is installed now and then."""
    every = max(points // _UNITS, 1)
    units = number // every
    at = {"timestamp": time.time(), "run_id": "eight-hours"}
    if number % every == 0 and units:
        unit = {"hidden_unit_index": units - 1, "total_hidden_units": units, "epoch": number, "correlation": 0.5}
        yield StreamMessage.model_validate({"type": "cascade_add", "seq": 2 * number, "data": unit} | at)
    yield StreamMessage.model_validate({"type": "metrics", "seq": 2 * number + 1, "data": _metrics(number, units)} | at)


def _metrics(number: int, units: int) -> dict[str, object]:
    loss = 1.0 / (1 + number)
    measures = {"train_loss": loss, "train_accuracy": 1 - loss, "val_loss": loss, "val_accuracy": 1 - loss}
    row = {"epoch": number, "hidden_units": units} | measures
    doubled = {"loss": loss, "accuracy": 1 - loss, "validation_loss": loss, "validation_accuracy": 1 - loss}
    rest = {"phase": "output", "learning_rate": 0.1, "score": None, "timestamp": float(number)}
    return row | doubled | rest | {"points": {name: [value] for name, value in row.items()}}


async def _aside(points: int) -> Hours:
    await ready_until_input_ends()
    return await live_through(points)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(asyncio.run(_aside(int(sys.argv[1]))))))
