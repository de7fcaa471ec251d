"""What a training went through: a row of metrics for each epoch, and the learning curves in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from juniper_cascor.snapshots import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from juniper_cascor.engine.events import Progress
    from juniper_cascor.plain_hdf5 import Arrays

_MEASURED = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "score")


class Metrics:
    """Collects what chunks measured, as the columns that a snapshot keeps."""

    def __init__(self) -> None:
        self._chunks: list[Mapping[str, NDArray[np.generic]]] = []

    def add(self, progress: Progress) -> None:
        """Take what one chunk did."""
        chunk = {name: getattr(progress.rows, name) for name in _MEASURED}
        n = len(progress.rows)
        chunk["hidden_units"] = np.full(n, progress.n_hidden_units)
        chunk["phase"] = np.full(n, progress.phase == "candidate")
        self._chunks.append(chunk)

    def columns(self) -> Arrays:
        """All rows so far, of all but the columns that tell of clock and rate."""
        names = (*_MEASURED, "hidden_units", "phase")
        return {
            name: np.concatenate([np.empty(0, METRICS[name]), *(chunk[name] for chunk in self._chunks)]).astype(
                METRICS[name]
            )
            for name in names
        }


@dataclass(frozen=True, eq=False)
class Curves:
    """One value for each epoch of the output phases; while candidates are trained these do not change.

    A loss is the mean squared error over patterns and outputs, for regression in variances of the targets.
    """

    loss: NDArray[np.float32]
    accuracy: NDArray[np.float32]  # NaN for regression
    val_loss: NDArray[np.float32]  # NaN without validation patterns, and so the next
    val_accuracy: NDArray[np.float32]
    installed_at: NDArray[np.int64]  # for each hidden unit, the place of its first epoch in the above

    def last_with(self, n_units: int) -> int:
        """The place of the last epoch that trained the output layer of so many hidden units."""
        return int(self.installed_at[n_units]) - 1 if n_units < len(self.installed_at) else len(self.loss) - 1

    @property
    def has_validation(self) -> bool:
        """Whether patterns were held out."""
        return bool(np.isfinite(self.val_loss).any())

    @classmethod
    def of(cls, metrics: Arrays) -> Self:
        """The curves in a snapshot's metrics: empty where those do not tell phases, NaN where they lack a column."""
        known = metrics if "phase" in metrics else {}
        is_output = np.asarray(known.get("phase", np.empty(0))) == 0
        nothing = np.full(len(is_output), np.nan, np.float32)
        loss, accuracy, val_loss, val_accuracy = (
            np.asarray(known.get(name, nothing))[is_output]
            for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
        )
        units = np.asarray(known.get("hidden_units", np.zeros(len(is_output), np.int32)))[is_output]
        installed = np.arange(units[0] + 1, units[-1] + 1) if len(units) else np.empty(0)
        return cls(loss, accuracy, val_loss, val_accuracy, np.searchsorted(units, installed))
