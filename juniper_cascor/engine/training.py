"""The grow loop of Cascade-Correlation (Fahlman & Lebiere 1990).

Train the output layer; if some output is still too far from its target, train a pool of candidate units to
correlate with the residual error, install the best one with its input weights frozen, and start again.
`Training.advance` is that loop, taken apart into chunks of a few milliseconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from juniper_cascor.engine import backends
from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.backend import (
    ACCURACY,
    BACKENDS,
    LOSS,
    VAL_ACCURACY,
    VAL_LOSS,
    BackendName,
    CandidateState,
    OutputState,
)
from juniper_cascor.engine.candidate_pool import new_pool, output_weights_with, winner
from juniper_cascor.engine.errors import ParameterError, StateError
from juniper_cascor.engine.events import EpochRows, Installation, Outcome, Phase, Progress
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.engine.patterns import Scaling
from juniper_cascor.engine.saved_state import STATE_VERSION, SavedState, require
from juniper_cascor.engine.training_data import TrainingData

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import Backend

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_GAIN = 0.99  # a unit that leaves more of the training loss than this has not lowered it


class Training:
    """A network that grows, chunk by chunk.

    The result is a function of the data, the parameters and the seed: where chunks end, and whether the
    training was saved and restored between two of them, changes no bit of it.
    """

    def __init__(self, data: TrainingData, parameters: Parameters, backend: Backend, seed: int) -> None:
        """Use `start` or `restore`."""
        self._data = data
        self._backend = backend
        self._parameters = parameters
        self._seed = seed
        self._epoch = 0
        self._n_installed = 0  # by this training, so without the units of a network that it started from
        self._hidden_weights: list[NDArray[np.float32]] = []
        self._activations: list[Activation] = []
        self._measured = np.full(4, np.nan, np.float32)  # the last row of the output phase
        self._gain = _Gain()
        self._validation_gain = _Gain()
        self._best: _Grown | None = None  # on the validation patterns
        self._finished: Outcome | None = None
        self._output: OutputState
        self._candidates: CandidateState | None = None  # None in the output phase

    @classmethod
    def start(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        parameters: Parameters,
        *,
        seed: int,
        x_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        network: Network | None = None,
        backend: BackendName | None = None,
        threads: int | None = None,
    ) -> Training:
        """Begin a training.

        Args:
            x: Inputs, [n, inputs].
            y: Targets, [n, outputs]: one-hot, or one column of 0 and 1; for regression, values.
            parameters: What to train, and how.
            seed: With data and parameters it determines the result.
            x_val: Validation inputs, watched but not learnt from; see `Parameters.validation_patience`.
            y_val: Their targets.
            network: Grow on from this network (with its scaling) instead of from nothing.
            backend: What trains; by default it follows from the sizes alone.
            threads: At most so many, by default one for each processor that this process may use. No bit of the
                result depends on it.

        Raises:
            DataError: naming the row and column that cannot be trained on.
        """
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed must be in [0, 2^63), not {seed}")
        scaling = None if network is None else Scaling(network.feature_mean, network.feature_scale)
        data = TrainingData(x, y, x_val, y_val, parameters, scaling)
        if network is not None:
            data.check_shape_of(network)
        training = cls(data, parameters, backends.make(backend, data, parameters, threads), seed)
        if network is None:
            weights = np.zeros((data.n_outputs, 1 + data.n_inputs), np.float32)
        else:
            for unit, activation in zip(network.hidden_weights, network.activations, strict=True):
                training._add_unit(np.array(unit, np.float32), activation)
            weights = data.to_internal(network.output_weights)
        training._begin_output_phase(weights)
        return training

    @classmethod
    def restore(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        parameters: Parameters,
        state: Mapping[str, NDArray[np.generic]],
        *,
        x_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        threads: int | None = None,
    ) -> Training:
        """Take up a training where `state` left it, with the same data and parameters, on the same back end.

        Raises:
            DataError: as `start`.
            StateError: the state is incomplete, or belongs to other data.
        """
        saved = SavedState(state)
        n_inputs = len(saved.array("feature_mean").reshape(-1))
        scaling = Scaling(saved.doubles("feature_mean", n_inputs), saved.doubles("feature_scale", n_inputs))
        require(bool((scaling.scale > 0).all()), "feature_scale is not positive")
        data = TrainingData(x, y, x_val, y_val, parameters, scaling)
        if saved.number("checksum") != data.checksum:
            raise StateError("the state belongs to other data than these")
        backend = backends.make(BACKENDS[saved.number("backend", 0, len(BACKENDS) - 1)], data, parameters, threads)
        training = cls(data, parameters, backend, saved.number("seed"))
        training._epoch = saved.number("epoch")
        training._n_installed = saved.number("n_installed")
        training._gain = _Gain(saved.real("best_loss"), saved.number("n_without_gain"))
        training._validation_gain = _Gain(saved.real("best_val_loss"), saved.number("n_without_val_gain"))
        training._measured = saved.floats("measured", 4)
        finished = saved.number("finished", -1, len(_OUTCOMES) - 1)
        training._finished = None if finished < 0 else _OUTCOMES[finished]
        for weights, activation in _saved_units(saved, 1 + n_inputs):
            training._add_unit(weights, activation)
        if (n_best := saved.number("n_best_hidden_units", -1, len(training._hidden_weights))) >= 0:
            shape = data.n_outputs, 1 + n_inputs + n_best
            training._best = _Grown(n_best, saved.floats("best_output_weights", *shape))
        training._begin_output_phase(np.zeros((data.n_outputs, training._n_features), np.float32))
        training._output.load("output_", state)
        pool = saved.number("pool", 0, int(parameter_fields()["candidate_pool_size"].high))
        if pool:
            training._begin_candidate_phase(replace(parameters, candidate_pool_size=pool)).load("candidate_", state)
        return training

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything between two chunks, as arrays of numbers: `restore` goes on as if nothing had been."""
        pool = 0 if self._candidates is None else len(self._candidates.weights)
        numbers = {
            "version": STATE_VERSION,
            "checksum": self._data.checksum,
            "backend": BACKENDS.index(self.backend),
            "seed": self._seed,
            "epoch": self._epoch,
            "n_installed": self._n_installed,
            "n_without_gain": self._gain.n_without,
            "n_without_val_gain": self._validation_gain.n_without,
            "n_best_hidden_units": -1 if self._best is None else self._best.n_hidden_units,
            "finished": -1 if self._finished is None else _OUTCOMES.index(self._finished),
            "pool": pool,
        }
        arrays: dict[str, NDArray[np.generic]] = {name: np.array(value, np.int64) for name, value in numbers.items()}
        arrays["best_loss"] = np.array(self._gain.best, np.float64)
        arrays["best_val_loss"] = np.array(self._validation_gain.best, np.float64)
        if self._best is not None:
            arrays["best_output_weights"] = self._best.output_weights.copy()
        arrays["measured"] = self._measured.copy()
        arrays["feature_mean"] = self._data.inputs.mean.copy()
        arrays["feature_scale"] = self._data.inputs.scale.copy()
        arrays["hidden_weights"] = np.concatenate([np.zeros(0, np.float32), *self._hidden_weights])
        arrays["fan_ins"] = np.array([len(weights) for weights in self._hidden_weights], np.int64)
        arrays["activations"] = np.array([ACTIVATIONS.index(name) for name in self._activations], np.int64)
        arrays |= self._output.arrays("output_")
        if self._candidates is not None:
            arrays |= self._candidates.arrays("candidate_")
        return arrays

    @property
    def parameters(self) -> Parameters:
        """The parameters that the next phase begins with."""
        return self._parameters

    @property
    def backend(self) -> BackendName:
        """What trains."""
        return self._backend.name

    @property
    def seed(self) -> int:
        """What the candidates' first weights are drawn by."""
        return self._seed

    @property
    def epoch(self) -> int:
        """Epochs run, over both phases."""
        return self._epoch

    @property
    def phase(self) -> Phase:
        """What the next chunk trains."""
        return "output" if self._candidates is None else "candidate"

    @property
    def finished(self) -> Outcome | None:
        """Why the training has ended, or None while it has not."""
        return self._finished

    @property
    def network(self) -> Network:
        """The network as it stands now."""
        return Network(
            feature_mean=self._data.inputs.mean,
            feature_scale=self._data.inputs.scale,
            hidden_weights=tuple(self._hidden_weights),
            output_weights=self._data.to_external(self._output.weights),
            task=self._data.task,
            activations=tuple(self._activations),
        )

    @property
    def best_network(self) -> Network:
        """What `network` would be if the training ended now: the one that was best on the validation patterns so far.

        Without `Parameters.validation_patience` it is the network as it stands.
        """
        network = self.network
        if self._best is None:
            return network
        return replace(
            network,
            hidden_weights=network.hidden_weights[: self._best.n_hidden_units],
            activations=network.activations[: self._best.n_hidden_units],
            output_weights=self._data.to_external(self._best.output_weights),
        )

    def set_parameters(self, parameters: Parameters) -> None:
        """Train by these from the next phase on; the phase that runs keeps its own.

        Raises:
            ParameterError: the task or the class weights differ.
        """
        for name in ("task", "class_weights"):
            if getattr(parameters, name) != getattr(self._parameters, name):
                raise ParameterError(name, "cannot change while training")
        self._parameters = parameters

    def advance(self, max_epochs: int | None = None) -> Progress:
        """Train one chunk: at most max_epochs (1 or more), at most about 20 ms of work, within one phase.

        Raises:
            ValueError: max_epochs is less than 1, or the training has finished.
        """
        if self._finished is not None:
            raise ValueError(f"the training has finished: {self._finished}")
        if max_epochs is not None and max_epochs < 1:
            raise ValueError(f"max_epochs must be 1 or more, not {max_epochs}")
        n_hidden_units = len(self._hidden_weights)
        phase = self.phase
        scores = installed = None

        if self._candidates is None:
            layer = self._backend.train_outputs(self._output, max_epochs)
            self._measured = layer.rows[-1].copy()
            rows = self._rows(layer.rows, np.full(len(layer.rows), np.nan, np.float32))
            if layer.has_ended:
                reason = self._reason_not_to_grow()
                if reason is None and not layer.has_solved:
                    self._begin_candidate_phase(self._parameters)
                else:
                    self._finish("solved" if layer.has_solved else reason)
        else:
            candidates = self._candidates
            pool = self._backend.train_candidates(candidates, max_epochs)
            scores = candidates.scores.copy()
            rows = self._rows(self._measured[np.newaxis].repeat(len(pool.best_scores), axis=0), pool.best_scores)
            if pool.has_ended:
                best = winner(candidates, self._parameters.descendant_factor)
                if self._is_budget_spent():
                    self._finish("max_epochs")
                elif not candidates.scores[best] > self._parameters.correlation_threshold:
                    self._finish("no_candidate")
                else:
                    installed = self._install(candidates, best)

        return Progress(phase, rows, n_hidden_units, scores, installed, self._finished)

    def _rows(self, measured: NDArray[np.float32], scores: NDArray[np.float32]) -> EpochRows:
        """Count the epochs of a chunk and put its columns together."""
        first = self._epoch + 1
        self._epoch += len(measured)
        return EpochRows(
            epoch=np.arange(first, self._epoch + 1),
            train_loss=measured[:, LOSS],
            train_accuracy=measured[:, ACCURACY],
            val_loss=measured[:, VAL_LOSS],
            val_accuracy=measured[:, VAL_ACCURACY],
            score=scores,
        )

    def _reason_not_to_grow(self) -> Outcome | None:
        """Take note of what an output phase came to; why growth ends after it though not solved, or None."""
        parameters, n_units = self._parameters, len(self._hidden_weights)
        self._gain.look(float(self._measured[LOSS]), _GAIN)
        stops_early = parameters.validation_patience is not None and self._data.has_validation
        if stops_early and self._validation_gain.look(float(self._measured[VAL_LOSS]), 1.0):
            self._best = _Grown(n_units, self._output.weights.copy())
        if self._is_budget_spent():
            return "max_epochs"
        if n_units >= parameters.max_hidden_units:
            return "max_hidden_units"
        if parameters.max_iterations is not None and self._n_installed >= parameters.max_iterations:
            return "max_iterations"
        if parameters.patience is not None and self._gain.n_without >= parameters.patience:
            return "stagnated"
        if stops_early and self._validation_gain.n_without >= (parameters.validation_patience or 0):
            return "early_stopped"
        return None

    def _finish(self, outcome: Outcome | None) -> None:
        """End, with the network that was best on the validation patterns where that was watched."""
        self._finished = outcome
        self._candidates = None
        if self._best is not None:
            del self._hidden_weights[self._best.n_hidden_units :]
            del self._activations[self._best.n_hidden_units :]
            self._begin_output_phase(self._best.output_weights.copy())

    def _begin_output_phase(self, weights: NDArray[np.float32]) -> None:
        self._candidates = None
        max_epochs = self._within_budget(self._parameters.output_epochs)
        self._output = OutputState.start(weights, self._parameters, max_epochs)

    def _begin_candidate_phase(self, parameters: Parameters) -> CandidateState:
        self._backend.measure_residuals(self._output.weights)
        self._candidates = new_pool(
            parameters,
            self._seed,
            fan_ins=[len(weights) for weights in self._hidden_weights],
            n_features=self._n_features,
            n_outputs=self._data.n_outputs,
            max_epochs=self._within_budget(parameters.candidate_epochs),
        )
        return self._candidates

    def _install(self, candidates: CandidateState, best: int) -> Installation:
        """Freeze the best candidate."""
        index = len(self._hidden_weights)
        weights = candidates.best_weights[best, : candidates.fan_ins[best]].copy()
        self._add_unit(weights, candidates.activation(best))
        self._n_installed += 1
        self._begin_output_phase(output_weights_with(self._output.weights, candidates, best))
        return Installation(index, float(candidates.scores[best]), self._epoch, weights, self._activations[-1])

    def _add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        self._backend.add_unit(weights, activation)
        weights.flags.writeable = False  # frozen: networks handed out share it
        self._hidden_weights.append(weights)
        self._activations.append(activation)

    @property
    def _n_features(self) -> int:
        return 1 + self._data.n_inputs + len(self._hidden_weights)

    def _is_budget_spent(self) -> bool:
        return self._parameters.max_epochs is not None and self._epoch >= self._parameters.max_epochs

    def _within_budget(self, epochs: int) -> int:
        if self._parameters.max_epochs is None:
            return epochs
        return max(1, min(epochs, self._parameters.max_epochs - self._epoch))


