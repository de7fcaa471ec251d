"""Parameters know their bounds."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest

from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters, parameter_bounds


@pytest.mark.parametrize("name", parameter_bounds())
def test_bounds_hold(name: str) -> None:
    """Both bounds are allowed, and nothing beyond them."""
    bounds = parameter_bounds()[name]
    number = int if bounds.integral else float
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
    with pytest.raises(ParameterError, match="learning_rate"):
        Parameters(learning_rate=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["task", "activation_function_name", "optimizer_type"])
def test_unknown_names_are_refused(name: str) -> None:
    """A name that is not offered is refused, with those that are."""
    with pytest.raises(ParameterError, match="must be one of"):
        Parameters(**{name: "magic"})  # type: ignore[arg-type]


def test_whole_numbers_are_reals_too() -> None:
    """A real parameter may be given as a whole number."""
    assert Parameters(error_threshold=1).error_threshold == 1


def test_every_parameter_says_what_it_does() -> None:
    """Each number has bounds that include its default, an effect and a source."""
    for item in fields(Parameters):
        if isinstance(item.default, str):
            continue
        bounds = parameter_bounds()[item.name]
        assert bounds.effect.endswith(".")
        assert bounds.source
