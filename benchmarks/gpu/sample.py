"""How often something is done in a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """How long to look.

    Args:
        seconds: of one sample, at least.
        repeats: samples, of which the median counts.
        clock: in seconds.
    """

    seconds: float
    repeats: int
    clock: Callable[[], float] = time.perf_counter

    def per_second(self, step: Callable[[], int]) -> float:
        """What a step does, which says how much that was, a second. The first step warms up, and does not count."""
        step()
        return median(self._once(step) for _ in range(self.repeats))

    def expected_s(self, per_second: float, of_a_step: float) -> float:
        """What `per_second` takes, where so much is done a second, and so much by the shortest step."""
        return (1 + self.repeats) * max(self.seconds, of_a_step / per_second)

    def _once(self, step: Callable[[], int]) -> float:
        began, done, took = self.clock(), 0, 0.0
        while took < self.seconds:
            done += step()
            took = self.clock() - began
        return done / took
