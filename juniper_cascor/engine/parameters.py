"""The parameters of a training, their bounds, and what each of them does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from juniper_cascor.engine.errors import ParameterError

Task = Literal["classification", "regression"]
Activation = Literal["tanh"]
Optimizer = Literal["irprop-"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The closed interval that a numeric parameter must lie in, and what the parameter does."""

    low: float
    high: float
    effect: str
    source: str  # where the default comes from
    integral: bool = False
    optional: bool = False


def _count(default: int | None, low: int, high: int, effect: str, source: str = "measured") -> Any:
    bounds = Bounds(low, high, effect, source, integral=True, optional=default is None)
    return field(default=default, metadata={"bounds": bounds})


def _real(default: float, low: float, high: float, effect: str, source: str = "measured") -> Any:
    return field(default=default, metadata={"bounds": Bounds(low, high, effect, source)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a training is told; the defaults are the best that were measured over many seeds.

    Raises:
        ParameterError: naming the parameter that is out of its bounds.
    """

    task: Task = "classification"
    activation_function_name: Activation = "tanh"
    optimizer_type: Optimizer = "irprop-"

    max_hidden_units: int = _count(64, 0, 10_000, "Growth ends with so many installed units.")
    candidate_pool_size: int = _count(
        8,
        1,
        4096,
        "Candidate units trained at once; the best one is installed. Few units win by more than 8.",
    )
    candidate_epochs: int = _count(200, 1, 1_000_000, "Most epochs of one candidate phase.")
    candidate_patience: int = _count(
        12,
        1,
        1_000_000,
        "Epochs that a candidate goes on without its score changing by candidate_change_threshold.",
    )
    candidate_change_threshold: float = _real(
        0.03, 0.0, 1.0, "Relative change of the score that counts as one.", "Fahlman & Lebiere 1990"
    )
    candidate_learning_rate: float = _real(0.1, 1e-6, 50.0, "First step Δ0 of a candidate's iRprop−.")
    output_epochs: int = _count(200, 1, 1_000_000, "Most epochs of one output phase.")
    output_patience: int = _count(
        12,
        1,
        1_000_000,
        "Epochs that the output layer goes on without its loss changing by output_change_threshold.",
    )
    output_change_threshold: float = _real(
        0.01, 0.0, 1.0, "Relative change of the loss that counts as one.", "Fahlman & Lebiere 1990"
    )
    learning_rate: float = _real(0.05, 1e-6, 50.0, "First step Δ0 of the output layer's iRprop−.")
    correlation_threshold: float = _real(
        1e-6, 0.0, 1e3, "Growth ends when no candidate's score exceeds it; the default stops at noise alone."
    )
    error_threshold: float = _real(
        0.4,
        1e-6,
        1e3,
        "Solved when every output is nearer to its target than this; for regression in the "
        "target's standard deviations.",
        "Fahlman & Lebiere 1990",
    )
    patience: int | None = _count(
        None,
        1,
        10_000,
        "Growth has stagnated when so many installed units in a row have not lowered the loss by 1 %.",
        "off",
    )
    max_epochs: int | None = _count(None, 1, 2**53, "Budget of epochs over both phases.", "off")
    max_iterations: int | None = _count(
        None, 0, 10_000, "Budget of grow steps (a candidate phase and an installation).", "off"
    )

    def __post_init__(self) -> None:
        _check_choice("task", self.task, get_args(Task))
        _check_choice("activation_function_name", self.activation_function_name, get_args(Activation))
        _check_choice("optimizer_type", self.optimizer_type, get_args(Optimizer))
        for name, bounds in parameter_bounds().items():
            _check_number(name, getattr(self, name), bounds)


def parameter_bounds() -> dict[str, Bounds]:
    """The bounds and the meaning of every numeric parameter, by name: what a form or a schema needs."""
    return {item.name: item.metadata["bounds"] for item in fields(Parameters) if item.metadata}


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ParameterError(name, f"must be one of {', '.join(choices)}, not {value!r}")


def _check_number(name: str, value: object, bounds: Bounds) -> None:
    if value is None and bounds.optional:
        return
    kinds = int if bounds.integral else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ParameterError(name, f"must be {'a whole' if bounds.integral else 'a'} number, not {value!r}")
    if not (math.isfinite(value) and bounds.low <= value <= bounds.high):
        raise ParameterError(name, f"must be between {bounds.low:g} and {bounds.high:g}, not {value!r}")
