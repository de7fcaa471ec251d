"""Which of a run's rows are recorded, and as which metric points.

A function of the epochs alone, however the rows were cut into reports: a run that was resumed records the same points
as one that nothing interrupted.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.runs.history import Rows
from juniper_cascor.runs.metric_points import MetricPoint

NAMES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "score", "hidden_units", "learning_rate")

EVERY_EPOCH_UP_TO = 4_096


def chosen(rows: Rows, previous: Rows) -> Rows:
    """The rows of a report that are recorded: fewer the later they come, but always those on both sides of an install.

    Every epoch up to 4096, every second up to 8192, every fourth up to 16384, and so on.

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
