"""The CPU back end: compiled loops in float32, on one thread or with the candidates shared out over several.

Importing this module loads numba.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from juniper_cascor.engine import candidate_kernels, numba_loading, output_kernels
from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.backend import BackendName, CandidateChunk, OutputChunk, shares
from juniper_cascor.engine.numba_math import TILE
from juniper_cascor.engine.patterns import aligned_zeros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import CandidateState, OutputState
    from juniper_cascor.engine.parameters import Task
    from juniper_cascor.engine.patterns import Patterns

_CHUNK_NS = 10e6  # half of the 20 ms that a chunk may take, by the estimate below

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class NumbaBackend:
    """Trains on the CPU. See `Backend` for the contract.

    Args:
        threads: Over how many threads candidates are shared out; no result depends on it.
    """

    def __init__(
        self, patterns: Patterns, validation: Patterns, task: Task, *, name: BackendName, threads: int
    ) -> None:
        numba_loading.load(output_kernels.KERNELS + candidate_kernels.KERNELS)
        self.name = name
        self._train = patterns
        self._held_out = validation
        self._is_linear = task == "regression"
        self._residuals = aligned_zeros(*patterns.targets.shape)
        self._sum_of_squares = 0.0
        self._buffers, self._chosen = scratch()
        self._threads = threads
        self._workers: ThreadPoolExecutor | None = None
        self._workers_pid = 0

    def add_unit(self, weights: NDArray[np.float32], activation: Activation) -> None:
        """Install a unit: compute its activations once, as a new feature."""
        code = ACTIVATIONS.index(activation)
        for patterns in (self._train, self._held_out):
            row = patterns.add_row()
            if patterns.n:
                candidate_kernels.install(patterns.features, patterns.n, weights, code, row, self._buffers)

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase."""
        rows = np.empty((self._output_chunk(state, max_epochs), 4), np.float32)
        train, held_out = self._train, self._held_out
        epochs, has_ended, has_solved = output_kernels.train_outputs(
            train.features,
            train.targets,
            train.labels,
            train.importances,
            train.n,
            held_out.features,
            held_out.targets,
            held_out.labels,
            held_out.importances,
            held_out.n,
            self._is_linear,
            state.weights,
            state.memory,
            state.steps,
            state.clock,
            state.mark,
            state.limits,
            state.rule,
            state.settings,
            np.empty_like(state.weights),
            self._buffers,
            self._chosen,
            rows,
        )
        return OutputChunk(rows[:epochs], has_ended, has_solved)

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""
        self._sum_of_squares = output_kernels.measure_residuals(
            self._train.features,
            self._train.targets,
            self._train.importances,
            self._train.n,
            self._is_linear,
            output_weights,
            self._residuals,
            self._buffers,
        )

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase."""
        pool, n_outputs = state.covariances.shape
        n_epochs = self._chunk(len(self._train.labels), -(-pool // self._threads), n_outputs, max_epochs, state.limits)
        scores = np.empty((pool, n_epochs), np.float32)

        def train(own: slice) -> int:
            epochs: int = candidate_kernels.train_candidates(
                self._train.features,
                self._residuals,
                self._train.n,
                self._sum_of_squares,
                state.weights[own],
                state.memory[own],
                state.steps[own],
                state.covariances[own],
                state.moments[own],
                state.scores[own],
                state.best_weights[own],
                state.best_covariances[own],
                state.best_moments[own],
                state.marks[own],
                state.waited[own],
                state.active[own],
                state.fan_ins[own],
                state.activations[own],
                state.clock,
                state.limits,
                state.rule,
                state.settings,
                np.empty(state.weights.shape[1], np.float32),
                np.empty(n_outputs, np.float32),
                scratch()[0],
                scores[own],
            )
            return epochs

        epochs = max(self._shared_out(train, shares(pool, 4 * self._threads if self._threads > 1 else 1)))
        state.clock[0] += epochs
        return CandidateChunk(scores[:, :epochs].max(axis=0), not state.active.any())

    def bring_back(self, state: CandidateState) -> None:
        """Nothing: a state is always here."""

    def _shared_out(self, work: Callable[[_Task], _Result], tasks: Iterable[_Task]) -> list[_Result]:
        """The results of all tasks in their order, worked on by the threads; in a fork, by new ones."""
        if self._threads == 1:
            return [work(task) for task in tasks]
        if self._workers is None or self._workers_pid != os.getpid():
            self._workers = ThreadPoolExecutor(self._threads, "juniper-trainer")
            self._workers_pid = os.getpid()
        return list(self._workers.map(work, tasks))

    def _output_chunk(self, state: OutputState, max_epochs: int | None) -> int:
        """Epochs of the next chunk of an output phase."""
        n_columns = len(self._train.labels) + len(self._held_out.labels)
        return self._chunk(n_columns, len(state.weights), 1, max_epochs, state.limits)

    def _chunk(
        self, n_columns: int, n_units: int, n_outputs: int, max_epochs: int | None, limits: NDArray[np.int64]
    ) -> int:
        """Epochs of the next chunk: a function of sizes, never of a clock, and no result depends on it."""
        epoch_ns = n_units * n_columns * (2.0 + 0.3 * self._train.n_features + n_outputs)
        epochs = min(max(1, int(_CHUNK_NS / epoch_ns)), int(limits[0]))
        return epochs if max_epochs is None else min(epochs, max_epochs)


def scratch() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Memory for what a loop computes on a tile: three rows of values, and one of classes."""
    return aligned_zeros(3, TILE), np.empty(TILE, np.int32)
