"""The CPU back end: one thread, compiled loops, float32. Importing this module loads numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juniper_cascor.engine import numba_kernels as kernels
from juniper_cascor.engine.backend import CandidateChunk, OutputChunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.engine.backend import CandidateState, OutputState
    from juniper_cascor.engine.parameters import Task
    from juniper_cascor.engine.patterns import Patterns

_CHUNK_NS = 10e6  # half of the 20 ms that a chunk may take, by the estimate below
_SPARE_ROWS = 16


class NumbaBackend:
    """Trains on the CPU. See `Backend` for the contract."""

    def __init__(self, patterns: Patterns, validation: Patterns | None, task: Task) -> None:
        self._patterns = patterns
        self._is_linear = task == "regression"
        self._n_features = len(patterns.features)
        self._features = _with_room(patterns.features, self._n_features)
        n_outputs = len(patterns.targets)
        self._residuals = np.zeros_like(patterns.targets)
        self._sum_of_squares = 0.0
        self._n_val = 0 if validation is None else validation.n
        if validation is None:
            self._val_features = np.zeros((0, 0), np.float32)
            self._val_targets = np.zeros((n_outputs, 0), np.float32)
            self._val_labels = np.zeros(0, np.int32)
        else:
            self._val_features = _with_room(validation.features, self._n_features)
            self._val_targets, self._val_labels = validation.targets, validation.labels

    def add_unit(self, weights: NDArray[np.float32]) -> None:
        """Install a unit: compute its activations once, as a new feature."""
        if self._n_features == len(self._features):
            self._features = _with_room(self._features, self._n_features)
        kernels.activate(self._features, weights, self._features[self._n_features])
        if self._n_val:
            if self._n_features == len(self._val_features):
                self._val_features = _with_room(self._val_features, self._n_features)
            kernels.activate(self._val_features, weights, self._val_features[self._n_features])
        self._n_features += 1

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase."""
        n_columns = self._features.shape[1] + self._val_features.shape[1]
        n_layers = len(state.weights)
        rows = np.empty((_chunk(n_columns, n_layers, self._n_features, 1, max_epochs, state.limits), 4), np.float32)
        epochs, has_ended, has_solved = kernels.train_outputs(
            self._features,
            self._patterns.targets,
            self._patterns.labels,
            self._patterns.n,
            self._val_features,
            self._val_targets,
            self._val_labels,
            self._n_val,
            self._is_linear,
            state.weights,
            state.slopes,
            state.steps,
            state.clock,
            state.mark,
            state.limits,
            state.thresholds,
            rows,
        )
        return OutputChunk(rows[:epochs], has_ended, has_solved)

    def measure_residuals(self, output_weights: NDArray[np.float32]) -> None:
        """Begin a candidate phase: keep this layer's residual errors, centred over the patterns."""
        self._sum_of_squares = kernels.measure_residuals(
            self._features,
            self._patterns.targets,
            self._patterns.n,
            self._is_linear,
            output_weights,
            self._residuals,
        )

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase."""
        pool, n_outputs = state.covariances.shape
        n_columns = self._features.shape[1]
        n_epochs = _chunk(n_columns, pool, self._n_features, n_outputs, max_epochs, state.limits)
        rows = np.empty((n_epochs, pool), np.float32)
        epochs, has_ended = kernels.train_candidates(
            self._features,
            self._residuals,
            self._sum_of_squares,
            state.weights,
            state.slopes,
            state.steps,
            state.covariances,
            state.scores,
            state.marks,
            state.waited,
            state.active,
            state.clock,
            state.limits,
            state.thresholds,
            rows,
        )
        return CandidateChunk(rows[:epochs], has_ended)


def _with_room(features: NDArray[np.float32], n_features: int) -> NDArray[np.float32]:
    """A copy with rows to spare for units to come."""
    grown = np.zeros((n_features + max(_SPARE_ROWS, n_features // 2), features.shape[1]), np.float32)
    grown[:n_features] = features[:n_features]
    return grown


def _chunk(
    n_columns: int,
    n_units: int,
    n_features: int,
    n_outputs: int,
    max_epochs: int | None,
    limits: NDArray[np.int64],
) -> int:
    """Epochs of the next chunk: a function of sizes, never of a clock, and no result depends on it."""
    epoch_ns = n_units * n_columns * (2.0 + 0.3 * n_features + n_outputs)
    epochs = min(max(1, int(_CHUNK_NS / epoch_ns)), int(limits[0]))
    return epochs if max_epochs is None else min(epochs, max_epochs)
