"""What an installed unit begins with."""

from __future__ import annotations

import numpy as np

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
