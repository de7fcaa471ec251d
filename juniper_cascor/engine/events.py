"""What a training tells of itself. Values only: whoever watches decides what to do with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation

Phase: TypeAlias = Literal["output", "candidate"]

Outcome: TypeAlias = Literal[
    "solved",  # every training pattern is within error_threshold of its target
    "max_hidden_units",
    "max_epochs",
    "max_iterations",
    "no_candidate",  # no candidate's correlation score exceeded correlation_threshold
    "stagnated",  # `patience` installed units in a row did not lower the loss
    "early_stopped",  # `validation_patience` installed units in a row did not lower the validation loss
]


@dataclass(frozen=True, slots=True, eq=False)
class EpochRows:
    """One row for each epoch of a chunk; NaN where a value is not defined.

    During the candidate phase loss and accuracy repeat what the output phase left.
    """

    epoch: NDArray[np.int64]  # [k], counted from 1 through the whole training
    train_loss: NDArray[np.float32]  # [k], mean squared error over patterns and outputs
    train_accuracy: NDArray[np.float32]  # [k], NaN for regression
    val_loss: NDArray[np.float32]  # [k], NaN without validation patterns
    val_accuracy: NDArray[np.float32]  # [k]
    score: NDArray[np.float32]  # [k], best correlation score in the pool; NaN in the output phase

    def __len__(self) -> int:
        return len(self.epoch)


@dataclass(frozen=True, slots=True, eq=False)
class Installation:
    """The best candidate unit became an installed unit."""

    index: int  # of the hidden unit, counted from 0
    score: float
    epoch: int  # the last epoch of its candidate phase
    weights: NDArray[np.float32]  # [1 + inputs + units it sees], bias first; frozen from now on
    activation: Activation


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """What one chunk did."""

    phase: Phase  # of the rows; the training itself may have moved on to the next phase
    rows: EpochRows
    n_hidden_units: int  # while these rows were made, so without the unit in `installed`
    candidate_scores: NDArray[np.float32] | None  # [pool], in the candidate phase
    installed: Installation | None
    has_new_data: bool  # the next chunk is the first on the patterns that `Training.set_data` was given
    finished: Outcome | None
