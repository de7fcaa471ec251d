"""The grow loop of Cascade-Correlation (Fahlman & Lebiere 1990).

Train the output layer; if some output is still too far from its target, train a pool of candidate units to
correlate with the residual error, install the best one with its input weights frozen, and start again.
`Training.advance` is that loop, taken apart into chunks of a few milliseconds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, get_args

import numpy as np

from juniper_cascor.engine.backend import ACCURACY, LOSS, VAL_ACCURACY, VAL_LOSS, CandidateState, OutputState
from juniper_cascor.engine.errors import DataError, ParameterError, StateError
from juniper_cascor.engine.events import EpochRows, Installation, Outcome, Phase, Progress
from juniper_cascor.engine.initial_weights import candidate_weights
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.patterns import Patterns, Scaling, check_several_classes, checked, checksum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import Backend

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_STATE_VERSION = 1
_GAIN = 0.99  # a unit that leaves more of the loss than this has not lowered it


class Training:
    """A network that grows, chunk by chunk.

    The result is a function of the data, the parameters and the seed: where chunks end, and whether the
    training was saved and restored between two of them, changes no bit of it.
    """

    def __init__(self, data: _Data, parameters: Parameters, backend: Backend, seed: int) -> None:
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
        self._best_loss = np.inf
        self._n_without_gain = 0
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
    ) -> Training:
        """Begin a training.

        Args:
            x: Inputs, [n, inputs].
            y: Targets, [n, outputs]: one-hot, or one column of 0 and 1; for regression, values.
            parameters: What to train, and how.
            seed: With data and parameters it determines the result.
            x_val: Validation inputs, watched but not learnt from.
            y_val: Their targets.
            network: Grow on from this network (with its scaling) instead of from nothing.

        Raises:
            DataError: naming the row and column that cannot be trained on.
        """
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed must be in [0, 2^63), not {seed}")
        scaling = None if network is None else Scaling(network.feature_mean, network.feature_scale)
        data = _Data(x, y, x_val, y_val, parameters, scaling)
        if network is not None:
            data.check_shape_of(network)
        training = cls(data, parameters, data.make_backend(), seed)
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
    ) -> Training:
        """Take up a training where `state` left it, with the same data and parameters.

        Raises:
            DataError: as `start`.
            StateError: the state is incomplete, or belongs to other data.
        """
        saved = _Saved(state)
        scaling = Scaling(saved.floats("feature_mean"), saved.floats("feature_scale"))
        data = _Data(x, y, x_val, y_val, parameters, scaling)
        if saved.number("checksum") != data.checksum():
            raise StateError("the state belongs to other data than these")
        training = cls(data, parameters, data.make_backend(), saved.number("seed"))
        training._epoch = saved.number("epoch")
        training._n_installed = saved.number("n_installed")
        training._n_without_gain = saved.number("n_without_gain")
        training._best_loss = float(saved.array("best_loss").astype(np.float64).item())
        training._measured = saved.floats("measured")
        finished = saved.number("finished")
        training._finished = None if finished < 0 else _OUTCOMES[finished]
        flat = saved.floats("hidden_weights")
        for i in range(saved.number("n_hidden_units")):
            n_weights = 1 + data.n_inputs + i
            training._add_unit(flat[:n_weights].copy(), "tanh")
            flat = flat[n_weights:]
        weights = np.zeros((data.n_outputs, training._n_features), np.float32)
        training._begin_output_phase(weights)
        training._output.load("output_", state)
        pool = saved.number("pool")
        if pool:
            training._begin_candidate_phase(pool).load("candidate_", state)
        return training

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything between two chunks, as arrays of numbers: `restore` goes on as if nothing had been."""
        pool = 0 if self._candidates is None else len(self._candidates.weights)
        numbers = {
            "version": _STATE_VERSION,
            "checksum": self._data.checksum(),
            "seed": self._seed,
            "epoch": self._epoch,
            "n_installed": self._n_installed,
            "n_without_gain": self._n_without_gain,
            "n_hidden_units": len(self._hidden_weights),
            "finished": -1 if self._finished is None else _OUTCOMES.index(self._finished),
            "pool": pool,
        }
        arrays: dict[str, NDArray[np.generic]] = {name: np.array(value, np.int64) for name, value in numbers.items()}
        arrays["best_loss"] = np.array(self._best_loss, np.float64)
        arrays["measured"] = self._measured.copy()
        arrays["feature_mean"] = self._data.inputs.mean.copy()
        arrays["feature_scale"] = self._data.inputs.scale.copy()
        arrays["hidden_weights"] = np.concatenate([np.zeros(0, np.float32), *self._hidden_weights])
        arrays |= self._output.arrays("output_")
        if self._candidates is not None:
            arrays |= self._candidates.arrays("candidate_")
        return arrays

    @property
    def parameters(self) -> Parameters:
        """The parameters that the next phase begins with."""
        return self._parameters

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

    def set_parameters(self, parameters: Parameters) -> None:
        """Train by these from the next phase on; the phase that runs keeps its own.

        Raises:
            ParameterError: the task differs.
        """
        if parameters.task != self._data.task:
            raise ParameterError("task", "cannot change while training")
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
                self._finished = "solved" if layer.has_solved else self._reason_not_to_grow()
                if self._finished is None:
                    self._begin_candidate_phase(self._parameters.candidate_pool_size)
        else:
            candidates = self._candidates
            pool = self._backend.train_candidates(candidates, max_epochs)
            scores = candidates.scores.copy()
            rows = self._rows(np.broadcast_to(self._measured, (len(pool.scores), 4)), pool.scores.max(axis=1))
            if pool.has_ended:
                best = int(candidates.scores.argmax())
                if self._is_budget_spent():
                    self._finished = "max_epochs"
                elif not candidates.scores[best] > self._parameters.correlation_threshold:
                    self._finished = "no_candidate"
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
        """Why growth ends after an output phase that has not solved the task, or None."""
        parameters, loss = self._parameters, float(self._measured[LOSS])
        if loss < self._best_loss * _GAIN:
            self._best_loss = loss
            self._n_without_gain = 0
        else:
            self._n_without_gain += 1
        if self._is_budget_spent():
            return "max_epochs"
        if len(self._hidden_weights) >= parameters.max_hidden_units:
            return "max_hidden_units"
        if parameters.max_iterations is not None and self._n_installed >= parameters.max_iterations:
            return "max_iterations"
        if parameters.patience is not None and self._n_without_gain >= parameters.patience:
            return "stagnated"
        return None

    def _begin_output_phase(self, weights: NDArray[np.float32]) -> None:
        parameters = self._parameters
        self._candidates = None
        self._output = OutputState.start(
            weights,
            step=parameters.rate("output"),
            max_epochs=self._within_budget(parameters.output_epochs),
            patience=parameters.output_patience,
            change_threshold=parameters.output_change_threshold,
            error_threshold=parameters.error_threshold,
        )

    def _begin_candidate_phase(self, pool: int) -> CandidateState:
        parameters = self._parameters
        self._backend.measure_residuals(self._output.weights)
        self._candidates = CandidateState.start(
            candidate_weights(self._seed, len(self._hidden_weights), pool, self._n_features),
            self._data.n_outputs,
            step=parameters.rate("candidate"),
            max_epochs=self._within_budget(parameters.candidate_epochs),
            patience=parameters.candidate_patience,
            change_threshold=parameters.candidate_change_threshold,
        )
        return self._candidates

    def _install(self, candidates: CandidateState, best: int) -> Installation:
        """Freeze the best candidate; −covariance is its output weights' starting value."""
        index = len(self._hidden_weights)
        weights = candidates.weights[best].copy()
        self._add_unit(weights, "tanh")
        self._n_installed += 1
        own_weights = -candidates.covariances[best][:, np.newaxis]
        self._begin_output_phase(np.concatenate([self._output.weights, own_weights], axis=1))
        return Installation(index, float(candidates.scores[best]), self._epoch, weights)

    def _add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        self._backend.add_unit(weights)
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


