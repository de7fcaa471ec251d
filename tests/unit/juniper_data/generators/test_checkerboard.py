import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from juniper_data.generators.checkerboard import CheckerboardParameters, generate_checkerboard


def test_points_follow_the_formula() -> None:
    """Each point lies where the formula and the order of draws put it, in the class of its square before the noise."""
    p = CheckerboardParameters(n_samples=50, n_squares=3, x_range=(-1, 5), y_range=(10, 13), noise=1.5)
    points = generate_checkerboard(p, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    across, up, noise_x, noise_y = rng.random(50), rng.random(50), rng.standard_normal(50), rng.standard_normal(50)
    for k in range(50):
        expected = [-1 + 6 * across[k] + 1.5 * noise_x[k], 10 + 3 * up[k] + 1.5 * noise_y[k]]
        assert points.X[k] == pytest.approx(expected)
        assert points.labels[k] == (math.floor(3 * across[k]) + math.floor(3 * up[k])) % 2


@given(n_squares=st.integers(2, 16), low=st.floats(-1e6, 1e6 - 1), seed=st.integers(0, 99))
def test_points_without_noise_stay_on_the_board(n_squares: int, low: float, seed: int) -> None:
    """Without noise no point leaves the board, and there are two classes."""
    p = CheckerboardParameters(n_squares=n_squares, x_range=(low, 1e6), y_range=(-1e6, 1e6))
    points = generate_checkerboard(p, np.random.default_rng(seed))
    assert ([low, -1e6] <= points.X).all()
    assert (points.X <= 1e6).all()
    assert np.unique(points.labels).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_samples", 1),
        ("n_samples", 1_000_001),
        ("n_squares", 1),
        ("n_squares", 17),
        ("noise", -1),
        ("x_range", [1, 1]),
        ("y_range", [2, 1]),
        ("y_range", [0, 1, 2]),
    ],
)
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    """A parameter out of its bounds is named in the error."""
    with pytest.raises(ValidationError) as refused:
        CheckerboardParameters.model_validate({field: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_defaults_are_those_of_the_wire_contract() -> None:
    """The filled-in defaults, which are part of every id, are the published ones."""
    ours = {"train_ratio", "test_ratio", "val_ratio", "shuffle"}
    assert CheckerboardParameters().model_dump(mode="json", exclude=ours) == {
        "seed": 42,
        "n_samples": 200,
        "n_squares": 4,
        "x_range": [0.0, 1.0],
        "y_range": [0.0, 1.0],
        "noise": 0.0,
    }
