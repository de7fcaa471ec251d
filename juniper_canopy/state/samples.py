"""Figures over time: columns on one time axis, of which so many of the newest rows are kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_COLUMNS = 64
"""Of more names than these the later ones are left out: what is kept has a bound, whatever a service tells."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rising times in Unix seconds, and as many values in each column. Where nothing was measured stands NaN."""

    time: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]


class Samples:
    """A ring of rows.

    Args:
        capacity: how many rows are kept.
        period_s: how far rows lie apart. After a longer pause comes an empty row, so that no line is drawn across it.
    """

    def __init__(self, capacity: int, period_s: float) -> None:
        self._capacity = capacity
        self._longest_s = 2.5 * period_s
        self._step_s = period_s
        self._time = np.empty(capacity)
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._written = 0

    def __len__(self) -> int:
        return min(self._written, self._capacity)

    @property
    def newest(self) -> float | None:
        """The time of the newest row."""
        return float(self._time[(self._written - 1) % self._capacity]) if self._written else None

    def add(self, time: float, values: Mapping[str, float]) -> None:
        """Take a row. A clock that was set back makes all earlier rows worthless: they are forgotten."""
        newest = self.newest
        if newest is not None and time <= newest:
            self._written, newest = 0, None
        if newest is not None and time - newest > self._longest_s:
            self._write(newest + self._step_s, {})
        self._write(time, values)

    def since(self, time: float) -> Rows:
        """The rows after a time."""
        kept = np.arange(self._written - len(self), self._written) % self._capacity
        places = kept[self._time[kept] > time]
        return Rows(self._time[places], {name: column[places] for name, column in self._columns.items()})

    def _write(self, time: float, values: Mapping[str, float]) -> None:
        place = self._written % self._capacity
        for name in values.keys() - self._columns.keys():
            if len(self._columns) < MAX_COLUMNS:
                self._columns[name] = np.full(self._capacity, np.nan)
        for name, column in self._columns.items():
            column[place] = values.get(name, np.nan)
        self._time[place] = time
        self._written += 1
