"""The contract of a back end: it trains an output layer and a candidate pool, ignorant of the grow loop.

Both are trained in chunks of epochs. Everything that a chunk needs to know from the one before it stands in
the state's arrays, so a training can be saved between any two chunks; and where chunks end changes nothing.

An optimiser keeps two numbers for each weight, `memory` and `steps`: iRprop− the last slope and its step, quickprop
the last slope and the last move, Adam the means of the slopes and of their squares. `rule` says which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias, get_args

import numpy as np

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.errors import StateError
from juniper_cascor.engine.parameters import Objective, Optimizer
from juniper_cascor.engine.saved_state import require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.parameters import Parameters

LOSS, ACCURACY, VAL_LOSS, VAL_ACCURACY = range(4)  # columns of OutputChunk.rows

CpuBackendName: TypeAlias = Literal["numba-serial", "numba-parallel", "numba-batched"]
GpuBackendName: TypeAlias = Literal["cupy", "torch"]
BackendName: TypeAlias = CpuBackendName | GpuBackendName

CPU_BACKENDS: tuple[CpuBackendName, ...] = get_args(CpuBackendName)
GPU_BACKENDS: tuple[GpuBackendName, ...] = get_args(GpuBackendName)
BACKENDS: tuple[BackendName, ...] = (*CPU_BACKENDS, *GPU_BACKENDS)
"""A name's place here is its code in a saved state: new ones go to the end."""

_OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)
_OBJECTIVES: tuple[Objective, ...] = get_args(Objective)


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
        self._check(prefix)
        return self

    def _check(self, prefix: str) -> None:
        """Refuse what would lead a loop out of its arrays, or round and round."""
        raise NotImplementedError


@dataclass(slots=True, eq=False)
class OutputState(_State):
    """An output layer between two chunks."""

    weights: NDArray[np.float32]  # [outputs, features]
    memory: NDArray[np.float32]  # [outputs, features]
    steps: NDArray[np.float32]  # [outputs, features]
    clock: NDArray[np.int64]  # [2]: epochs run in this phase, epochs without change
    mark: NDArray[np.float64]  # [1]: the loss that a change is measured against
    limits: NDArray[np.int64]  # [2]: most epochs, patience
    rule: NDArray[np.int64]  # [1]: optimiser
    settings: NDArray[np.float64]  # [5]: relative change, nearness to the target that solves, rate, μ, ridge

    def _check(self, prefix: str) -> None:
        require(
            bool((self.limits > 0).all() and (self.clock >= 0).all()), f"{prefix}limits or {prefix}clock count nothing"
        )
        require(0 <= self.rule[0] < len(_OPTIMIZERS), f"{prefix}rule is unknown")

    @classmethod
    def start(cls, weights: NDArray[np.float32], parameters: Parameters, max_epochs: int) -> OutputState:
        """The state before the first epoch of an output phase."""
        rate = parameters.rate("output")
        return cls(
            weights=weights,
            memory=np.zeros_like(weights),
            steps=_first_steps(weights, parameters.optimizer_type, rate),
            clock=np.zeros(2, np.int64),
            mark=np.zeros(1, np.float64),
            limits=np.array([max_epochs, parameters.output_patience], np.int64),
            rule=np.array([_OPTIMIZERS.index(parameters.optimizer_type)], np.int64),
            settings=np.array(
                [
                    parameters.output_change_threshold,
                    parameters.error_threshold,
                    rate,
                    parameters.quickprop_mu,
                    parameters.output_ridge,
                ],
                np.float64,
            ),
        )


