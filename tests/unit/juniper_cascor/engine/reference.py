"""Cascade-Correlation in plain NumPy and double precision: the oracle that back ends are compared with.

Written from the papers: Fahlman & Lebiere 1990 (CMU-CS-90-100); iRprop−, Igel & Hüsken 2003; quickprop, Fahlman 1988;
Adam, Kingma & Ba 2015; the normalised objective, Kwok & Yeung 1997; siblings, Baluja & Fahlman 1994. Patterns are
rows here, nothing is padded, tiled or chunked, and nothing is taken from the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.bool_]

ACTIVATIONS: dict[str, tuple[Callable[[Matrix], Matrix], Callable[[Matrix], Matrix]]] = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)) - 0.5, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "gaussian": (lambda x: np.exp(-(x**2) / 2), lambda x: -x * np.exp(-(x**2) / 2)),
    "sin": (np.sin, np.cos),
}
"""Each with its derivative."""


def standardised(x: Matrix) -> Matrix:
    """The bias and the inputs at mean 0 and deviation 1: [n, 1 + inputs]."""
    return np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])


class Irprop:
    """iRprop−, from a first step."""

    def __init__(self, weights: Matrix, rate: float) -> None:
        self._last, self._steps = np.zeros_like(weights), np.full_like(weights, rate)

    def moves(self, slopes: Matrix, time: int) -> Matrix:  # noqa: ARG002 - Adam's
        """What to add to the weights."""
        agreement = slopes * self._last
        factor = np.where(agreement > 0, 1.2, np.where(agreement < 0, 0.5, 1.0))
        self._steps = np.clip(self._steps * factor, 1e-6, 50.0)
        self._last = np.where(agreement < 0, 0.0, slopes)
        return -np.sign(self._last) * self._steps


class Quickprop:
    """Quickprop with ε the rate and the maximal growth μ; a weight at a time, as the paper tells it."""

    def __init__(self, weights: Matrix, rate: float, mu: float = 1.75) -> None:
        self._rate, self._mu = rate, mu
        self._last, self._moves = np.zeros_like(weights), np.zeros_like(weights)

    def moves(self, slopes: Matrix, time: int) -> Matrix:  # noqa: ARG002 - Adam's
        """What to add to the weights."""
        triples = zip(slopes.flat, self._last.flat, self._moves.flat, strict=True)
        self._moves = np.array([self._move(*triple) for triple in triples]).reshape(slopes.shape)
        self._last = slopes
        return self._moves

    def _move(self, slope: float, last: float, move: float) -> float:
        shrinkage = self._mu / (1 + self._mu)
        if move == 0:
            return -self._rate * slope
        if move > 0:
            gradient = -self._rate * slope if slope < 0 else 0.0
            is_steep = slope <= shrinkage * last
        else:
            gradient = -self._rate * slope if slope > 0 else 0.0
            is_steep = slope >= shrinkage * last
        return gradient + (self._mu * move if is_steep else move * slope / (last - slope))


class Adam:
    """Adam with β 0.9 and 0.999."""

    def __init__(self, weights: Matrix, rate: float) -> None:
        self._rate = rate
        self._mean, self._square = np.zeros_like(weights), np.zeros_like(weights)

    def moves(self, slopes: Matrix, time: int) -> Matrix:
        """What to add to the weights; time is counted from 1."""
        self._mean = 0.9 * self._mean + 0.1 * slopes
        self._square = 0.999 * self._square + 0.001 * slopes**2
        mean, square = self._mean / (1 - 0.9**time), self._square / (1 - 0.999**time)
        return -self._rate * mean / (np.sqrt(square) + 1e-8)


OPTIMIZERS: dict[str, type[Irprop] | type[Quickprop] | type[Adam]] = {
    "irprop-": Irprop,
    "quickprop": Quickprop,
    "adam": Adam,
}


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


@dataclass(frozen=True)
class Layer:
    """What an output layer is: sigmoid units in (−0.5, 0.5), or linear ones; what an error counts in each pattern."""

    linear: bool = False
    importances: Matrix | float = 1.0  # [n, 1]
    ridge: float = 0.0

    def respond(self, features: Matrix, weights: Matrix) -> Matrix:
        """Outputs: [n, outputs]."""
        sums = features @ weights.T
        return sums if self.linear else 1 / (1 + np.exp(-sums)) - 0.5

    def residual(self, features: Matrix, weights: Matrix, targets: Matrix) -> Matrix:
        """Error times the offset sigmoid prime: [n, outputs]."""
        outputs = self.respond(features, weights)
        prime = 1.0 if self.linear else 0.25 - outputs**2 + 0.1
        return self.importances * (outputs - targets) * prime


SIGMOID = Layer()


def train_outputs(
    features: Matrix,
    targets: Matrix,
    weights: Matrix,
    layer: Layer = SIGMOID,
    *,
    epochs: int = 200,
    optimizer: str = "irprop-",
    rate: float = 0.05,
) -> tuple[Matrix, list[float], bool]:
    """An output phase: (weights, loss per epoch, whether every output is within 0.4 of its target)."""
    weights, method, patience, losses = weights.copy(), OPTIMIZERS[optimizer](weights, rate), Patience(12, 0.01), [0.0]
    penalised = np.arange(weights.shape[1]) > 0
    while True:
        errors = layer.respond(features, weights) - targets
        losses.append(float((layer.importances * errors**2).mean()))
        has_solved = bool((np.abs(errors) < 0.4).all())
        if has_solved or patience.is_over(losses[-1]) or len(losses) - 1 == epochs:
            return weights, losses[1:], has_solved
        slopes = layer.residual(features, weights, targets).T @ features / len(features)
        weights += method.moves(slopes + layer.ridge * weights * penalised, len(losses) - 1)


@dataclass(frozen=True)
class Pool:
    """A pool after its phase, each candidate as it was in its best epoch."""

    weights: Matrix  # [pool, features]
    scores: Matrix  # [epochs, pool], of each epoch
    covariances: Matrix  # [pool, outputs]
    means: Matrix  # [pool]
    variances: Matrix  # [pool], sums of squared distances from the mean

    @property
    def kept(self) -> Matrix:
        """The best scores so far, epoch by epoch: [epochs, pool]."""
        return np.maximum.accumulate(self.scores, axis=0)


def train_candidates(
    features: Matrix,
    residuals: Matrix,
    weights: Matrix,
    *,
    epochs: int = 200,
    optimizer: str = "irprop-",
    rate: float = 0.1,
    patience_epochs: int = 12,
    change: float = 0.03,
    activations: Sequence[str] = ("tanh",),
    objective: str = "covariance",
    fan_ins: Sequence[int] | None = None,
) -> Pool:
    """A candidate phase. Candidates take the activations in turn, and see so many of the first features."""
    centred = residuals - residuals.mean(axis=0)
    results = []
    for c, first in enumerate(weights):
        fan_in = features.shape[1] if fan_ins is None else fan_ins[c]
        activation = activations[c % len(activations)]
        method = OPTIMIZERS[optimizer](first[:fan_in], rate)
        patience = Patience(patience_epochs, change)
        results.append(
            _train_candidate(
                features[:, :fan_in], centred, first[:fan_in].copy(), activation, objective, method, patience, epochs
            )
        )
    longest = max(len(result.scores) for result in results)
    return Pool(
        np.array([np.pad(result.weights, (0, features.shape[1] - len(result.weights))) for result in results]),
        np.array([np.pad(result.scores, (0, longest - len(result.scores)), mode="edge") for result in results]).T,
        np.array([result.covariances for result in results]),
        np.array([result.mean for result in results]),
        np.array([result.variance for result in results]),
    )


@dataclass(frozen=True)
class _Candidate:
    weights: Matrix
    scores: list[float]
    covariances: Matrix
    mean: float
    variance: float


def _train_candidate(
    features: Matrix,
    residuals: Matrix,
    weights: Matrix,
    activation: str,
    objective: str,
    method: Irprop | Quickprop | Adam,
    patience: Patience,
    epochs: int,
) -> _Candidate:
    function, derivative = ACTIVATIONS[activation]
    square_sum = (residuals**2).sum()
    # ∂S/∂V, with the signs (and for the normalised S the sizes) of the epoch before: the first epoch has none.
    aim, last_pull, last_mean = np.zeros(len(features)), 0.0, 0.0
    scores: list[float] = []
    best: tuple[Matrix, Matrix, float, float] | None = None
    while True:
        sums = features @ weights
        values = function(sums)
        covariances, mean = values @ residuals, float(values.mean())
        variance = float(((values - mean) ** 2).sum())
        if objective == "covariance":
            score = float(np.abs(covariances).sum() / square_sum)
            next_aim, pull = residuals @ np.sign(covariances) / square_sum, 0.0
        else:
            score = float((covariances**2).sum() / (variance * square_sum))
            next_aim = 2 * residuals @ covariances / (variance * square_sum)
            pull = 2 * float((covariances**2).sum()) / (variance**2 * square_sum)
        if not scores or score > max(scores):
            best = weights.copy(), covariances / square_sum, mean, variance
        scores.append(score)
        if patience.is_over(score) or len(scores) == epochs:
            assert best is not None
            return _Candidate(best[0], scores, *best[1:])
        if len(scores) > 1:
            slopes = -((aim - last_pull * (values - last_mean)) * derivative(sums)) @ features
            weights += method.moves(slopes, len(scores) - 1)
        aim, last_pull, last_mean = next_aim, pull, mean


def units_to_solve(x: Matrix, targets: Matrix, first_weights: Callable[[int, int], Matrix], limit: int) -> int:
    """Grow until solved, from first_weights(unit, n_weights) for each pool; the number of installed units."""
    features = standardised(x)
    weights = np.zeros((targets.shape[1], features.shape[1]))
    for unit in range(limit + 1):
        weights, _, has_solved = train_outputs(features, targets, weights)
        if has_solved:
            return unit
        residuals = SIGMOID.residual(features, weights, targets)
        pool = train_candidates(features, residuals, first_weights(unit, features.shape[1]))
        best = int(pool.kept[-1].argmax())
        features = np.column_stack([features, np.tanh(features @ pool.weights[best])])
        weights = np.column_stack([weights, -pool.covariances[best]])
    raise AssertionError(f"not solved with {limit} units")
