"""Parameters know their bounds."""

from __future__ import annotations

import json
import math
from typing import get_args

import pytest

from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters, Preset, parameter_fields

NUMBERS = [name for name, known in parameter_fields().items() if known.is_number]
CHOICES = [
    name for name, known in parameter_fields().items() if known.choices and name not in ("class_weights", "task")
]


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_hold(name: str) -> None:
    """Both bounds are allowed, and nothing beyond them."""
    bounds = parameter_fields()[name]
    number = int if bounds.is_integral else float
    for value in (bounds.low, bounds.high):
        Parameters(**{name: number(value)})  # type: ignore[arg-type]
    for value in (bounds.low - 1, bounds.high * 2 + 1):
        with pytest.raises(ParameterError) as caught:
            Parameters(**{name: number(value)})  # type: ignore[arg-type]
        assert caught.value.field == name


@pytest.mark.parametrize("value", ["12", True, 1.5, math.nan, None])
def test_counts_are_whole_numbers(value: object) -> None:
    """A count takes no text, no truth value, no fraction, and None only where it says so."""
    with pytest.raises(ParameterError, match="max_hidden_units"):
        Parameters(max_hidden_units=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0.1", False, math.nan, math.inf, None])
def test_reals_are_finite_numbers(value: object) -> None:
    """A real parameter takes no text, no truth value and nothing infinite."""
    with pytest.raises(ParameterError, match="error_threshold"):
        Parameters(error_threshold=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["task", *CHOICES])
def test_unknown_names_are_refused(name: str) -> None:
    """A name that is not offered is refused, with those that are."""
    with pytest.raises(ParameterError, match="must be one of"):
        Parameters(**{name: "magic"})  # type: ignore[arg-type]


@pytest.mark.parametrize("names", ["tanh+", "tanh+tanh", "+sin", "Tanh", 3, ""])
def test_a_mix_of_activations_is_names_joined(names: object) -> None:
    """Each of a mix is a known name, and stands there once."""
    with pytest.raises(ParameterError, match="activation_function_name"):
        Parameters(activation_function_name=names)  # type: ignore[arg-type]


def test_the_activations_of_a_mix() -> None:
    """They come in the order they are named."""
    assert Parameters(activation_function_name="sin+tanh").activations == ("sin", "tanh")


@pytest.mark.parametrize("weights", ["heavy", (1.0,), (1.0, 0.0), (1.0, -2.0), (1.0, math.nan), (True, 1.0), 3])
def test_class_weights_are_positive(weights: object) -> None:
    """There is a positive number for each class."""
    with pytest.raises(ParameterError, match="class_weights"):
        Parameters(class_weights=weights)  # type: ignore[arg-type]


def test_a_regression_has_no_class_weights() -> None:
    """Without classes there is nothing to weight."""
    with pytest.raises(ParameterError, match="class_weights"):
        Parameters(task="regression", class_weights="balanced")


def test_parameters_go_through_json() -> None:
    """What is written as JSON comes back the same."""
    parameters = Parameters(class_weights=(1.0, 2.5), activation_function_name="sin+tanh", max_epochs=7)
    assert Parameters(**json.loads(json.dumps(parameters.as_dict()))) == parameters


@pytest.mark.parametrize("name", get_args(Preset))
def test_presets(name: Preset) -> None:
    """Each preset may be changed, within the bounds."""
    assert Parameters.preset(name, max_hidden_units=3).max_hidden_units == 3
    with pytest.raises(ParameterError, match="max_hidden_units"):
        Parameters.preset(name, max_hidden_units=-1)


def test_an_unknown_preset_is_refused() -> None:
    """Those that there are are named."""
    with pytest.raises(ParameterError, match="default, quality, compact, regression"):
        Parameters.preset("magic")  # type: ignore[arg-type]


def test_the_learning_rate_is_the_optimizer_s_own_unless_set() -> None:
    """Each phase has its own."""
    assert Parameters(optimizer_type="quickprop").rate("output") != Parameters().rate("output")
    assert Parameters(learning_rate=2.0).rate("output") == 2.0
    assert Parameters(candidate_learning_rate=3.0).rate("candidate") == 3.0


def test_whole_numbers_are_reals_too() -> None:
    """A real parameter may be given as a whole number."""
    assert Parameters(error_threshold=1).error_threshold == 1


def test_every_parameter_says_what_it_does() -> None:
    """Each has bounds or choices, an effect and a source, and all of them stand in the docstring."""
    for name, known in parameter_fields().items():
        assert known.effect.endswith(".")
        assert known.source
        assert f"    {name}: {known.effect} ({known.bounds}; default " in (Parameters.__doc__ or "")
