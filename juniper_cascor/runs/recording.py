"""Which of a run's rows are recorded, and as which metric points.

A function of the epochs alone, however the rows were cut into reports: a run that was resumed records the same points
as one that nothing interrupted.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.runs.history import ROW, Rows, rows_of
from juniper_cascor.runs.metric_points import MetricPoint
from juniper_cascor.snapshots import METRICS

NAMES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "score", "hidden_units", "learning_rate")

EVERY_EPOCH_UP_TO = 2_048


def chosen(rows: Rows, previous: Rows) -> Rows:
    """The rows of a report that are recorded: fewer the later they come, but always those on both sides of an install.

    Every epoch up to 2048, every second up to 4096, every fourth up to 8192, and so on.

    Args:
        rows: the report's rows, in the order of their epochs.
        previous: the row before them, or none; it is recorded now where it turns out to be the last before an install.
    """
    before = previous[-1:]
    both = np.concatenate([before, rows])
    keep = both["epoch"] % _strides(both["epoch"]) == 0
    keep[: len(before)] = False  # It had its turn, but for what follows.
    installs = np.flatnonzero(np.diff(both["hidden_units"]))
    keep[installs] = keep[installs + 1] = True
    kept: Rows = both[keep]
    return kept


class Curve:
    """The rows of a whole run that are recorded, and its last one: what its snapshots keep.

    Args:
        columns: what an earlier part of the run kept, as `columns` gives it.
    """

    def __init__(self, columns: Mapping[str, NDArray[np.generic]] | None = None) -> None:
        rows = rows_of(columns or {})
        self._last = rows[-1:]
        is_recorded = len(rows) > 0 and rows["epoch"][-1] in chosen(rows[-1:], rows[-2:-1])["epoch"]
        self._parts = [rows if is_recorded else rows[:-1]]

    def append(self, rows: Rows) -> None:
        """Take rows newer than those held."""
        more = chosen(rows, self._last)
        held = self._parts[-1]
        if len(more) and len(held) and more["epoch"][0] == held["epoch"][-1]:
            more = more[1:]  # The row before an install was recorded for itself already.
        if len(more):
            self._parts.append(more)
        self._last = rows[-1:]

    def after(self, epoch: int) -> Rows:
        """The rows of later epochs."""
        rows = self._whole()
        return rows[rows["epoch"] > epoch]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The rows as a snapshot's metrics."""
        rows = self._whole()
        return {name: rows[name].copy() for name in METRICS}

    def _whole(self) -> Rows:
        """All rows; what is recorded as one part from now on, so that it is not brought together each time.

        Rows are joined as bytes: NumPy would agree with itself on the fields of each part anew.
        """
        joined = np.frombuffer(b"".join(part.tobytes() for part in self._parts), ROW)
        self._parts = [joined]
        is_held = len(joined) and len(self._last) and joined["epoch"][-1] == self._last["epoch"][0]
        return joined if is_held else np.concatenate([joined, self._last])


def points(rows: Rows) -> Iterator[MetricPoint]:
    """All that the rows say, but for values that are not finite."""
    for name in NAMES:
        defined = rows[np.isfinite(rows[name])]
        columns = (defined["epoch"].tolist(), defined[name].astype(np.float64).tolist(), defined["time"].tolist())
        yield from ((name, step, value, time) for step, value, time in zip(*columns, strict=True))


def _strides(epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 up to EVERY_EPOCH_UP_TO, and twice as much for each octave above it."""
    bit_lengths = np.frexp(np.maximum(epochs - 1, 0) // EVERY_EPOCH_UP_TO)[1]
    strides: NDArray[np.int64] = np.left_shift(np.int64(1), bit_lengths.astype(np.int64))
    return strides
