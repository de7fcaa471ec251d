import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from juniper_data.generators.xor import XorParameters, generate_xor


@given(margin=st.floats(0, 0.9), x_range=st.floats(1, 100), y_range=st.floats(1, 100), seed=st.integers(0, 99))
def test_points_lie_outside_the_margin_with_the_class_of_their_quadrant(
    margin: float, x_range: float, y_range: float, seed: int
) -> None:
    """Without noise every point is in its range, off the axes by the margin, and of class 0 where x·y > 0."""
    p = XorParameters(margin=margin, x_range=x_range, y_range=y_range, n_points_per_quadrant=5)
    points = generate_xor(p, np.random.default_rng(seed))
    size = np.abs(points.X)
    assert (size >= margin).all()
    assert (size <= [x_range, y_range]).all()
    assert np.array_equal(points.labels, np.where(points.X.prod(axis=1) > 0, 0, 1))


def test_every_quadrant_has_its_points() -> None:
    """Each of the four quadrants gets the number asked for."""
    X = generate_xor(XorParameters(n_points_per_quadrant=7), np.random.default_rng(0)).X
    assert np.unique(np.sign(X), axis=0, return_counts=True)[1].tolist() == [7, 7, 7, 7]


def test_noise_moves_points_but_not_their_class() -> None:
    """The class is decided before the noise."""
    p = XorParameters(noise=2.0, n_points_per_quadrant=3)
    assert generate_xor(p, np.random.default_rng(0)).labels.tolist() == [0] * 3 + [1] * 3 + [0] * 3 + [1] * 3


def test_margin_must_leave_room() -> None:
    """A margin as wide as the range leaves no place for a point."""
    with pytest.raises(ValidationError, match="margin"):
        XorParameters(margin=1.0)
