import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from juniper_common.wire.datasets import JsonObject
from juniper_data.generators.gaussian import GaussianParameters, generate_gaussian


def test_points_follow_the_formula() -> None:
    """Each point lies where its class's centre, deviation and the order of draws put it."""
    p = GaussianParameters(
        n_classes=3, n_samples_per_class=4, class_std=(0.5, 1, 2), centers=((1, 2), (3, 4), (5, 6)), noise=0.25
    )
    points = generate_gaussian(p, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    for i, (center, std) in enumerate(zip([(1, 2), (3, 4), (5, 6)], [0.5, 1, 2], strict=True)):
        deviation, noise = rng.standard_normal((4, 2)), rng.standard_normal((4, 2))
        for k in range(4):
            expected = [center[j] + std * deviation[k, j] + 0.25 * noise[k, j] for j in range(2)]
            assert points.X[4 * i + k] == pytest.approx(expected)
            assert points.labels[4 * i + k] == i


@given(n_classes=st.integers(2, 10), n_features=st.integers(2, 5), radius=st.floats(0.1, 100))
def test_centres_lie_on_a_circle_in_the_first_two_features(n_classes: int, n_features: int, radius: float) -> None:
    """Without given centres they are evenly spaced from the first axis on; what is past the second feature is 0."""
    p = GaussianParameters(
        n_classes=n_classes, n_features=n_features, center_radius=radius, class_std=1e-9, n_samples_per_class=1
    )
    X = generate_gaussian(p, np.random.default_rng(0)).X
    for i in range(n_classes):
        angle = 2 * math.pi * i / n_classes
        expected = [radius * math.cos(angle), radius * math.sin(angle)] + [0.0] * (n_features - 2)
        assert X[i] == pytest.approx(expected, abs=1e-7)


def test_one_deviation_is_that_of_every_class() -> None:
    """A single number is the same as a list that repeats it."""
    one, each = (GaussianParameters.model_validate({"class_std": std}) for std in (0.7, [0.7, 0.7]))
    X = generate_gaussian(one, np.random.default_rng(0)).X
    assert np.array_equal(X, generate_gaussian(each, np.random.default_rng(0)).X)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_classes", 1),
        ("n_classes", 11),
        ("n_samples_per_class", 0),
        ("n_samples_per_class", 500_001),
        ("n_features", 1),
        ("n_features", 1001),
        ("class_std", 0),
        ("class_std", [1, -1]),
        ("class_std", "wide"),
        ("class_std", [1.0] * 11),
        ("centers", [[0, math.inf], [0, 0]]),
        ("centers", [[0, 2e6], [0, 0]]),
        ("centers", [[0, 0]] * 11),
        ("center_radius", 0),
        ("noise", -1),
    ],
)
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    """A parameter out of its bounds is named, once, in the error."""
    with pytest.raises(ValidationError) as refused:
        GaussianParameters.model_validate({field: value})
    assert [problem["loc"][0] for problem in refused.value.errors()] == [field]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"class_std": [1]}, r"class_std must be one number or a list of n_classes = 2, not of 1"),
        ({"centers": [[0, 0]]}, r"centers must be a list of n_classes = 2, not of 1"),
        ({"centers": [[0, 0], [0, 0, 0]]}, r"centers\[1\] must have n_features = 2 numbers, not 3"),
        ({"n_classes": 3, "n_samples_per_class": 400_000}, r"n_classes × n_samples_per_class .* not 1,200,000"),
        ({"n_features": 999, "n_samples_per_class": 10_000}, r"at most 20,000,000 numbers, not 20,020,000"),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_names(params: JsonObject, told: str) -> None:
    """Parameters that contradict each other, or ask for too much together, are named with their figures."""
    with pytest.raises(ValidationError, match=told):
        GaussianParameters.model_validate(params)


def test_defaults_are_those_of_the_wire_contract() -> None:
    """The filled-in defaults, which are part of every id, are the published ones."""
    ours = {"train_ratio", "test_ratio", "val_ratio", "shuffle"}
    assert GaussianParameters().model_dump(mode="json", exclude=ours) == {
        "seed": 42,
        "n_classes": 2,
        "n_samples_per_class": 50,
        "n_features": 2,
        "class_std": 1.0,
        "centers": None,
        "center_radius": 3.0,
        "noise": 0.0,
    }
