"""The metric points of one run: columnar, bounded, and never out of order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from juniper_canopy.state.columns import MetricColumns

Change = Literal["nothing", "appended", "rewritten"]


@dataclass(frozen=True, slots=True)
class Installation:
    """A unit's arrival: its index, the number of units from then on, and the score that chose it."""

    index: int
    units: int
    epoch: int
    score: float | None


@dataclass
class RunHistory:
    """One run's points and installed units.

    When it is full, its older half is thinned: so the whole run stays in view within `capacity` rows, and the newest
    rows stay exact.
    """

    run_id: str | None
    capacity: int = 100_000
    installations: list[Installation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._length = 0
        self._last_seq = -1
        self._columns = MetricColumns.empty(self.capacity)

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> MetricColumns:
        """A view of all rows."""
        return self._columns.take(slice(0, self._length))

    @property
    def last_epoch(self) -> int:
        """The newest epoch, or -1."""
        return int(self._columns.epoch[self._length - 1]) if self._length else -1

    def append(self, rows: MetricColumns, seq: int) -> Change:
        """Take a message's rows.

        A message heard before is dropped by its number. One that only repeats known epochs is either older than what
        is held (it was sent before the history was fetched) and dropped, or newer: then the trainer was set back to
        an earlier point of the same run, and the rows from there on are replaced.
        """
        if seq <= self._last_seq or len(rows) == 0:
            return "nothing"
        self._last_seq = seq
        if int(rows.epoch[-1]) > self.last_epoch:
            self._extend(rows.take(rows.epoch.astype(np.int64) > self.last_epoch))
            return "appended"
        if rows.timestamp[-1] <= self._columns.timestamp[self._length - 1]:
            return "nothing"
        known = self.installations
        self._set_back(int(rows.epoch[0]))
        self._extend(rows)
        read = _read_installations(self.columns, {}, known)
        indices = {unit.index for unit in read}
        self.installations = [*(unit for unit in self.installations if unit.index not in indices), *read]
        return "rewritten"

    def replace(self, rows: MetricColumns, scores: Mapping[int, float] | None = None, units: int = 0) -> None:
        """Hold the fetched rows, and those that were heard since they were fetched.

        Args:
            rows: all epochs.
            scores: the best score of the candidate phase after so many units.
            units: how many the network has: one that was installed last may have no row yet that counts it.
        """
        fetched_to = int(rows.epoch[-1]) if len(rows) else -1
        held = self.columns
        heard_since = held.take(np.flatnonzero(held.epoch.astype(np.int64) > fetched_to))
        self._length = 0
        self._last_seq = -1  # the numbers of another server process begin anew
        self._extend(rows)
        self._extend(heard_since)
        self.installations = _read_installations(self.columns, scores or {}, self.installations, units)

    def install(self, installation: Installation) -> bool:
        """Add a unit. False when it was known already."""
        if any(known.index == installation.index for known in self.installations):
            return False
        self.installations.append(installation)
        return True

    def _set_back(self, epoch: int) -> None:
        self._length = int(np.searchsorted(self.columns.epoch, epoch))
        self.installations = [known for known in self.installations if known.epoch < epoch]

    def _extend(self, rows: MetricColumns) -> None:
        if len(rows) > self.capacity // 2:
            rows = rows.thinned(self.capacity // 2)
        if self._length + len(rows) > self.capacity:
            self._thin_older_half()
        self._columns.write(self._length, rows)
        self._length += len(rows)

    def _thin_older_half(self) -> None:
        middle = self._length // 2
        older = self.columns.take(slice(0, middle)).thinned(self.capacity // 8)
        newer = self.columns.take(np.arange(middle, self._length))  # a copy: it moves within its own array
        self._columns.write(0, older)
        self._columns.write(len(older), newer)
        self._length = len(older) + len(newer)


def _read_installations(
    rows: MetricColumns, scores: Mapping[int, float], known: list[Installation], n_units: int = 0
) -> list[Installation]:
    """A unit came after the last epoch that counts it not; a score that was heard is the unit's own."""
    heard = {installation.index: installation.score for installation in known}
    found: list[Installation] = []
    counted = rows.hidden_units.astype(np.int64)
    first = int(counted[0]) if len(rows) else 0
    units = np.append(counted, max(n_units, int(counted[-1]))) if len(rows) else counted
    for position in np.flatnonzero(np.diff(units) > 0):
        for index in range(int(units[position]), int(units[position + 1])):
            score = heard.get(index) or scores.get(index)
            found.append(Installation(index, index + 1, int(rows.epoch[position]), score))
    earlier = [installation for installation in known if installation.index < first]
    return [*earlier, *found]
