"""How many epochs may be trained now, so that a person can watch: the mathematics is put off, never slowed."""

import math

SLICE_S = 0.05
"""Paced work is done in slices of this length: 20 a second, as often as anything is shown."""


class Pacer:
    """Meters epochs out by the clock.

    Args:
        pace: epochs a second; None for full speed.
        now_s: the time of a monotonic clock, as in every other call.
    """

    def __init__(self, pace: float | None, now_s: float) -> None:
        self._pace = pace
        self._start_s = now_s
        self._spent = 0

    def change(self, pace: float | None, now_s: float) -> None:
        """Go on at another pace; what was saved up while paused is forgotten."""
        self._pace, self._start_s, self._spent = pace, now_s, 0

    @property
    def pace(self) -> float | None:
        """Epochs a second; None for full speed."""
        return self._pace

    def spend(self, epochs: int) -> None:
        """So many epochs were trained."""
        self._spent += epochs

    def allowance(self, now_s: float) -> int | None:
        """How many epochs may be trained now; None: as many as one likes."""
        if self._pace is None:
            return None
        due = math.floor((now_s - self._start_s + SLICE_S) * self._pace)
        # Time that passed without training (the machine slept, a chunk took long) is not caught up at full speed.
        limit = max(1, math.ceil(self._pace * 2 * SLICE_S))
        if due - self._spent > limit:
            self._spent = due - limit
        return max(0, due - self._spent)

    def wait_s(self, now_s: float) -> float:
        """How long until epochs may be trained: 0 if they may be now, else no less than a slice."""
        if self._pace is None or self.allowance(now_s) != 0:
            return 0.0
        due_s = self._start_s + (self._spent + 1) / self._pace - SLICE_S
        return max(due_s - now_s, SLICE_S)
