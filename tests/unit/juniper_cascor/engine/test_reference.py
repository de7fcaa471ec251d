"""Each back end computes what the papers say: compared with the NumPy oracle."""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.initial_weights import candidate_weights
from juniper_cascor.engine.parameters import Objective, Optimizer, Parameters
from juniper_cascor.engine.training import Training

from . import reference
from .data import cmu_spirals, grown, noisy_points, one_column
from .tested import BACKENDS

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
OPTIMIZERS = get_args(Optimizer)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> BackendName:
    """Each back end, one after the other."""
    name: BackendName = request.param
    return name


def compare_outputs(training: Training, expected: tuple[reference.Matrix, list[float], bool]) -> None:
    """Advance a training by its first phase; its losses and weights are the expected ones."""
    rows = training.advance().rows
    weights, losses, _ = expected
    np.testing.assert_allclose(rows.train_loss, losses, rtol=TOLERANCE)
    np.testing.assert_allclose(training.network.output_weights, weights, rtol=TOLERANCE, atol=TOLERANCE)


def compare_pool(training: Training, pool: reference.Pool) -> None:
    """Advance a training by a candidate phase; scores and installed weights are those of the oracle's pool."""
    rows, scores, installed = [], None, None
    while installed is None:
        progress = training.advance()
        rows.append(progress.rows.score)
        scores, installed = progress.candidate_scores, progress.installed
    assert scores is not None
    best = int(np.argmax(scores))
    np.testing.assert_allclose(np.concatenate(rows), pool.kept.max(axis=1), rtol=TOLERANCE)
    np.testing.assert_allclose(scores, pool.kept[-1], rtol=TOLERANCE, atol=TOLERANCE)
    fan_in = len(installed.weights)
    np.testing.assert_allclose(installed.weights, pool.weights[best, :fan_in], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(("n", "n_classes"), SIZES)
def test_output_phase(n: int, n_classes: int, backend: BackendName) -> None:
    """Loss and weights of an output phase follow the oracle's epoch by epoch."""
    x, y = noisy_points(n, n_classes=n_classes)
    features = reference.standardised(x.astype(np.float64))
    expected = reference.train_outputs(features, inner(y), np.zeros((n_classes, features.shape[1])), epochs=10)
    compare_outputs(Training.start(x, y, Parameters(output_epochs=10), seed=1, backend=backend), expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_output_optimizers(optimizer: Optimizer, backend: BackendName) -> None:
    """Each optimiser steps as its paper says."""
    x, y = noisy_points(300)
    parameters = Parameters(output_epochs=12, optimizer_type=optimizer)
    features = reference.standardised(x.astype(np.float64))
    expected = reference.train_outputs(
        features, inner(y), np.zeros((2, 4)), epochs=12, optimizer=optimizer, rate=parameters.rate("output")
    )
    compare_outputs(Training.start(x, y, parameters, seed=1, backend=backend), expected)


@pytest.mark.parametrize("class_weights", [(1.0, 5.0, 2.0), "balanced"])
def test_weighted_classes(class_weights: tuple[float, ...] | Literal["balanced"], backend: BackendName) -> None:
    """An error counts by its class, at mean 1 over the patterns, and the ridge pulls all but the biases."""
    x, y = noisy_points(700, n_classes=3)
    y[:300] = [1, 0, 0]
    parameters = Parameters(output_epochs=10, class_weights=class_weights, output_ridge=0.05)
    counts = y.sum(axis=0)
    of_class = 1 / counts if class_weights == "balanced" else np.array(class_weights)
    importances = y @ of_class
    layer = reference.Layer(importances=(importances / importances.mean())[:, np.newaxis], ridge=0.05)
    features = reference.standardised(x.astype(np.float64))
    expected = reference.train_outputs(features, inner(y), np.zeros((3, 4)), layer, epochs=10)
    compare_outputs(Training.start(x, y, parameters, seed=1, backend=backend), expected)


def test_linear_outputs(backend: BackendName) -> None:
    """A regression's outputs are linear, and learn standardised targets."""
    x, _ = noisy_points(300)
    y = np.column_stack([np.sin(x[:, 0]), 100 * x[:, 1] * x[:, 2]]).astype(np.float32)
    parameters = Parameters(task="regression", output_epochs=10, error_threshold=1e-6)
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    targets = (y - y.mean(axis=0, dtype=np.float64)) / y.std(axis=0, dtype=np.float64)
    features = reference.standardised(x.astype(np.float64))
    layer = reference.Layer(linear=True)
    _, losses, _ = reference.train_outputs(features, targets, np.zeros((2, 4)), layer, epochs=10)
    np.testing.assert_allclose(training.advance().rows.train_loss, losses, rtol=TOLERANCE)


@pytest.mark.parametrize(("n", "n_classes"), SIZES)
def test_candidate_phase(n: int, n_classes: int, backend: BackendName) -> None:
    """Scores of a candidate phase follow the oracle's, and so do the weights of the installed unit."""
    x, y = noisy_points(n, n_classes=n_classes)
    parameters = Parameters(output_epochs=3, candidate_epochs=8)
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    training.advance()
    pool = oracle_pool(training, x, y)
    compare_pool(training, pool)
    best = int(pool.kept[-1].argmax())
    np.testing.assert_allclose(
        training.network.output_weights[:, -1], -pool.covariances[best], rtol=TOLERANCE, atol=TOLERANCE
    )


def oracle_pool(training: Training, x: NDArray[np.float32], y: NDArray[np.float32]) -> reference.Pool:
    """What the oracle makes of the first pool of a training whose first output phase has ended."""
    parameters = training.parameters
    features = reference.standardised(x.astype(np.float64))
    output_weights = training.network.output_weights.astype(np.float64)
    return reference.train_candidates(
        features,
        reference.SIGMOID.residual(features, output_weights, inner(y)),
        candidate_weights(1, 0, parameters.candidate_pool_size, features.shape[1]).astype(np.float64),
        epochs=parameters.candidate_epochs,
        optimizer=parameters.candidate_optimizer_type,
        rate=parameters.rate("candidate"),
        patience_epochs=parameters.candidate_patience,
        change=parameters.candidate_change_threshold,
        activations=parameters.activations,
        objective=parameters.candidate_objective,
    )


@pytest.mark.parametrize("objective", get_args(Objective))
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "sin+gaussian+tanh+sigmoid"])
def test_kinds_of_candidates(activation: str, optimizer: Optimizer, objective: Objective, backend: BackendName) -> None:
    """Every activation function, alone and mixed, climbs either objective with every optimiser."""
    x, y = noisy_points(303, n_classes=3)
    parameters = Parameters(
        output_epochs=3,
        candidate_epochs=7,
        activation_function_name=activation,
        candidate_optimizer_type=optimizer,
        candidate_objective=objective,
    )
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    training.advance()
    compare_pool(training, oracle_pool(training, x, y))