def _saved_units(saved: SavedState, n_features: int) -> list[tuple[NDArray[np.float32], Activation]]:
    """The weights and activation of each hidden unit, which may see n_features and the units before it."""
    n_units = len(saved.array("fan_ins").reshape(-1))
    fan_ins, codes = saved.integers("fan_ins", n_units), saved.integers("activations", n_units)
    may_see = (n_features <= fan_ins) & (fan_ins <= n_features + np.arange(n_units))
    require(bool(may_see.all()), "fan_ins are not those of a cascade")
    require(bool(((codes >= 0) & (codes < len(ACTIVATIONS))).all()), "activations are unknown")
    flat = saved.floats("hidden_weights", int(fan_ins.sum()))
    ends = np.cumsum(fan_ins)
    return [
        (flat[end - fan_in : end].copy(), ACTIVATIONS[code])
        for end, fan_in, code in zip(ends, fan_ins, codes, strict=True)
    ]


@dataclass(slots=True)
class _Gain:
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
class _Grown:
    """How far a network had grown."""

    n_hidden_units: int
    output_weights: NDArray[np.float32]  # [outputs, 1 + inputs + n_hidden_units]


def warm_up() -> float:
    """Load the compiled loops, so that the first training starts at once; the seconds that this took.

    Part of a second where numba's cache holds them (NUMBA_CACHE_DIR), some seconds where they must be compiled.
    """
    began = time.perf_counter()
    parameters = Parameters(max_hidden_units=1, candidate_epochs=2, output_epochs=2)
    x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0], [1], [1], [0]]
    for backend in BACKENDS:
        training = Training.start(x, y, parameters, seed=0, backend=backend)
        while training.finished is None:
            training.advance()
    return time.perf_counter() - began
