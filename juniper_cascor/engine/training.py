"""The grow loop of Cascade-Correlation (Fahlman & Lebiere 1990).

Train the output layer; if some output is still too far from its target, train a pool of candidate units to
correlate with the residual error, install the best one with its input weights frozen, and start again.
`Training.advance` is that loop, taken apart into chunks of a few milliseconds.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from juniper_cascor.engine import backends
from juniper_cascor.engine.backend import (
    ACCURACY,
    BACKENDS,
    CPU_BACKENDS,
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
from juniper_cascor.engine.gains import Gains, Grown
from juniper_cascor.engine.hidden_units import HiddenUnits, saved_units
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.engine.patterns import Scaling
from juniper_cascor.engine.saved_state import STATE_VERSION, SavedState, require
from juniper_cascor.engine.training_data import TrainingData

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.activations import Activation

_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Training:
    """A network that grows, chunk by chunk.

    The result is a function of the data, the parameters and the seed: where chunks end, and whether the
    training was saved and restored between two of them, changes no bit of it.
    """

    def __init__(
        self, data: TrainingData, parameters: Parameters, seed: int, backend: BackendName | None, threads: int | None
    ) -> None:
        """Use `start` or `restore`."""
        self._data = data
        self._next_data: TrainingData | None = None  # what the next phase begins with
        self._backend = backends.make(backend, data, parameters, threads)
        self._threads = threads
        self._parameters = parameters
        self._seed = seed
        self._epoch = 0
        self._n_installed = 0  # by this training, so without the units of a network that it started from
        self._units = HiddenUnits()
        self._measured = np.full(4, np.nan, np.float32)  # the last row of the output phase
        self._gains = Gains()
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
        training = cls(data, parameters, seed, backend, threads)
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
        backend: BackendName | None = None,
    ) -> Training:
        """Take up a training where `state` left it, with the same data and parameters.

        Args:
            x: As for `start`, and so the other arrays.
            y: The targets.
            parameters: Those of the training.
            state: What `state` returned.
            x_val: Validation inputs.
            y_val: Their targets.
            threads: As for `start`.
            backend: Another one than that of the state: then the network may become another.

        Raises:
            DataError: as `start`.
            DeviceError: the back end's GPU cannot be trained on.
            StateError: the state is incomplete, or belongs to other data.
        """
        saved = SavedState(state)
        n_inputs = len(saved.array("feature_mean").reshape(-1))
        scaling = Scaling(saved.doubles("feature_mean", n_inputs), saved.doubles("feature_scale", n_inputs))
        require(bool((scaling.scale > 0).all()), "feature_scale is not positive")
        data = TrainingData(x, y, x_val, y_val, parameters, scaling)
        if saved.number("checksum") != data.checksum:
            raise StateError("the state belongs to other data than these")
        own = BACKENDS[saved.number("backend", 0, len(BACKENDS) - 1)]
        training = cls(data, parameters, saved.number("seed"), backend or own, threads)
        training._epoch = saved.number("epoch")
        training._n_installed = saved.number("n_installed")
        training._measured = saved.floats("measured", 4)
        finished = saved.number("finished", -1, len(_OUTCOMES) - 1)
        training._finished = None if finished < 0 else _OUTCOMES[finished]
        for weights, activation in saved_units(saved, 1 + n_inputs):
            training._add_unit(weights, activation)
        training._gains = Gains.saved(saved, data.n_outputs, 1 + n_inputs, len(training._units))
        training._begin_output_phase(np.zeros((data.n_outputs, training._n_features), np.float32))
        training._output.load("output_", state)
        pool = saved.number("pool", 0, int(parameter_fields()["candidate_pool_size"].high))
        if pool:
            training._begin_candidate_phase(replace(parameters, candidate_pool_size=pool)).load("candidate_", state)
        return training

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything between two chunks, as arrays of numbers: `restore` goes on as if nothing had been.

        But for patterns that wait for the next phase: they are to be given to `set_data` again.
        """
        pool = 0 if self._candidates is None else len(self._candidates.weights)
        numbers = {
            "version": STATE_VERSION,
            "checksum": self._data.checksum,
            "backend": BACKENDS.index(self.backend),
            "seed": self._seed,
            "epoch": self._epoch,
            "n_installed": self._n_installed,
            "finished": -1 if self._finished is None else _OUTCOMES.index(self._finished),
            "pool": pool,
        }
        arrays: dict[str, NDArray[np.generic]] = {name: np.array(value, np.int64) for name, value in numbers.items()}
        arrays["measured"] = self._measured.copy()
        arrays["feature_mean"] = self._data.inputs.mean.copy()
        arrays["feature_scale"] = self._data.inputs.scale.copy()
        arrays |= self._units.arrays() | self._gains.arrays() | self._output.arrays("output_")
        if self._candidates is not None:
            self._backend.bring_back(self._candidates)
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
            hidden_weights=self._units.weights,
            output_weights=self._data.to_external(self._output.weights),
            task=self._data.task,
            activations=self._units.activations,
        )

    @property
    def best_network(self) -> Network:
        """What `network` would be if the training ended now: the one that was best on the validation patterns so far.

        Without `Parameters.validation_patience` it is the network as it stands.
        """
        network, best = self.network, self._gains.best
        if best is None:
            return network
        return replace(
            network,
            hidden_weights=network.hidden_weights[: best.n_hidden_units],
            activations=network.activations[: best.n_hidden_units],
            output_weights=self._data.to_external(best.output_weights),
        )

    @property
    def has_next_data(self) -> bool:
        """Whether patterns that `set_data` was given wait for the next phase."""
        return self._next_data is not None

    def set_parameters(self, parameters: Parameters) -> None:
        """Train by these from the next phase on; the phase that runs keeps its own.

        Raises:
            ParameterError: the task or the class weights differ.
        """
        for name in ("task", "class_weights"):
            if getattr(parameters, name) != getattr(self._parameters, name):
                raise ParameterError(name, "cannot change while training")
        self._parameters = parameters

    def set_data(
        self, x: ArrayLike, y: ArrayLike, *, x_val: ArrayLike | None = None, y_val: ArrayLike | None = None
    ) -> None:
        """Train on these patterns from the next phase on; the phase that runs ends on its own ones.

        The next phase is then an output phase, even where the training would have ended, unless its budget of epochs
        is spent: a candidate's residual errors must be those of an output layer that was trained on its patterns.
        Hidden units, output weights and the scaling of the inputs stay; what growth gained on the patterns before
        counts no more. Of several calls in a phase the last one counts.

        Args:
            x: As for `start`, with as many columns as the network has inputs.
            y: With as many columns as the network has outputs.
            x_val: Validation inputs; without them there are none from the next phase on.
            y_val: Their targets.

        Raises:
            DataError: as `start`; then the patterns stay those that there were.
            ParameterError: the class weights are not as many as the classes.
            ValueError: the training has finished.
        """
        self._check_not_finished()
        data = TrainingData(x, y, x_val, y_val, self._parameters, self._data.inputs)
        data.check_shape_of(self.network)
        self._next_data = data

    def cancel_data(self) -> None:
        """Forget what `set_data` was given, where the next phase has not begun with it yet."""
        self._next_data = None

    def advance(self, max_epochs: int | None = None) -> Progress:
        """Train one chunk: at most max_epochs (1 or more), at most about 20 ms of work, within one phase.

        Where new data is taken up, every hidden unit is computed on it besides.

        Raises:
            ValueError: max_epochs is less than 1, or the training has finished.
        """
        self._check_not_finished()
        if max_epochs is not None and max_epochs < 1:
            raise ValueError(f"max_epochs must be 1 or more, not {max_epochs}")
        n_hidden_units = len(self._units)
        phase, data = self.phase, self._data
        scores = installed = None

        if self._candidates is None:
            layer = self._backend.train_outputs(self._output, max_epochs)
            self._measured = layer.rows[-1].copy()
            rows = self._rows(layer.rows, np.full(len(layer.rows), np.nan, np.float32))
            if layer.has_ended:
                self._leave_output_phase(layer.has_solved)
        else:
            candidates = self._candidates
            pool = self._backend.train_candidates(candidates, max_epochs)
            scores = candidates.scores.copy()
            rows = self._rows(self._measured[np.newaxis].repeat(len(pool.best_scores), axis=0), pool.best_scores)
            if pool.has_ended:
                installed = self._leave_candidate_phase(candidates)

        has_new_data = self._data is not data
        return Progress(phase, rows, n_hidden_units, scores, installed, has_new_data, self._finished)

    def _leave_output_phase(self, has_solved: bool) -> None:
        reason = self._reason_not_to_grow()
        if self._next_data is not None and not self._is_budget_spent():
            self._go_on_with(self._next_data)
        elif has_solved or reason is not None:
            self._finish("solved" if has_solved else reason)
        else:
            self._begin_candidate_phase(self._parameters)

    def _leave_candidate_phase(self, candidates: CandidateState) -> Installation | None:
        """Install the best candidate, where it is good enough and the budget of epochs is not spent."""
        if self._is_budget_spent():
            self._finish("max_epochs")
            return None
        self._backend.bring_back(candidates)
        best = winner(candidates, self._parameters.descendant_factor)
        installed = None
        if candidates.scores[best] > self._parameters.correlation_threshold:
            installed = self._install(candidates, best)
        elif self._next_data is None:
            self._finish("no_candidate")
        if self._next_data is not None:
            self._go_on_with(self._next_data)
        return installed

    def _go_on_with(self, data: TrainingData) -> None:
        """Begin an output phase on other patterns, on the same back end."""
        backend = backends.make(self.backend, data, self._parameters, self._threads)
        for weights, activation in self._units:
            backend.add_unit(weights, activation)
        # A regression's targets bring their own scaling.
        output_weights = data.to_internal(self._data.to_external(self._output.weights))
        self._backend, self._data, self._next_data = backend, data, None
        self._gains = Gains()
        self._begin_output_phase(output_weights)

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
        parameters, gains, n_units = self._parameters, self._gains, len(self._units)
        gains.note_loss(float(self._measured[LOSS]))
        stops_early = parameters.validation_patience is not None and self._data.has_validation
        if stops_early:
            grown = Grown(n_units, self._output.weights.copy())
            gains.note_validation_loss(float(self._measured[VAL_LOSS]), grown)
        if self._is_budget_spent():
            return "max_epochs"
        if n_units >= parameters.max_hidden_units:
            return "max_hidden_units"
        if parameters.max_iterations is not None and self._n_installed >= parameters.max_iterations:
            return "max_iterations"
        if parameters.patience is not None and gains.loss.n_without >= parameters.patience:
            return "stagnated"
        if stops_early and gains.validation_loss.n_without >= (parameters.validation_patience or 0):
            return "early_stopped"
        return None

    def _finish(self, outcome: Outcome | None) -> None:
        """End, with the network that was best on the validation patterns where that was watched."""
        self._finished = outcome
        self._candidates = self._next_data = None
        if (best := self._gains.best) is not None:
            self._units.truncate(best.n_hidden_units)
            self._begin_output_phase(best.output_weights.copy())

    def _begin_output_phase(self, weights: NDArray[np.float32]) -> None:
        self._candidates = None
        max_epochs = self._within_budget(self._parameters.output_epochs)
        self._output = OutputState.start(weights, self._parameters, max_epochs)

    def _begin_candidate_phase(self, parameters: Parameters) -> CandidateState:
        self._backend.measure_residuals(self._output.weights)
        self._candidates = new_pool(
            parameters,
            self._seed,
            fan_ins=self._units.fan_ins,
            n_features=self._n_features,
            n_outputs=self._data.n_outputs,
            max_epochs=self._within_budget(parameters.candidate_epochs),
        )
        return self._candidates

    def _install(self, candidates: CandidateState, best: int) -> Installation:
        """Freeze the best candidate."""
        index = len(self._units)
        weights = candidates.best_weights[best, : candidates.fan_ins[best]].copy()
        activation = candidates.activation(best)
        self._add_unit(weights, activation)
        self._n_installed += 1
        self._begin_output_phase(output_weights_with(self._output.weights, candidates, best))
        return Installation(index, float(candidates.scores[best]), self._epoch, weights, activation)

    def _add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        self._backend.add_unit(weights, activation)
        self._units.append(weights, activation)

    def _check_not_finished(self) -> None:
        if self._finished is not None:
            raise ValueError(f"the training has finished: {self._finished}")

    @property
    def _n_features(self) -> int:
        return 1 + self._data.n_inputs + len(self._units)

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
    x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0], [1], [1], [0]]
    for backend in CPU_BACKENDS:
        training = Training.start(x, y, parameters, seed=0, backend=backend)
        while training.finished is None:
            training.advance()
    return time.perf_counter() - began
