import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from juniper_data.generators.spiral import SpiralParameters, generate_spirals


def test_modern_points_follow_the_formula() -> None:
    """Each modern point lies where the formula and the order of draws put it."""
    p = SpiralParameters(n_spirals=3, n_points=20, n_rotations=1.5, noise_level=0.1, radius=4.0, origin=(1.0, -2.0))
    rng = np.random.default_rng(7)
    points = generate_spirals(p, np.random.default_rng(7))
    for i in range(3):
        noise_x, noise_y = rng.standard_normal(20), rng.standard_normal(20)
        for k in range(20):
            r = 4.0 * k / 19
            theta = 2 * math.pi * 1.5 * k / 19 + 2 * math.pi * i / 3
            expected = (1.0 + r * math.cos(theta) + 0.1 * noise_x[k], -2.0 + r * math.sin(theta) + 0.1 * noise_y[k])
            assert points.X[20 * i + k] == pytest.approx(expected)
            assert points.labels[20 * i + k] == i


def test_legacy_points_follow_the_formula() -> None:
    """Each legacy point takes its angle from its random distance."""
    p = SpiralParameters(n_points=15, algorithm="legacy_cascor", noise=0.5, clockwise=False, radius=3.0)
    rng = np.random.default_rng(1)
    points = generate_spirals(p, np.random.default_rng(1))
    for i in range(2):
        distance, noise_x, noise_y = rng.random(15), rng.random(15), rng.random(15)
        for k in range(15):
            d = math.sqrt(distance[k]) * 3.0
            theta = -(d + math.pi * i)
            expected = (d * math.cos(theta) + 0.5 * noise_x[k], d * math.sin(theta) + 0.5 * noise_y[k])
            assert points.X[15 * i + k] == pytest.approx(expected)


def test_other_sense_mirrors_modern_spirals() -> None:
    """Without noise, counter-clockwise is the clockwise set through the origin."""
    clockwise, counter = (
        generate_spirals(SpiralParameters(noise=0, clockwise=sense), np.random.default_rng(0)).X
        for sense in (True, False)
    )
    assert np.array_equal(counter, -clockwise)


@given(n=st.integers(10, 60), spirals=st.integers(2, 10), noise=st.floats(0, 2), seed=st.integers(0, 2**53 - 1))
def test_any_parameters_give_balanced_finite_points(n: int, spirals: int, noise: float, seed: int) -> None:
    """Within the bounds there is nothing that gives NaN, or classes of different size."""
    p = SpiralParameters(n_points_per_spiral=n, n_spirals=spirals, noise=noise, seed=seed)
    points = generate_spirals(p, np.random.default_rng(seed))
    assert np.isfinite(points.X).all()
    assert np.bincount(points.labels).tolist() == [n] * spirals


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_spirals", 1),
        ("n_spirals", 11),
        ("n_points_per_spiral", 9),
        ("n_points", 500_001),
        ("n_rotations", 0.4),
        ("n_rotations", 10.1),
        ("noise", -0.1),
        ("noise_level", 2.1),
        ("noise", math.nan),
        ("radius", math.inf),
        ("radius", 0),
        ("algorithm", "other"),
        ("seed", -1),
        ("seed", 2**53),
        ("train_ratio", 0),
        ("unheard_of", 1),
    ],
)
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    """A parameter out of its bounds is named in the error."""
    with pytest.raises(ValidationError) as refused:
        SpiralParameters.model_validate({field: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_largest_set_has_a_million_points() -> None:
    """What is bounded is the whole set, by the names of what makes it large."""
    assert SpiralParameters(n_points_per_spiral=500_000).n_points_per_spiral == 500_000
    with pytest.raises(ValidationError, match=r"n_spirals × n_points_per_spiral .* 1,000,000 samples, not 1,000,002"):
        SpiralParameters(n_spirals=3, n_points_per_spiral=333_334)


def test_both_names_of_a_parameter_are_refused() -> None:
    """Whoever gives a parameter and its alias gets an error, not one of the two."""
    with pytest.raises(ValidationError, match="n_points"):
        SpiralParameters.model_validate({"n_points": 20, "n_points_per_spiral": 30})


def test_defaults_are_those_of_the_wire_contract() -> None:
    """The filled-in defaults, which are part of every id, are the published ones."""
    assert SpiralParameters().model_dump(mode="json") == {
        "seed": 42,
        "train_ratio": 0.8,
        "test_ratio": 0.2,
        "val_ratio": 0.0,
        "shuffle": True,
        "n_spirals": 2,
        "n_points_per_spiral": 97,
        "n_rotations": 3.0,
        "noise": 0.25,
        "clockwise": True,
        "algorithm": "modern",
        "radius": 10.0,
        "origin": [0.0, 0.0],
    }
