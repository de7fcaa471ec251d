"""The two spirals are solved from every seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import Split, cmu_spirals, demo_spirals, grown, one_column, one_hot

SEEDS = range(20)


@pytest.mark.parametrize("targets", [one_column, one_hot])
@pytest.mark.parametrize(("data", "most_units"), [(cmu_spirals(), 15), (demo_spirals(), 22)], ids=["cmu", "demo"])
def test_spirals(data: Split, most_units: int, targets: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> None:
    """With the defaults alone each of 20 seeds solves the set, within the median number of units promised."""
    y = targets(data.labels)
    trainings = [grown(Training.start(data.x, y, Parameters(), seed=seed)) for seed in SEEDS]
    assert {training.finished for training in trainings} == {"solved"}
    assert np.median([training.network.n_hidden_units for training in trainings]) <= most_units


@pytest.mark.parametrize("targets", [one_column, one_hot])
def test_solved_means_every_pattern(targets: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> None:
    """In a solved network every output is within 0.4 of its target, and every prediction is right."""
    data = demo_spirals()
    y = targets(data.labels)
    network = grown(Training.start(data.x, y, Parameters(), seed=3)).network
    assert np.abs(network.outputs(data.x) - y).max() < 0.4 + 1e-3
    assert (network.predict(data.x) == data.labels).all()
    assert (network.predict(data.x_val) == data.labels_val).mean() > 0.7
