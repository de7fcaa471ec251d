"""The playback of a growth, as values: positions, speed, and when the next step is due.

It knows no snapshots, no event loop and no clock; `replay.py` shows what stands at the position.
"""

import math
from dataclasses import dataclass, replace

_ROUNDING = 1e-6
"""Of a step: who waits until a step is due must find it due."""


@dataclass(frozen=True)
class ReplayPlayer:
    """Where the playback stands. Every `now` is of one monotonic clock, in seconds."""

    length: int  # positions there are, 1 or more
    position: int = 0
    speed: float = 1.0  # steps a second
    is_playing: bool = False
    since: float = 0.0  # when the position was reached, as a clock of this speed tells it

    @property
    def due_at(self) -> float | None:
        """When the next step is due; None while it does not play."""
        return self.since + 1 / self.speed if self.is_playing else None

    @property
    def is_at_end(self) -> bool:
        """There is no step left."""
        return self.position == self.length - 1

    def played(self, now: float) -> "ReplayPlayer":
        """Playing, from the beginning where the end was reached."""
        if self.is_playing:
            return self
        start = 0 if self.is_at_end else self.position
        return replace(self, position=start, is_playing=True, since=now)._at_most_the_end()

    def paused(self) -> "ReplayPlayer":
        """Not playing."""
        return replace(self, is_playing=False)

    def sought(self, position: int, now: float) -> "ReplayPlayer":
        """At another position; it plays on if it played. Raises ValueError where there is no such position."""
        if not 0 <= position < self.length:
            raise ValueError(f"there are positions from 0 to {self.length - 1}")
        return replace(self, position=position, since=now)._at_most_the_end()

    def paced(self, speed: float, now: float) -> "ReplayPlayer":
        """At another speed; of the step that is waited for the same share is left."""
        waited = (now - self.since) * self.speed
        return replace(self, speed=speed, since=now - waited / speed)

    def advanced(self, now: float) -> "ReplayPlayer":
        """After the steps that are due; at the end it pauses."""
        steps = math.floor((now - self.since) * self.speed + _ROUNDING) if self.is_playing else 0
        if steps < 1:
            return self
        return replace(self, position=self.position + steps, since=self.since + steps / self.speed)._at_most_the_end()

    def without(self, position: int) -> "ReplayPlayer":
        """With this position gone; those after it move up. The last one that is left cannot go."""
        before = position < self.position
        return replace(self, length=self.length - 1, position=self.position - before)._at_most_the_end()

    def _at_most_the_end(self) -> "ReplayPlayer":
        last = self.length - 1
        return self if self.position < last else replace(self, position=last, is_playing=False)
