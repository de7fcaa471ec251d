"""The contract of a back end: it trains an output layer and a candidate pool, ignorant of the grow loop.

Both are trained in chunks of epochs. Everything that a chunk needs to know from the one before it stands in
the state's arrays, so a training can be saved between any two chunks; and where chunks end changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from juniper_cascor.engine.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LOSS, ACCURACY, VAL_LOSS, VAL_ACCURACY = range(4)  # columns of OutputChunk.rows


class _State:
    """A dataclass of arrays, to and from a mapping."""

    __slots__ = ()

    def arrays(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        """Copies of all arrays, named prefix + field."""
        return {prefix + item.name: getattr(self, item.name).copy() for item in fields(self)}  # type: ignore[arg-type]

    def load(self, prefix: str, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Overwrite this state, which fixes the shapes and types.

        Raises:
            StateError: an array is missing or has another shape.
        """
        for item in fields(self):  # type: ignore[arg-type]
            own: NDArray[np.generic] = getattr(self, item.name)
            if prefix + item.name not in arrays:
                raise StateError(f"the state lacks {prefix}{item.name}")
            saved = np.asarray(arrays[prefix + item.name])
            if saved.shape != own.shape or saved.dtype != own.dtype:
                raise StateError(
                    f"the state's {prefix}{item.name} is {saved.dtype}{list(saved.shape)}, "
                    f"not {own.dtype}{list(own.shape)}"
                )
            own[...] = saved
        return self


@dataclass(slots=True, eq=False)
class OutputState(_State):
    """An output layer between two chunks."""

    weights: NDArray[np.float32]  # [outputs, features]
    slopes: NDArray[np.float32]  # [outputs, features], of the last epoch
    steps: NDArray[np.float32]  # [outputs, features], iRprop− step per weight
    clock: NDArray[np.int64]  # [2]: epochs run in this phase, epochs without change
    mark: NDArray[np.float64]  # [1]: the loss that a change is measured against
    limits: NDArray[np.int64]  # [2]: most epochs, patience
    thresholds: NDArray[np.float64]  # [2]: relative change, nearness to the target that solves

    @classmethod
    def start(
        cls,
        weights: NDArray[np.float32],
        *,
        step: float,
        max_epochs: int,
        patience: int,
        change_threshold: float,
        error_threshold: float,
    ) -> OutputState:
        """The state before the first epoch of an output phase."""
        return cls(
            weights=weights,
            slopes=np.zeros_like(weights),
            steps=np.full_like(weights, step),
            clock=np.zeros(2, np.int64),
            mark=np.zeros(1, np.float64),
            limits=np.array([max_epochs, patience], np.int64),
            thresholds=np.array([change_threshold, error_threshold], np.float64),
        )


@dataclass(slots=True, eq=False)
class CandidateState(_State):
    """A candidate pool between two chunks; each candidate stops on its own patience."""

    weights: NDArray[np.float32]  # [pool, features]
    slopes: NDArray[np.float32]  # [pool, features], of the last epoch
    steps: NDArray[np.float32]  # [pool, features], iRprop− step per weight
    covariances: NDArray[np.float32]  # [pool, outputs], over the sum of squared residuals
    scores: NDArray[np.float32]  # [pool], their summed magnitudes
    marks: NDArray[np.float32]  # [pool]: the score that a change is measured against
    waited: NDArray[np.int64]  # [pool], epochs without change
    active: NDArray[np.bool_]  # [pool]
    clock: NDArray[np.int64]  # [1]: epochs run in this phase
    limits: NDArray[np.int64]  # [2]: most epochs, patience
    thresholds: NDArray[np.float64]  # [1]: relative change

    @classmethod
    def start(
        cls,
        weights: NDArray[np.float32],
        n_outputs: int,
        *,
        step: float,
        max_epochs: int,
        patience: int,
        change_threshold: float,
    ) -> CandidateState:
        """The state before the first epoch of a candidate phase.

        The covariances are 0, and so is their sign: the first epoch measures and moves nothing.
        """
        pool = len(weights)
        return cls(
            weights=weights,
            slopes=np.zeros_like(weights),
            steps=np.full_like(weights, step),
            covariances=np.zeros((pool, n_outputs), np.float32),
            scores=np.zeros(pool, np.float32),
            marks=np.zeros(pool, np.float32),
            waited=np.zeros(pool, np.int64),
            active=np.ones(pool, np.bool_),
            clock=np.zeros(1, np.int64),
            limits=np.array([max_epochs, patience], np.int64),
            thresholds=np.array([change_threshold], np.float64),
        )


@dataclass(frozen=True, slots=True, eq=False)
class OutputChunk:
    """What a chunk of an output phase measured."""

    rows: NDArray[np.float32]  # [k, 4]: loss, accuracy, and both of the validation patterns
    has_ended: bool  # the phase; then the weights are those that the last row measured
    has_solved: bool


@dataclass(frozen=True, slots=True, eq=False)
class CandidateChunk:
    """What a chunk of a candidate phase measured."""

    scores: NDArray[np.float32]  # [k, pool]
    has_ended: bool  # the phase; then weights, covariances and scores belong together


class Backend(Protocol):
    """Holds the patterns, one row of activations for each installed unit, and the residual errors."""

    def add_unit(self, weights: NDArray[np.float32]) -> None:
        """Install a unit: compute its activations once, as a new feature."""

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase: at most max_epochs, and at most about 20 ms of work."""

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase, as train_outputs does."""