def warm_up() -> float:
    """Load the compiled loops, so that the first training starts at once; the seconds that this took.

    Part of a second where numba's cache holds them (NUMBA_CACHE_DIR), some seconds where they must be compiled.
    """
    began = time.perf_counter()
    parameters = Parameters(max_hidden_units=1, candidate_epochs=2, output_epochs=2)
    training = Training.start(
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0], [1], [1], [0]], parameters, seed=0
    )
    while training.finished is None:
        training.advance()
    return time.perf_counter() - began


class _Data:
    """The checked patterns of a training, and how values outside become values inside and back."""

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        x_val: ArrayLike | None,
        y_val: ArrayLike | None,
        parameters: Parameters,
        scaling: Scaling | None,
    ) -> None:
        self.task = parameters.task
        self._x, self._y = checked(x, y, self.task)
        self.n_inputs: int = self._x.shape[1]
        self.n_outputs: int = self._y.shape[1]
        if self.task == "classification":
            check_several_classes(self._y)
        self.inputs = Scaling.of(self._x) if scaling is None else scaling
        if len(self.inputs.mean) != self.n_inputs:
            raise DataError("x", f"has {self.n_inputs} columns, but the network {len(self.inputs.mean)} inputs")
        # Targets of a regression may have any scale, steps and thresholds have not.
        is_scaled = self.task == "regression"
        self._targets = Scaling.of(self._y) if is_scaled else Scaling.none(self.n_outputs)
        self._validation: Patterns | None = None
        if x_val is not None and y_val is not None:
            x_held, y_held = checked(x_val, y_val, self.task, suffix="_val")
            for name, held, own in (("x_val", x_held, self._x), ("y_val", y_held, self._y)):
                if held.shape[1] != own.shape[1]:
                    raise DataError(name, f"has {held.shape[1]} columns, but {name[0]} has {own.shape[1]}")
            self._validation = self._patterns(x_held, y_held)
        elif x_val is not None or y_val is not None:
            raise DataError("x_val" if x_val is None else "y_val", "is missing")
        self._checksum: int | None = None

    def make_backend(self) -> Backend:
        # numba only now: a process that never trains never loads it.
        from juniper_cascor.engine.numba_backend import NumbaBackend

        return NumbaBackend(self._patterns(self._x, self._y), self._validation, self.task)

    def check_shape_of(self, network: Network) -> None:
        if network.n_outputs != self.n_outputs:
            raise DataError("y", f"has {self.n_outputs} columns, but the network {network.n_outputs} outputs")
        if network.task != self.task:
            raise ParameterError("task", f"is {self.task}, but the network's is {network.task}")

    def checksum(self) -> int:
        if self._checksum is None:
            self._checksum = checksum(self._x, self._y)
        return self._checksum

    def to_external(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Output weights for standardised targets → for the targets themselves."""
        external = weights * self._targets.scale[:, np.newaxis]
        external[:, 0] += self._targets.mean
        return external

    def to_internal(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of to_external."""
        internal = weights.copy()
        internal[:, 0] -= self._targets.mean
        return internal / self._targets.scale[:, np.newaxis]

    def _patterns(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> Patterns:
        return Patterns.of(x, y, self.task, self.inputs, self._targets)


class _Saved:
    """Reads a saved state, and says what it lacks."""

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays
        if self.number("version") != _STATE_VERSION:
            raise StateError(f"the state has version {self.number('version')}, not {_STATE_VERSION}")

    def array(self, name: str) -> NDArray[np.generic]:
        if name not in self._arrays:
            raise StateError(f"the state lacks {name}")
        return np.asarray(self._arrays[name])

    def floats(self, name: str) -> NDArray[np.float32]:
        return self.array(name).astype(np.float32)

    def number(self, name: str) -> int:
        return int(self.array(name).astype(np.int64).item(0))
