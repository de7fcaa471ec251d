"""On the chip a network grows as it does on the CPU, and as the papers say."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.parameters import Objective, Optimizer, Parameters
from juniper_cascor.engine.training import Training
from tests.unit.juniper_cascor.engine import test_reference as with_oracle
from tests.unit.juniper_cascor.engine.data import cmu_spirals, grown, noisy_points, one_column

TOLERANCE = with_oracle.TOLERANCE

OBJECTIVES, OPTIMIZERS = get_args(Objective), get_args(Optimizer)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "sin+gaussian+tanh+sigmoid"])
def test_the_oracle_s_pool(activation: str, optimizer: Optimizer, objective: Objective, backend: BackendName) -> None:
    """Over some epochs every kind of candidate climbs as in double precision, within the tolerance."""
    with_oracle.test_kinds_of_candidates(activation, optimizer, objective, backend)


@pytest.mark.parametrize(("n", "n_classes"), [(194, 1), (3001, 3), (20_000, 10)])
def test_the_cpu_s_network(n: int, n_classes: int, backend: BackendName) -> None:
    """After an output phase, a pool of a hundred and another output phase it is the CPU's, within the tolerance."""
    x, y = noisy_points(n, n_inputs=9, n_classes=max(2, n_classes))
    targets = y if n_classes > 1 else y[:, :1]
    parameters = Parameters(candidate_pool_size=100, output_epochs=4, candidate_epochs=8, max_hidden_units=1)
    networks = []
    for name in ("numba-serial", backend):
        training = Training.start(x, targets, parameters, seed=3, x_val=x[:99], y_val=targets[:99], backend=name)
        networks.append(grown(training).network)
    cpu, gpu = networks
    np.testing.assert_allclose(gpu.hidden_weights[0], cpu.hidden_weights[0], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(gpu.output_weights, cpu.output_weights, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("pool", [8, 512])
def test_whole_trainings(pool: int, backend: BackendName) -> None:
    """The two spirals are solved as on the CPU: by every seed, with as many units in the median, give or take two."""
    spirals = cmu_spirals()
    parameters = Parameters(candidate_pool_size=pool)
    medians = []
    for name in ("numba-serial", backend):
        trainings = [
            grown(Training.start(spirals.x, one_column(spirals.labels), parameters, seed=seed, backend=name))
            for seed in range(20)
        ]
        assert {training.finished for training in trainings} == {"solved"}
        medians.append(np.median([training.network.n_hidden_units for training in trainings]))
    assert abs(medians[0] - medians[1]) <= 2


def test_regression(backend: BackendName) -> None:
    """A curve is learnt about as well as on the CPU, with the preset for that."""
    x = np.linspace(-3, 3, 500, dtype=np.float32)[:, np.newaxis]
    y = np.sin(2 * x) * x
    parameters = Parameters.preset("regression", max_hidden_units=6)
    errors = []
    for name in ("numba-serial", backend):
        network = grown(Training.start(x, y, parameters, seed=1, backend=name)).network
        errors.append(float(np.square(network.outputs(x) - y).mean()))
    assert errors[1] < 3 * errors[0] + 1e-3


def test_classes_that_count_differently(backend: BackendName) -> None:
    """Class weights, ridge and validation patterns come to the same first losses."""
    x, y = noisy_points(700, n_classes=3)
    parameters = Parameters(class_weights=(1.0, 2.0, 0.5), output_ridge=1e-3, output_epochs=6)
    rows = [
        Training.start(x, y, parameters, seed=1, x_val=x[:90], y_val=y[:90], backend=name).advance().rows
        for name in ("numba-serial", backend)
    ]
    for column in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(getattr(rows[1], column), getattr(rows[0], column), rtol=TOLERANCE)
