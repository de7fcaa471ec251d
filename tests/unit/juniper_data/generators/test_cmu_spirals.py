import math

import numpy as np
import pytest

from juniper_data.generators.cmu_spirals import CmuSpiralsParameters, generate_cmu_spirals


def test_points_are_those_of_the_benchmark() -> None:
    """Each point and its negation lie where the benchmark puts them, in different classes."""
    points = generate_cmu_spirals(CmuSpiralsParameters(), np.random.default_rng(0))
    assert points.X.shape == (194, 2)
    for i in range(97):
        angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
        assert points.X[i] == pytest.approx([radius * math.sin(angle), radius * math.cos(angle)])
        assert points.X[97 + i] == pytest.approx(-points.X[i])
        assert (points.labels[i], points.labels[97 + i]) == (1, 0)


def test_all_points_are_trained_on_by_default() -> None:
    """The benchmark is to learn every point."""
    assert (CmuSpiralsParameters().train_ratio, CmuSpiralsParameters().test_ratio) == (1.0, 0.0)
