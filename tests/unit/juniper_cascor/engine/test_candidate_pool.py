"""What an installed unit begins with."""

from __future__ import annotations

import numpy as np

from juniper_cascor.engine import candidate_kernels
from juniper_cascor.engine.candidate_pool import new_pool
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

from .data import grown


def test_a_unit_that_meets_almost_no_residual_error_does_not_undo_what_was_learnt() -> None:
    """Its covariance is over the squared errors that are left, almost none where a class hardly counts."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), np.arange(60)[:, np.newaxis] % 2
    for n_units in range(3):
        parameters = Parameters(max_hidden_units=n_units, class_weights=(1000.0, 1e-4))
        outputs = grown(Training.start(x, y, parameters, seed=0)).network.outputs(x)
        assert outputs[y == 0].max() < 0.5


def test_of_each_activation_half_are_siblings() -> None:
    """With several activation functions each has as many siblings, which see what the last unit saw, as descendants."""
    parameters = Parameters(
        activation_function_name="sin+tanh", candidate_placement="sibling-or-descendant", candidate_pool_size=8
    )
    pool = new_pool(parameters, 1, fan_ins=[3, 4], n_features=5, n_outputs=1, max_epochs=9)
    seen = {(pool.activation(c), int(pool.fan_ins[c])) for c in range(8)}
    assert seen == {("sin", 5), ("tanh", 5), ("sin", 4), ("tanh", 4)}
    assert [int(count) for count in np.bincount(pool.fan_ins)[4:]] == [4, 4]
    assert not pool.weights[pool.fan_ins == 4, 4].any()
    first = new_pool(parameters, 1, fan_ins=[], n_features=3, n_outputs=1, max_epochs=9)
    assert set(first.fan_ins.tolist()) == {3}


def test_a_constant_activation_explains_nothing() -> None:
    """A saturated candidate varies by rounding alone, which the normalised objective must not take for a signal."""
    moments = np.empty(2, np.float32)
    candidate_kernels.take_moments(99.9, 99.8001000001, 100, moments)
    assert moments[1] == 0
    candidate_kernels.take_moments(0.0, 50.0, 100, moments)
    assert moments[1] == 50
