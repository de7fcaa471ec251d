"""The parameters of a training, their bounds, and what each of them does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Self, cast, get_args

from juniper_cascor.engine.activations import ACTIVATIONS, Activation
from juniper_cascor.engine.errors import ParameterError

if TYPE_CHECKING:
    from juniper_cascor.engine.events import Phase

Task = Literal["classification", "regression"]
Optimizer = Literal["irprop-", "quickprop", "adam"]
Objective = Literal["covariance", "normalised"]
Placement = Literal["descendant", "sibling-or-descendant"]
Preset = Literal["default", "quality", "compact", "regression"]

_LEARNING_RATES: dict[Phase, dict[Optimizer, float]] = {
    "output": {"irprop-": 0.05, "quickprop": 1.0, "adam": 0.05},
    "candidate": {"irprop-": 0.1, "quickprop": 0.1, "adam": 0.1},
}


@dataclass(frozen=True, slots=True)
class Field:
    """What is known of a parameter beside its default."""

    effect: str
    source: str  # where the default comes from
    choices: tuple[str, ...] = ()
    low: float = -math.inf  # the closed interval that a number must lie in
    high: float = math.inf
    is_integral: bool = False
    is_optional: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it has an interval, not choices."""
        return math.isfinite(self.low)

    @property
    def bounds(self) -> str:
        """Its choices, or its interval, in words."""
        if not self.is_number:
            return ", ".join(self.choices)
        kind = "whole, " if self.is_integral else ""
        return f"{kind}{self.low:g} to {self.high:g}{', or None' if self.is_optional else ''}"


def _choice(default: str, choices: tuple[str, ...], effect: str, source: str) -> Any:
    return field(default=default, metadata={"field": Field(effect, source, choices)})


def _count(default: int | None, low: int, high: int, effect: str, source: str = "measured") -> Any:
    known = Field(effect, source, low=low, high=high, is_integral=True, is_optional=default is None)
    return field(default=default, metadata={"field": known})