def test_patience_of_each_candidate(backend: BackendName) -> None:
    """Each candidate stops when its own score has not changed, at the oracle's epoch, whatever the others do."""
    x, y = noisy_points(200)
    parameters = Parameters(output_epochs=3, candidate_patience=2, candidate_change_threshold=0.2)
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    training.advance()
    pool = oracle_pool(training, x, y)
    last_moves = [int(np.flatnonzero(np.diff(column))[-1]) for column in pool.scores.T]
    assert len(set(last_moves)) > 1
    compare_pool(training, pool)
    assert training.epoch == 3 + len(pool.scores)


def test_siblings_see_what_their_layer_sees(backend: BackendName) -> None:
    """Half of the candidates see only what the newest layer does; a descendant must be better by 1/λ to win."""
    x, y = noisy_points(300, n_classes=3)
    parameters = Parameters(
        output_epochs=3, candidate_epochs=7, candidate_placement="sibling-or-descendant", descendant_factor=0.8
    )
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    while len(training.network.hidden_weights) == 0:
        training.advance()
    training.advance()
    network = training.network
    features = reference.standardised(x.astype(np.float64))
    unit = np.tanh(features @ network.hidden_weights[0].astype(np.float64))
    features = np.column_stack([features, unit])
    fan_ins = [5, 4] * 4
    pool = reference.train_candidates(
        features,
        reference.SIGMOID.residual(features, network.output_weights.astype(np.float64), inner(y)),
        candidate_weights(1, 1, 8, 5).astype(np.float64),
        epochs=7,
        fan_ins=fan_ins,
    )
    progress = training.advance()
    assert progress.installed is not None
    assert progress.candidate_scores is not None
    np.testing.assert_allclose(progress.candidate_scores, pool.kept[-1], rtol=TOLERANCE)
    best = int((pool.kept[-1] * np.array([0.8, 1.0] * 4)).argmax())
    assert len(progress.installed.weights) == fan_ins[best]
    np.testing.assert_allclose(
        progress.installed.weights, pool.weights[best, : fan_ins[best]], rtol=TOLERANCE, atol=TOLERANCE
    )


def test_the_normalised_objective_lowers_the_loss_by_its_score(backend: BackendName) -> None:
    """With linear outputs the score is the share of the squared residuals that the new unit takes away at once."""
    x, _ = noisy_points(500)
    y = np.column_stack([np.abs(x[:, 0]), x[:, 1] * x[:, 2]]).astype(np.float32)
    parameters = Parameters.preset("regression", candidate_epochs=30, output_epochs=500)
    training = Training.start(x, y, parameters, seed=1, backend=backend)
    before = after = score = 0.0
    while not score:
        progress = training.advance()
        if progress.phase == "output":
            before = float(progress.rows.train_loss[-1])
        elif progress.installed is not None:
            score = progress.installed.score
    after = float(training.advance(1).rows.train_loss[0])
    assert 0.05 < score < 1
    assert after == pytest.approx(before * (1 - score), rel=1e-3)


def test_whole_trainings_agree_statistically() -> None:
    """Over whole trainings from the same first weights, engine and oracle need about as many units."""
    data = cmu_spirals()
    x, y = data.x.astype(np.float64), one_column(data.labels)
    oracle = [reference.units_to_solve(x, inner(y), partial(first_weights, seed), limit=30) for seed in range(5)]
    engine = [grown(Training.start(data.x, y, Parameters(), seed=seed)).network.n_hidden_units for seed in range(5)]
    assert abs(np.median(oracle) - np.median(engine)) <= 2
