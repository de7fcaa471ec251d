"""Cascade-Correlation in plain NumPy and double precision: the oracle that back ends are compared with.

Written from Fahlman & Lebiere 1990 (CMU-CS-90-100) with iRprop− (Igel & Hüsken 2003) in quickprop's place. Patterns
are rows here, nothing is padded, tiled or chunked, and nothing is taken from the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def standardised(x: Matrix) -> Matrix:
    """The bias and the inputs at mean 0 and deviation 1: [n, 1 + inputs]."""
    return np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])


@dataclass
class Rprop:
    """iRprop− on a matrix of weights; a row may be left where it is."""

    weights: Matrix
    first_step: float
    last: Matrix = field(init=False)
    steps: Matrix = field(init=False)

    def __post_init__(self) -> None:
        self.last = np.zeros_like(self.weights)
        self.steps = np.full_like(self.weights, self.first_step)

    def descend(self, slopes: Matrix, rows: NDArray[np.bool_] | None = None) -> None:
        """One step down the slopes, of these rows or of all."""
        moving = np.ones(len(slopes), bool) if rows is None else rows
        agreement = slopes * self.last
        factor = np.where(agreement > 0, 1.2, np.where(agreement < 0, 0.5, 1.0))
        steps = np.clip(self.steps * factor, 1e-6, 50.0)
        kept = np.where(agreement < 0, 0.0, slopes)
        self.weights[moving] -= (np.sign(kept) * steps)[moving]
        self.steps[moving], self.last[moving] = steps[moving], kept[moving]


class Patience:
    """Ends a phase when a value has not changed by a share of itself for a number of epochs."""

    def __init__(self, epochs: int, share: float) -> None:
        self._epochs, self._share = epochs, share
        self._mark: float | None = None
        self._waited = 0

    def is_over(self, value: float) -> bool:
        """Look at the next epoch's value."""
        if self._mark is None or abs(value - self._mark) > self._share * self._mark:
            self._mark, self._waited = value, 0
        else:
            self._waited += 1
        return self._waited >= self._epochs


def respond(features: Matrix, weights: Matrix) -> Matrix:
    """Output units in (−0.5, 0.5): [n, outputs]."""
    return 1 / (1 + np.exp(-features @ weights.T)) - 0.5


def residual(features: Matrix, weights: Matrix, targets: Matrix) -> Matrix:
    """Error times the offset sigmoid prime: [n, outputs]."""
    outputs = respond(features, weights)
    return (outputs - targets) * (0.25 - outputs**2 + 0.1)


def train_outputs(
    features: Matrix, targets: Matrix, weights: Matrix, *, epochs: int = 200, step: float = 0.05
) -> tuple[Matrix, list[float], bool]:
    """An output phase: (weights, loss per epoch, whether every output is within 0.4 of its target)."""
    rprop, patience, losses = Rprop(weights.copy(), step), Patience(12, 0.01), list[float]()
    while True:
        errors = respond(features, rprop.weights) - targets
        losses.append(float((errors**2).mean()))
        has_solved = bool((np.abs(errors) < 0.4).all())
        if has_solved or patience.is_over(losses[-1]) or len(losses) == epochs:
            return rprop.weights, losses, has_solved
        rprop.descend(residual(features, rprop.weights, targets).T @ features)


def train_candidates(
    features: Matrix,
    residuals: Matrix,
    weights: Matrix,
    *,
    epochs: int = 200,
    step: float = 0.1,
    patience_epochs: int = 12,
    change: float = 0.03,
) -> tuple[Matrix, list[NDArray[np.float64]], Matrix]:
    """A candidate phase: (weights, scores per epoch, covariances of each candidate with each output's residual)."""
    centred = residuals - residuals.mean(axis=0)
    pool, square_sum = len(weights), (centred**2).sum()
    rprop, patience = Rprop(weights.copy(), step), [Patience(patience_epochs, change) for _ in range(pool)]
    covariances = np.zeros((pool, centred.shape[1]))
    active, scores = np.ones(pool, bool), list[NDArray[np.float64]]()
    while True:
        signs = np.sign(covariances)  # of the epoch before
        activations = np.tanh(features @ rprop.weights.T)
        covariances = np.where(active[:, np.newaxis], activations.T @ centred / square_sum, covariances)
        score = np.abs(covariances).sum(axis=1)
        scores.append(score)
        for c in np.flatnonzero(active):
            active[c] = not patience[c].is_over(score[c]) and len(scores) < epochs
        if not active.any():
            return rprop.weights, scores, covariances
        rprop.descend(-((centred @ signs.T) * (1 - activations**2)).T @ features, active)


def units_to_solve(x: Matrix, targets: Matrix, first_weights: Callable[[int, int], Matrix], limit: int) -> int:
    """Grow until solved, from first_weights(unit, n_weights) for each pool; the number of installed units."""
    features = standardised(x)
    weights = np.zeros((targets.shape[1], features.shape[1]))
    for unit in range(limit + 1):
        weights, _, has_solved = train_outputs(features, targets, weights)
        if has_solved:
            return unit
        residuals = residual(features, weights, targets)
        candidates, scores, covariances = train_candidates(features, residuals, first_weights(unit, features.shape[1]))
        best = int(scores[-1].argmax())
        features = np.column_stack([features, np.tanh(features @ candidates[best])])
        weights = np.column_stack([weights, -covariances[best]])
    raise AssertionError(f"not solved with {limit} units")
