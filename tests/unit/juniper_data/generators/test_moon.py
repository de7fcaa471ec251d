import math

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.datasets import make_moons

from juniper_data.generators.moon import MoonParameters, generate_moons


@pytest.mark.parametrize("n", [2, 3, 200, 201])
def test_points_without_noise_are_those_of_scikit_learn(n: int) -> None:
    """The moons, their classes, and the one that an odd number favours are those of `make_moons`."""
    X, labels = make_moons(n, shuffle=False)
    points = generate_moons(MoonParameters(n_samples=n, noise=0), np.random.default_rng(0))
    assert pytest.approx(X) == points.X
    assert points.labels.tolist() == labels.tolist()


def test_points_follow_the_formula() -> None:
    """Each point lies where the formula and the order of draws put it."""
    points = generate_moons(MoonParameters(n_samples=10, noise=0.5), np.random.default_rng(3))
    rng = np.random.default_rng(3)
    noise_x, noise_y = rng.standard_normal(10), rng.standard_normal(10)
    for k in range(5):
        t = math.pi * k / 4
        assert points.X[k] == pytest.approx([math.cos(t) + 0.5 * noise_x[k], math.sin(t) + 0.5 * noise_y[k]])
        lower = [1 - math.cos(t) + 0.5 * noise_x[5 + k], 0.5 - math.sin(t) + 0.5 * noise_y[5 + k]]
        assert points.X[5 + k] == pytest.approx(lower)
    assert points.labels.tolist() == [0] * 5 + [1] * 5


@pytest.mark.parametrize(("field", "value"), [("n_samples", 1), ("n_samples", 1_000_001), ("noise", -1), ("noise", 3)])
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    """A parameter out of its bounds is named in the error."""
    with pytest.raises(ValidationError) as refused:
        MoonParameters.model_validate({field: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]


def test_defaults_are_those_of_the_wire_contract() -> None:
    """The filled-in defaults, which are part of every id, are the published ones."""
    own = MoonParameters().model_dump(mode="json", include={"n_samples", "noise", "seed"})
    assert own == {"seed": 42, "n_samples": 200, "noise": 0.1}
