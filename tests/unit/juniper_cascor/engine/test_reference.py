"""The CPU back end computes what the paper says: compared with the NumPy oracle."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.engine.initial_weights import candidate_weights
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from . import reference
from .data import cmu_spirals, grown, noisy_points, one_column

TOLERANCE = 2e-4
"""Of float32 sums against float64 ones over a few epochs. iRprop− steps by a slope's sign alone, so as long as no slope
is within rounding of 0 weights differ by rounding too; over many epochs a sign differs sooner or later."""


def inner(y: NDArray[np.float32]) -> reference.Matrix:
    """Targets on the scale of the oracle's output units, (−0.5, 0.5)."""
    return y.astype(np.float64) - 0.5


def first_weights(seed: int, unit: int, n_weights: int) -> reference.Matrix:
    """What the engine starts a pool of 8 with."""
    return candidate_weights(seed, unit, 8, n_weights).astype(np.float64)


SIZES = [pytest.param(n, c, id=f"{n} patterns, {c} classes") for n, c in ((30, 2), (194, 3), (601, 2), (1001, 5))]


@pytest.mark.parametrize(("n", "n_classes"), SIZES)
def test_output_phase(n: int, n_classes: int) -> None:
    """Loss and weights of an output phase follow the oracle's epoch by epoch."""
    x, y = noisy_points(n, n_classes=n_classes)
    training = Training.start(x, y, Parameters(output_epochs=10), seed=1)
    rows = training.advance().rows

    features = reference.standardised(x.astype(np.float64))
    weights, losses, _ = reference.train_outputs(
        features, inner(y), np.zeros((n_classes, features.shape[1])), epochs=10
    )
    np.testing.assert_allclose(rows.train_loss, losses, rtol=TOLERANCE)
    np.testing.assert_allclose(training.network.output_weights, weights, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(("n", "n_classes"), SIZES)
def test_candidate_phase(n: int, n_classes: int) -> None:
    """Scores and weights of a candidate phase follow the oracle's, and so do the weights of the installed unit."""
    x, y = noisy_points(n, n_classes=n_classes)
    training = Training.start(x, y, Parameters(output_epochs=3, candidate_epochs=8), seed=1)
    training.advance()
    output_weights = training.network.output_weights.astype(np.float64)
    progress = training.advance()

    features = reference.standardised(x.astype(np.float64))
    residuals = reference.residual(features, output_weights, inner(y))
    weights, scores, covariances = reference.train_candidates(
        features, residuals, first_weights(1, 0, features.shape[1]), epochs=8
    )
    best = int(scores[-1].argmax())
    assert progress.candidate_scores is not None
    assert progress.installed is not None
    np.testing.assert_allclose(progress.rows.score, np.max(scores, axis=1), rtol=TOLERANCE)
    np.testing.assert_allclose(progress.candidate_scores, scores[-1], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(progress.installed.weights, weights[best], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(
        training.network.output_weights[:, -1], -covariances[best], rtol=TOLERANCE, atol=TOLERANCE
    )


def test_patience_of_each_candidate() -> None:
    """Each candidate stops when its own score has not changed, at the oracle's epoch, whatever the others do."""
    x, y = noisy_points(200)
    parameters = Parameters(output_epochs=3, candidate_patience=2, candidate_change_threshold=0.2)
    training = Training.start(x, y, parameters, seed=1)
    training.advance()
    output_weights = training.network.output_weights.astype(np.float64)
    progress = training.advance()

    features = reference.standardised(x.astype(np.float64))
    residuals = reference.residual(features, output_weights, inner(y))
    first = first_weights(1, 0, features.shape[1])
    _, scores, _ = reference.train_candidates(features, residuals, first, patience_epochs=2, change=0.2)
    last_moves = [int(np.flatnonzero(np.diff(column))[-1]) for column in np.array(scores).T]
    assert len(set(last_moves)) > 1
    assert len(progress.rows) == len(scores)
    np.testing.assert_allclose(progress.rows.score, np.max(scores, axis=1), rtol=TOLERANCE)


def test_whole_trainings_agree_statistically() -> None:
    """Over whole trainings from the same first weights, engine and oracle need about as many units."""
    data = cmu_spirals()
    x, y = data.x.astype(np.float64), one_column(data.labels)
    oracle = [reference.units_to_solve(x, inner(y), partial(first_weights, seed), limit=30) for seed in range(5)]
    engine = [grown(Training.start(data.x, y, Parameters(), seed=seed)).network.n_hidden_units for seed in range(5)]
    assert abs(np.median(oracle) - np.median(engine)) <= 2
