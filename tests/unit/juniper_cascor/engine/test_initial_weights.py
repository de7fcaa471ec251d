"""First weights are a function of seed, unit and candidate."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from juniper_cascor.engine.initial_weights import candidate_weights

SEEDS = st.integers(0, 2**63 - 1)


@given(seed=SEEDS, unit=st.integers(0, 10_000), pool=st.integers(1, 20), more=st.integers(0, 20))
def test_larger_pools_begin_alike(seed: int, unit: int, pool: int, more: int) -> None:
    """Neither the pool's size nor the number of weights changes a candidate's weights."""
    small = candidate_weights(seed, unit, pool, 5)
    large = candidate_weights(seed, unit, pool + more, 5 + more)
    np.testing.assert_array_equal(small, large[:pool, :5])


def test_uniform() -> None:
    """They are spread evenly over (−1, 1)."""
    weights = candidate_weights(1, 2, 1000, 100)
    assert -1 < weights.min() < -0.999
    assert 0.999 < weights.max() < 1
    histogram, _ = np.histogram(weights, bins=20, range=(-1, 1))
    expected = weights.size / 20
    assert ((histogram - expected) ** 2 / expected).sum() < 43.8  # χ² of 19 degrees, p = 0.001


def test_unrelated() -> None:
    """Neighbouring seeds, units and candidates have nothing to do with each other."""
    draws = [candidate_weights(seed, unit, 2, 1000) for seed in (0, 1) for unit in (0, 1)]
    correlations = np.asarray(np.corrcoef(np.concatenate(draws)))
    assert np.abs(correlations - np.eye(len(correlations))).max() < 0.15


def test_never_changes() -> None:
    """The numbers themselves are part of the contract: a run must be repeatable years later."""
    expected = [
        [-0.0648723840713501, -0.617806077003479, 0.7584501504898071],
        [0.6982494592666626, -0.43173372745513916, -0.14825522899627686],
    ]
    np.testing.assert_array_equal(candidate_weights(42, 3, 2, 3), np.array(expected, np.float32))