@dataclass(slots=True, eq=False)
class CandidateState(_State):
    """A candidate pool between two chunks; each candidate stops on its own patience, and keeps its best epoch."""

    weights: NDArray[np.float32]  # [pool, features]; 0 beyond a candidate's fan-in
    memory: NDArray[np.float32]  # [pool, features]
    steps: NDArray[np.float32]  # [pool, features]
    covariances: NDArray[np.float32]  # [pool, outputs], over the sum of squared residuals
    moments: NDArray[np.float32]  # [pool, 2]: mean of the activations, sum of their squared distances from it
    scores: NDArray[np.float32]  # [pool], of the best epoch
    best_weights: NDArray[np.float32]  # [pool, features], of that epoch, and so the next two
    best_covariances: NDArray[np.float32]  # [pool, outputs]
    best_moments: NDArray[np.float32]  # [pool, 2]
    marks: NDArray[np.float32]  # [pool]: the score that a change is measured against
    waited: NDArray[np.int64]  # [pool], epochs without change
    active: NDArray[np.bool_]  # [pool]
    fan_ins: NDArray[np.int64]  # [pool]: how many of the features, from the first on, a candidate sees
    activations: NDArray[np.int64]  # [pool], places in ACTIVATIONS
    clock: NDArray[np.int64]  # [1]: epochs run in this phase
    limits: NDArray[np.int64]  # [2]: most epochs, patience
    rule: NDArray[np.int64]  # [2]: optimiser, objective
    settings: NDArray[np.float64]  # [3]: relative change, rate, μ

    def _check(self, prefix: str) -> None:
        require(
            bool((self.limits > 0).all() and (self.clock >= 0).all()), f"{prefix}limits or {prefix}clock count nothing"
        )
        known = 0 <= self.rule[0] < len(_OPTIMIZERS) and 0 <= self.rule[1] < len(_OBJECTIVES)
        require(bool(known), f"{prefix}rule is unknown")
        known = ((self.activations >= 0) & (self.activations < len(ACTIVATIONS))).all()
        require(bool(known), f"{prefix}activations are unknown")
        is_within = ((self.fan_ins > 0) & (self.fan_ins <= self.weights.shape[1])).all()
        require(bool(is_within), f"{prefix}fan_ins are more than there are features")

    @classmethod
    def start(
        cls,
        weights: NDArray[np.float32],
        fan_ins: NDArray[np.int64],
        n_outputs: int,
        parameters: Parameters,
        max_epochs: int,
    ) -> CandidateState:
        """The state before the first epoch of a candidate phase.

        The covariances are 0, and so is their sign: the first epoch measures and moves nothing.
        """
        pool = len(weights)
        rate = parameters.rate("candidate")
        codes = [ACTIVATIONS.index(name) for name in parameters.activations]
        if (fan_ins < weights.shape[1]).any():
            weights[np.arange(weights.shape[1]) >= fan_ins[:, np.newaxis]] = 0
        return cls(
            weights=weights,
            memory=np.zeros_like(weights),
            steps=_first_steps(weights, parameters.candidate_optimizer_type, rate),
            covariances=np.zeros((pool, n_outputs), np.float32),
            moments=np.zeros((pool, 2), np.float32),
            scores=np.zeros(pool, np.float32),
            best_weights=weights.copy(),
            best_covariances=np.zeros((pool, n_outputs), np.float32),
            best_moments=np.zeros((pool, 2), np.float32),
            marks=np.zeros(pool, np.float32),
            waited=np.zeros(pool, np.int64),
            active=np.ones(pool, np.bool_),
            fan_ins=fan_ins,
            activations=np.array((codes * pool)[:pool], np.int64),
            clock=np.zeros(1, np.int64),
            limits=np.array([max_epochs, parameters.candidate_patience], np.int64),
            rule=np.array(
                [
                    _OPTIMIZERS.index(parameters.candidate_optimizer_type),
                    _OBJECTIVES.index(parameters.candidate_objective),
                ],
                np.int64,
            ),
            settings=np.array([parameters.candidate_change_threshold, rate, parameters.quickprop_mu], np.float64),
        )

    @property
    def is_normalised(self) -> bool:
        """Whether the scores are shares of the squared residuals, not sums of covariances."""
        return bool(_OBJECTIVES[int(self.rule[1])] == "normalised")

    def activation(self, candidate: int) -> Activation:
        """A candidate's activation function."""
        return ACTIVATIONS[int(self.activations[candidate])]


def _first_steps(weights: NDArray[np.float32], optimizer: Optimizer, rate: float) -> NDArray[np.float32]:
    return np.full_like(weights, rate if optimizer == "irprop-" else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class OutputChunk:
    """What a chunk of an output phase measured."""

    rows: NDArray[np.float32]  # [k, 4]: loss, accuracy, and both of the validation patterns
    has_ended: bool  # the phase; then the weights are those that the last row measured
    has_solved: bool


@dataclass(frozen=True, slots=True, eq=False)
class CandidateChunk:
    """What a chunk of a candidate phase measured."""

    best_scores: NDArray[np.float32]  # [k], of the pool
    has_ended: bool  # the phase


class Backend(Protocol):
    """Holds the patterns, one row of activations for each installed unit, and the residual errors."""

    name: BackendName

    def add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        """Install a unit: compute its activations once, as a new feature."""

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase: at most max_epochs, and at most about 20 ms of work."""

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase, as train_outputs does.

        Of the state's arrays the scores, the clock and which candidates are active are true then; the others may
        stand on a device until `bring_back`.
        """

    def bring_back(self, state: CandidateState) -> None:
        """Make all of a state's arrays true."""


def shares(n: int, parts: int) -> Sequence[slice]:
    """`n` things in `parts` runs of nearly equal length, none of them empty."""
    ends = [n * i // parts for i in range(parts + 1)]
    return [slice(low, high) for low, high in pairwise(ends) if low < high]
