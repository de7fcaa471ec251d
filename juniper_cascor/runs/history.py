"""The metric points of a run, one row an epoch, in columns that grow up to a bound."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.snapshots import METRICS
from juniper_common.wire.training import MetricRow, MetricsMessage, Points

POINTS_PER_MESSAGE = 500

ROW = np.dtype(list(METRICS.items()))
Rows = NDArray[np.void]


class History:
    """Rows in the order of their epochs; the oldest go when there are more than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: Rows = np.empty(1024, ROW)
        self._start = 0
        self._stop = 0

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """The history that these rows are."""
        history = cls(max(1, len(rows)))
        history.append(rows)
        return history

    def __len__(self) -> int:
        """How many rows are held."""
        return self._stop - self._start

    def append(self, rows: Rows) -> None:
        """Take rows newer than those held."""
        if self._stop + len(rows) > len(self._rows):
            kept = self.newest(self._limit)
            self._rows = np.empty(max(2 * len(kept), 1024) + len(rows), ROW)
            self._rows[: len(kept)] = kept
            self._start, self._stop = 0, len(kept)
        self._rows[self._stop : self._stop + len(rows)] = rows
        self._stop += len(rows)
        self._start = max(self._start, self._stop - self._limit)

    def newest(self, count: int) -> Rows:
        """The last `count` rows, oldest first."""
        return self._rows[max(self._start, self._stop - count) : self._stop]


def rows_of(columns: Mapping[str, NDArray[np.generic]]) -> Rows:
    """A snapshot's metrics as rows, none where it counts no epochs; a column that it lacks is NaN, a count 0."""
    rows = np.zeros(len(columns.get("epoch", ())), ROW)
    for name, dtype in METRICS.items():
        rows[name] = columns.get(name, np.nan if np.dtype(dtype).kind == "f" else 0)
    return rows


def metric_row(row: Any) -> MetricRow:
    """One row as it goes over the wire."""
    return MetricRow.model_construct(**_row_fields(row))


def _row_fields(row: Any) -> dict[str, Any]:
    loss, accuracy = _value(row["train_loss"]), _value(row["train_accuracy"])
    val_loss, val_accuracy = _value(row["val_loss"]), _value(row["val_accuracy"])
    return {
        "epoch": int(row["epoch"]),
        "train_loss": loss,
        "train_accuracy": accuracy,
        "val_loss": val_loss,
        "val_accuracy": val_accuracy,
        "loss": loss,
        "accuracy": accuracy,
        "validation_loss": val_loss,
        "validation_accuracy": val_accuracy,
        "hidden_units": int(row["hidden_units"]),
        "phase": "candidate" if row["phase"] else "output",
        "learning_rate": float(row["learning_rate"]),
        "score": _value(row["score"]),
        "timestamp": float(row["time"]),
    }


def points(rows: Rows) -> Points:
    """Rows as columns over the wire."""
    return Points.model_construct(
        epoch=rows["epoch"].tolist(),
        train_loss=_values(rows["train_loss"]),
        train_accuracy=_values(rows["train_accuracy"]),
        val_loss=_values(rows["val_loss"]),
        val_accuracy=_values(rows["val_accuracy"]),
        hidden_units=rows["hidden_units"].tolist(),
    )


def metrics_message(rows: Rows) -> MetricsMessage:
    """Rows, at least one, as their watchers get them."""
    columns = points(thinned(rows, POINTS_PER_MESSAGE))
    return MetricsMessage.model_construct(**_row_fields(rows[-1]), points=columns)


def thinned(rows: Rows, at_most: int) -> Rows:
    """At most about `at_most` rows: of each stretch those of least and greatest loss, so that no spike is lost.

    The rows before and after a unit was installed, and the last one, are always kept.
    """
    if len(rows) <= at_most:
        return rows
    keep = np.zeros(len(rows), bool)
    for stretch in np.array_split(np.arange(len(rows)), max(1, at_most // 2)):
        loss = rows["train_loss"][stretch]
        keep[stretch[[int(np.argmin(loss)), int(np.argmax(loss))]]] = True
    installs = np.diff(rows["hidden_units"]) != 0
    keep[1:] |= installs
    keep[:-1] |= installs  # it has the correlation score that the unit was installed with
    keep[-1] = True
    return rows[keep]


def _value(number: np.floating[Any]) -> float | None:
    return float(number) if np.isfinite(number) else None


def _values(column: NDArray[np.floating[Any]]) -> list[float | None]:
    return [value if finite else None for value, finite in zip(column.tolist(), np.isfinite(column), strict=True)]
