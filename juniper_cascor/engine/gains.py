"""What growth has gained on the data that it learns: how long ago a unit helped, and which network was best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.engine.saved_state import SavedState

_LESS = 0.99  # a unit that leaves more of the training loss than this has not lowered it


@dataclass(slots=True, eq=False)
class Gains:
    """Of both losses at the ends of output phases. Losses on other data tell nothing of these: they begin anew."""

    loss: Gain = field(default_factory=lambda: Gain())
    validation_loss: Gain = field(default_factory=lambda: Gain())
    best: Grown | None = None  # on the validation patterns, where growth may stop by them

    def note_loss(self, loss: float) -> None:
        """Take note of the training loss that an output phase ended with."""
        self.loss.look(loss, _LESS)

    def note_validation_loss(self, loss: float, grown: Grown) -> None:
        """Take note of the validation loss that an output phase ended with, and of the network that has it."""
        if self.validation_loss.look(loss, 1.0):
            self.best = grown

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything as arrays of numbers, for a saved state."""
        arrays: dict[str, NDArray[np.generic]] = {
            "best_loss": np.array(self.loss.best, np.float64),
            "n_without_gain": np.array(self.loss.n_without, np.int64),
            "best_val_loss": np.array(self.validation_loss.best, np.float64),
            "n_without_val_gain": np.array(self.validation_loss.n_without, np.int64),
            "n_best_hidden_units": np.array(-1 if self.best is None else self.best.n_hidden_units, np.int64),
        }
        if self.best is not None:
            arrays["best_output_weights"] = self.best.output_weights.copy()
        return arrays

    @classmethod
    def saved(cls, saved: SavedState, n_outputs: int, n_features: int, n_hidden_units: int) -> Gains:
        """Those of `arrays`, for a network of n_features (with the bias) and so many hidden units.

        Raises:
            StateError: an array is missing, or belongs to another network.
        """
        n_best = saved.number("n_best_hidden_units", -1, n_hidden_units)
        best = (
            Grown(n_best, saved.floats("best_output_weights", n_outputs, n_features + n_best)) if n_best >= 0 else None
        )
        return cls(
            Gain(saved.real("best_loss"), saved.number("n_without_gain")),
            Gain(saved.real("best_val_loss"), saved.number("n_without_val_gain")),
            best,
        )


@dataclass(slots=True)
class Gain:
    """The least loss so far, and how many looks ago it was."""

    best: float = np.inf
    n_without: int = 0

    def look(self, loss: float, share: float) -> bool:
        """Whether a loss is below this share of the least one."""
        if loss < self.best * share:
            self.best, self.n_without = loss, 0
            return True
        self.n_without += 1
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """How far a network had grown."""

    n_hidden_units: int
    output_weights: NDArray[np.float32]  # [outputs, 1 + inputs + n_hidden_units]
