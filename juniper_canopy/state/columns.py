"""Metric points as columns of equal length."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from juniper_common.wire.training import MetricRow, Points

MEASURES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


@dataclass(frozen=True, slots=True)
class MetricColumns:
    """Epochs in rising order. Where a value is not defined stands NaN."""

    epoch: NDArray[np.uint32]
    train_loss: NDArray[np.float32]
    val_loss: NDArray[np.float32]
    train_accuracy: NDArray[np.float32]
    val_accuracy: NDArray[np.float32]
    hidden_units: NDArray[np.uint32]
    timestamp: NDArray[np.float64]

    @classmethod
    def empty(cls, length: int = 0) -> Self:
        """Columns to be filled."""
        measures = {name: np.empty(length, np.float32) for name in MEASURES}
        return cls(
            epoch=np.empty(length, np.uint32),
            hidden_units=np.empty(length, np.uint32),
            timestamp=np.empty(length, np.float64),
            **measures,
        )

    @classmethod
    def of_points(cls, points: Points, timestamp: float) -> Self:
        """The columns of a message, all taken to be as old as the message."""
        measures = {name: _floats(getattr(points, name)) for name in MEASURES}
        return cls(
            epoch=np.array(points.epoch, np.uint32),
            hidden_units=np.array(points.hidden_units, np.uint32),
            timestamp=np.full(len(points.epoch), timestamp),
            **measures,
        )

    @classmethod
    def of_rows(cls, rows: Sequence[MetricRow]) -> Self:
        """The columns of rows."""
        measures = {name: _floats([getattr(row, name) for row in rows]) for name in MEASURES}
        return cls(
            epoch=np.array([row.epoch for row in rows], np.uint32),
            hidden_units=np.array([row.hidden_units for row in rows], np.uint32),
            timestamp=np.array([row.timestamp for row in rows], np.float64),
            **measures,
        )

    def __len__(self) -> int:
        return len(self.epoch)

    def take(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """Some of the rows."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def write(self, start: int, rows: Self) -> None:
        """Put rows in place."""
        for field in fields(self):
            getattr(self, field.name)[start : start + len(rows)] = getattr(rows, field.name)

    def thinned(self, limit: int) -> Self:
        """At most about `limit` rows that keep every peak and dip, the first row and the last."""
        return self if len(self) <= limit else self.take(_extremes(self, limit))


def _floats(values: Sequence[float | None]) -> NDArray[np.float32]:
    return np.array([np.nan if value is None else value for value in values], np.float32)


def _extremes(columns: MetricColumns, limit: int) -> NDArray[np.intp]:
    # Each bucket keeps the lowest and highest row of each measure: at most eight.
    count = len(columns)
    buckets = max(1, (limit - 2) // (2 * len(MEASURES)))
    size = -(-count // buckets)
    whole = count - count % size
    starts = np.arange(0, whole, size)[:, None]
    kept = [np.array([0, count - 1])]
    for name in MEASURES:
        values = np.nan_to_num(getattr(columns, name), nan=0.0)
        grid = values[:whole].reshape(-1, size)
        kept.append((starts + grid.argmin(axis=1, keepdims=True)).ravel())
        kept.append((starts + grid.argmax(axis=1, keepdims=True)).ravel())
        if whole < count:
            kept.append(np.array([whole + values[whole:].argmin(), whole + values[whole:].argmax()]))
    return np.unique(np.concatenate(kept))