def _real(default: float | None, low: float, high: float, effect: str, source: str = "measured") -> Any:
    return field(
        default=default, metadata={"field": Field(effect, source, low=low, high=high, is_optional=default is None)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a training is told; the defaults are the best that were measured over many seeds.

    Raises:
        ParameterError: naming the parameter that is out of its bounds.
    """

    task: Task = _choice(
        "classification",
        get_args(Task),
        "Sigmoid outputs and classes, or linear outputs and values.",
        "Fahlman & Lebiere 1990",
    )
    activation_function_name: str = _choice(
        "tanh",
        (*ACTIVATIONS, "or several joined by +"),
        "What candidates compute of their summed input; of several the candidates of a pool take one in turn.",
        "measured",
    )
    max_hidden_units: int = _count(64, 0, 10_000, "Growth ends with so many installed units.")

    candidate_pool_size: int = _count(
        8,
        1,
        16_384,
        "Candidate units trained at once; the best one is installed. Few units win by more than 8.",
    )
    candidate_objective: Objective = _choice(
        "covariance",
        get_args(Objective),
        "What candidates maximise: the summed magnitude of their covariances with the residual errors, or the share "
        "of the squared residual errors that they explain, which suits regression.",
        "Fahlman & Lebiere 1990; Kwok & Yeung 1997",
    )
    candidate_placement: Placement = _choice(
        "descendant",
        get_args(Placement),
        "Whether every new unit sees all units before it, or half of the candidates only those before the newest "
        "layer, as its siblings: half the depth with equally many units.",
        "Fahlman & Lebiere 1990; SDCC: Baluja & Fahlman 1994",
    )
    descendant_factor: float = _real(
        0.8,
        0.0,
        1.0,
        "With sibling-or-descendant, what a descendant's score counts beside a sibling's.",
        "Baluja & Fahlman 1994",
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
    candidate_optimizer_type: Optimizer = _choice(
        "irprop-", get_args(Optimizer), "How candidates climb.", "measured; Igel & Hüsken 2003"
    )
    candidate_learning_rate: float | None = _real(
        None, 1e-6, 1e3, "First step Δ0 of iRprop−, ε of quickprop, rate of Adam. None: 0.1 for each."
    )

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
    optimizer_type: Optimizer = _choice(
        "irprop-", get_args(Optimizer), "How the output layer descends.", "measured; Igel & Hüsken 2003"
    )
    learning_rate: float | None = _real(
        None, 1e-6, 1e3, "Of the output layer, as candidate_learning_rate. None: 0.05, 1 or 0.05."
    )
    output_ridge: float = _real(
        0.0,
        0.0,
        1e3,
        "Pulls the output weights (not the biases) to zero: this share of their squares is added to the mean "
        "squared error that the layer descends. 1e-4 to 1e-3 where it overfits.",
    )
    quickprop_mu: float = _real(
        1.75, 1.0, 10.0, "With quickprop, the most that a step grows from one epoch to the next.", "Fahlman 1988"
    )
    class_weights: tuple[float, ...] | Literal["balanced"] | None = field(
        default=None,
        metadata={
            "field": Field(
                "What an error in each class counts, in the order of the classes; balanced: in inverse proportion to "
                "their patterns. A pattern that counts less than a thousandth of the average need not be solved.",
                "off",
                ("None", "balanced", "or a positive number for each class"),
                is_optional=True,
            )
        },
    )

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
    validation_patience: int | None = _count(
        None,
        1,
        10_000,
        "With validation patterns, growth ends when so many installed units in a row have not lowered their loss; "
        "the network that was best on them is the result.",
        "off",
    )
    max_epochs: int | None = _count(None, 1, 2**53, "Budget of epochs over both phases.", "off")
    max_iterations: int | None = _count(
        None, 0, 10_000, "Budget of grow steps (a candidate phase and an installation).", "off"
    )

    def __post_init__(self) -> None:
        weights: object = self.class_weights
        if isinstance(weights, list):  # as JSON and people write it
            object.__setattr__(self, "class_weights", tuple(weights))
        for name, known in parameter_fields().items():
            value = getattr(self, name)
            if known.is_number:
                _check_number(name, value, known)
            elif name == "activation_function_name":
                _check_activations(value)
            elif name == "class_weights":
                _check_class_weights(value)
            elif value not in known.choices:
                raise ParameterError(name, f"must be one of {known.bounds}, not {value!r}")
        if self.task == "regression" and self.class_weights is not None:
            raise ParameterError("class_weights", "regression has no classes")

    @classmethod
    def preset(cls, name: Preset, **changes: Any) -> Self:
        """The parameters of a preset, with changes.

        `default` is the best for most. `quality` takes longer over each candidate, with Adam. `compact` lets
        candidates of four activation functions compete: fewest units, though spirals generalise less well.
        `regression` has linear outputs, candidates that explain squared error, a nearer target, and stops when
        validation patterns say so.

        Raises:
            ParameterError: there is no such preset, or a change is out of its bounds.
        """
        if name not in _PRESETS:
            raise ParameterError("preset", f"must be one of {', '.join(_PRESETS)}, not {name!r}")
        return cls(**_PRESETS[name] | changes)

    def as_dict(self) -> dict[str, Any]:
        """Every parameter by its name, in types that JSON knows: `Parameters(**values)` is the way back."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The candidates' activation functions, which the candidates of a pool take in turn."""
        return cast("tuple[Activation, ...]", tuple(self.activation_function_name.split("+")))

    def rate(self, phase: Phase) -> float:
        """The learning rate of a phase: the one that is set, or the optimiser's own."""
        is_output = phase == "output"
        rate = self.learning_rate if is_output else self.candidate_learning_rate
        optimizer = self.optimizer_type if is_output else self.candidate_optimizer_type
        return _LEARNING_RATES[phase][optimizer] if rate is None else rate


_PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "quality": {
        "candidate_optimizer_type": "adam",
        "candidate_patience": 30,
        "candidate_change_threshold": 0.01,
    },
    "compact": {"activation_function_name": "sin+gaussian+tanh+sigmoid"},
    "regression": {
        "task": "regression",
        "candidate_objective": "normalised",
        "activation_function_name": "tanh+gaussian+sin",
        "output_patience": 30,
        "output_change_threshold": 0.001,
        "error_threshold": 0.05,
        "validation_patience": 6,
    },
}


def parameter_fields() -> dict[str, Field]:
    """The bounds and the meaning of every parameter, by name: what a form or a schema needs."""
    return {item.name: item.metadata["field"] for item in fields(Parameters)}


def _check_number(name: str, value: object, known: Field) -> None:
    if value is None and known.is_optional:
        return
    kinds = int if known.is_integral else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise ParameterError(name, f"must be {'a whole' if known.is_integral else 'a'} number, not {value!r}")
    if not (math.isfinite(value) and known.low <= value <= known.high):
        raise ParameterError(name, f"must be between {known.low:g} and {known.high:g}, not {value!r}")


def _check_activations(value: object) -> None:
    names = value.split("+") if isinstance(value, str) else [value]
    for name in names:
        if name not in ACTIVATIONS or names.count(name) > 1:
            known = parameter_fields()["activation_function_name"]
            raise ParameterError("activation_function_name", f"must be one of {known.bounds}, not {value!r}")


def _check_class_weights(value: object) -> None:
    if value is None or value == "balanced":
        return
    is_tuple = isinstance(value, tuple) and len(value) > 1
    if not is_tuple or not all(
        isinstance(weight, int | float) and not isinstance(weight, bool) and 0 < weight <= 1e6
        for weight in cast("tuple[object, ...]", value)
    ):
        raise ParameterError("class_weights", f"must be None, 'balanced' or a positive number a class, not {value!r}")


Parameters.__doc__ = f"{Parameters.__doc__}\n\nAttributes:\n" + "\n".join(
    f"    {name}: {known.effect} ({known.bounds}; default {item.default!r}, {known.source})"
    for item, (name, known) in zip(fields(Parameters), parameter_fields().items(), strict=True)
)
