import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.datasets import make_circles

from juniper_data.generators.circles import CirclesParameters, generate_circles


@pytest.mark.parametrize("n", [2, 3, 100, 101])
def test_points_without_noise_are_those_of_scikit_learn(n: int) -> None:
    """The circles, their classes, and the one that an odd number favours are those of `make_circles`."""
    X, labels = make_circles(n, shuffle=False, factor=0.3)
    points = generate_circles(CirclesParameters(n_samples=n, factor=0.3), np.random.default_rng(0))
    assert pytest.approx(X) == points.X
    assert points.labels.tolist() == labels.tolist()


def test_points_follow_the_formula() -> None:
    """Each point lies where the formula and the order of draws put it."""
    p = CirclesParameters(n_samples=10, outer_radius=4, factor=0.25, inner_ratio=0.3, noise=0.5)
    points = generate_circles(p, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    noise_x, noise_y = rng.standard_normal(10), rng.standard_normal(10)
    angles = [(4, 2 * math.pi * k / 7) for k in range(7)] + [(1, 2 * math.pi * k / 3) for k in range(3)]
    for k, (radius, angle) in enumerate(angles):
        expected = [radius * math.cos(angle) + 0.5 * noise_x[k], radius * math.sin(angle) + 0.5 * noise_y[k]]
        assert points.X[k] == pytest.approx(expected)
    assert points.labels.tolist() == [0] * 7 + [1] * 3


@given(n=st.integers(2, 2000), percent=st.integers(1, 99))
def test_inner_circle_has_its_share(n: int, percent: int) -> None:
    """The inner circle is within half a point of its share; a share that leaves a circle empty is refused."""
    share = n * percent / 100
    if 0.5 <= share < n - 0.5:
        p = CirclesParameters(n_samples=n, inner_ratio=percent / 100)
        labels = generate_circles(p, np.random.default_rng(0)).labels
        assert labels.sum() == pytest.approx(share, abs=0.5 + 1e-6)
    else:
        with pytest.raises(ValidationError, match="inner_ratio"):
            CirclesParameters(n_samples=n, inner_ratio=percent / 100)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_samples", 1),
        ("n_samples", 1_000_001),
        ("outer_radius", 0),
        ("factor", 0),
        ("factor", 1),
        ("noise", -1),
        ("inner_ratio", 0),
        ("inner_ratio", 1),
    ],
)
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    """A parameter out of its bounds is named in the error."""
    with pytest.raises(ValidationError) as refused:
        CirclesParameters.model_validate({field: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_defaults_are_those_of_the_wire_contract() -> None:
    """The filled-in defaults, which are part of every id, are the published ones."""
    own = CirclesParameters().model_dump(mode="json", exclude={"train_ratio", "test_ratio", "val_ratio", "shuffle"})
    assert own == {
        "seed": 42,
        "n_samples": 100,
        "outer_radius": 1.0,
        "factor": 0.5,
        "noise": 0.0,
        "inner_ratio": 0.5,
    }
