"""The CPU back end for large sets and pools: all candidates at once, as matrix products of NumPy's BLAS.

The work is cut by sizes alone into groups of candidates and blocks of patterns, each product runs on one thread of
the BLAS, and sums over blocks are taken in their order: so threads share the work and no bit depends on how many.
Importing this module loads numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from juniper_cascor.engine import batched_kernels as kernels
from juniper_cascor.engine import numba_loading
from juniper_cascor.engine.backend import CandidateChunk, OutputChunk, shares
from juniper_cascor.engine.numba_backend import NumbaBackend, scratch
from juniper_cascor.engine.patterns import PADDING, Patterns, aligned_zeros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.backend import CandidateState, OutputState
    from juniper_cascor.engine.parameters import Task

GROUP = 64  # candidates multiplied at once
TILE = 512  # patterns multiplied at once
_TASKS = 16  # into which an epoch is cut where it can be, so that as many threads have work
_LEAST_BLOCK = 4096  # patterns; smaller blocks are not worth a thread


class BatchedBackend(NumbaBackend):
    """Trains on the CPU with products of matrices. See `Backend` for the contract."""

    def __init__(self, patterns: Patterns, validation: Patterns, task: Task, *, threads: int) -> None:
        numba_loading.load(kernels.KERNELS)
        super().__init__(patterns, validation, task, name="numba-batched", threads=threads)
        self._blas = ThreadpoolController().select(user_api="blas")

    def train_outputs(self, state: OutputState, max_epochs: int | None) -> OutputChunk:
        """Run one chunk of an output phase."""
        epochs = self._output_chunk(state, max_epochs)
        rows = np.full((epochs, 4), np.nan, np.float32)
        train, held_out = self._train, self._held_out
        for epoch in range(epochs):
            slopes, loss, largest = self._learn(state.weights, train, rows[epoch, :2], wants_slopes=True)
            if held_out.n:
                self._learn(state.weights, held_out, rows[epoch, 2:], wants_slopes=False)
            has_ended, has_solved = kernels.conclude_layer(
                loss,
                largest,
                slopes,
                train.n,
                state.weights,
                state.memory,
                state.steps,
                state.clock,
                state.mark,
                state.limits,
                state.rule,
                state.settings,
            )
            if has_ended:
                return OutputChunk(rows[: epoch + 1], True, has_solved)
        return OutputChunk(rows, False, False)

    def _learn(
        self,
        weights: NDArray[np.float32],
        patterns: Patterns,
        row: NDArray[np.float32],
        *,
        wants_slopes: bool,
    ) -> tuple[NDArray[np.float32], float, np.float32]:
        """One pass over patterns, its loss and accuracy written to a row: slopes, loss and largest error."""
        n_outputs, n_features = weights.shape

        def learn(block: slice) -> tuple[NDArray[np.float32], float, int, np.float32]:
            slopes = np.empty((n_outputs, n_features), np.float32)
            return slopes, *kernels.learn_block(
                patterns.features,
                patterns.targets,
                patterns.labels,
                patterns.importances,
                block.start,
                block.stop,
                weights,
                self._is_linear,
                wants_slopes,
                slopes,
                *scratch(),
            )

        parts = self._shared_out(learn, _blocks(patterns.targets.shape[1], _TASKS))
        loss = sum(part[1] for part in parts) / (patterns.n * n_outputs)
        row[0] = loss
        if not self._is_linear:
            row[1] = sum(part[2] for part in parts) / patterns.n
        slopes = parts[0][0]
        for part in parts[1:]:
            slopes += part[0]
        return slopes, loss, np.float32(max(part[3] for part in parts))

    def train_candidates(self, state: CandidateState, max_epochs: int | None) -> CandidateChunk:
        """Run one chunk of a candidate phase."""
        pool, n_outputs = state.covariances.shape
        epochs = self._chunk(len(self._train.labels), pool, n_outputs, max_epochs, state.limits)
        best_scores = np.empty(epochs, np.float32)
        with self._blas.limit(limits=1):
            for epoch in range(epochs):
                self._train_candidates_once(state)
                best_scores[epoch] = state.scores.max()
                if not state.active.any():
                    return CandidateChunk(best_scores[: epoch + 1], True)
        return CandidateChunk(best_scores, False)

    def _train_candidates_once(self, state: CandidateState) -> None:
        active = np.flatnonzero(state.active)
        groups = [active[i : i + GROUP] for i in range(0, len(active), GROUP)]
        blocks = _blocks(len(self._train.labels), max(1, _TASKS // len(groups)))
        passes = self._shared_out(
            lambda task: self._correlate(state, *task), [(group, block) for group in groups for block in blocks]
        )
        for number, group in enumerate(groups):
            whole, *others = passes[number * len(blocks) : (number + 1) * len(blocks)]
            for other in others:
                whole.add(other)
            kernels.conclude_pool(
                group,
                whole.slopes,
                whole.covariances,
                whole.totals,
                whole.squares,
                self._train.n,
                self._sum_of_squares,
                state.weights,
                state.memory,
                state.steps,
                state.covariances,
                state.moments,
                state.scores,
                state.best_weights,
                state.best_covariances,
                state.best_moments,
                state.marks,
                state.waited,
                state.active,
                state.fan_ins,
                state.clock,
                state.limits,
                state.rule,
                state.settings,
            )
        state.clock[0] += 1

    def _correlate(self, state: CandidateState, group: NDArray[np.int64], block: slice) -> _Pass:
        """One pass of a group of candidates over a block of patterns."""
        n_features = state.weights.shape[1]
        weights, activations = state.weights[group], state.activations[group]
        coefficients, pulls, means = self._aims(state, group)
        whole = _Pass.empty(len(group), n_features, state.covariances.shape[1])
        slopes, covariances = whole.slopes, whole.covariances
        buffers = aligned_zeros(1 + 2 * len(group), TILE)
        primes = buffers[-1]
        for tile in _tiles(block):
            width = tile.stop - tile.start
            features, residuals = self._train.features[:n_features, tile], self._residuals[:, tile]
            sums, responses = buffers[: len(group), :width], buffers[len(group) : -1, :width]
            np.matmul(weights, features, out=sums)
            aims = coefficients @ residuals
            kernels.respond_pool(
                sums,
                aims,
                activations,
                pulls,
                means,
                self._train.n - tile.start,
                primes,
                responses,
                whole.totals,
                whole.squares,
            )
            covariances += responses @ residuals.T
            slopes += aims @ features.T
        return whole

    def _aims(
        self, state: CandidateState, group: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """As `candidate_kernels.aim`, of a group: coefficients [group, outputs], pulls and means [group]."""
        covariances, means, variances = state.covariances[group], *state.moments[group].T
        if not state.is_normalised:
            nothing = np.zeros(len(group), np.float32)
            return np.sign(covariances), nothing, nothing
        inverses = np.divide(1, variances, out=np.zeros_like(variances), where=variances > 0)
        coefficients = covariances * inverses[:, np.newaxis]
        pulls = np.square(coefficients).sum(axis=1) * np.float32(self._sum_of_squares)
        return coefficients, pulls, np.ascontiguousarray(means)


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """What a pass of a group of candidates over patterns sums up."""

    slopes: NDArray[np.float32]  # [group, features]
    covariances: NDArray[np.float32]  # [group, outputs]
    totals: NDArray[np.float64]  # [group], of the activations
    squares: NDArray[np.float64]  # [group]

    @classmethod
    def empty(cls, n_candidates: int, n_features: int, n_outputs: int) -> _Pass:
        return cls(
            np.zeros((n_candidates, n_features), np.float32),
            np.zeros((n_candidates, n_outputs), np.float32),
            np.zeros(n_candidates, np.float64),
            np.zeros(n_candidates, np.float64),
        )

    def add(self, other: _Pass) -> None:
        for own, others in (
            (self.slopes, other.slopes),
            (self.covariances, other.covariances),
            (self.totals, other.totals),
            (self.squares, other.squares),
        ):
            own += others


def _blocks(ld: int, most: int) -> Sequence[slice]:
    """Patterns in at most so many blocks, each beginning where a cache line does."""
    units = ld // PADDING
    parts = shares(units, min(most, max(1, ld // _LEAST_BLOCK)))
    return [slice(part.start * PADDING, part.stop * PADDING) for part in parts]


def _tiles(block: slice) -> Sequence[slice]:
    return [slice(start, min(start + TILE, block.stop)) for start in range(block.start, block.stop, TILE)]
