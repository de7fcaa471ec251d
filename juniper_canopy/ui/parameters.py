"""The form of an engine's parameters: those of the next run, and while one is active, its own.

Before a run an empty field means the engine's measured default. While a run is active each field shows what the run
has, as it was reported; what differs from that is what `changed` tells.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

from nicegui import binding, ui
from pydantic import JsonValue

from juniper_canopy.ui.elements import push_button
from juniper_canopy.ui.reported import Reported
from juniper_common.wire.training import ChangeParameters, EngineParameters

Number = float | int

TITLES: Mapping[str, str] = {name: field.title or name for name, field in EngineParameters.model_fields.items()}
"""What a person reads of each of the engine's parameters."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the engine's parameters."""

    name: str
    is_whole: bool = True
    low: float = 1

    @property
    def label(self) -> str:
        """What a person reads."""
        return TITLES[self.name]

    def cast(self, value: float) -> Number:
        """The value as the engine takes it."""
        return int(value) if self.is_whole else value


FIRST = (
    Parameter("max_hidden_units"),
    Parameter("candidate_pool_size"),
)
PHASES = ("Output", "Candidate")
OF_PHASES = {
    "Rate": (
        Parameter("learning_rate", is_whole=False, low=0),
        Parameter("candidate_learning_rate", is_whole=False, low=0),
    ),
    "Epochs": (Parameter("output_epochs"), Parameter("candidate_epochs")),
    "Patience": (Parameter("output_patience"), Parameter("candidate_patience")),
}
"""What both phases have: a row each, with a column for each phase."""

THRESHOLD = Parameter("correlation_threshold", is_whole=False, low=0)


class ParameterForm:
    """One page's fields.

    Args:
        reported: what the run was said to have; one for the process.
        apply: sends what was changed; it says by itself what went wrong.
    """

    def __init__(self, reported: Reported, apply: Callable[[], Awaitable[None]]) -> None:
        self._reported = reported
        self._fields = {parameter: _Field(parameter, reported) for parameter in FIRST}
        with ui.element("details").classes("more wide"):
            with ui.element("summary").mark("more"):
                ui.label("More parameters").classes("summary-text")
            with ui.element("div").classes("of-phases"):
                self._build_of_phases()
            self._fields[THRESHOLD] = _Field(THRESHOLD, reported)
        button = push_button("Apply to the run", "apply", apply).classes("wide")
        button.tooltip("Sends what was changed; the run has it from its next phase on")
        button.bind_visibility_from(reported, "is_active")

    def _build_of_phases(self) -> None:
        for head in ("", *PHASES):
            ui.label(head).classes("field-name")
        for row, parameters in OF_PHASES.items():
            ui.label(row).classes("field-name")
            for parameter in parameters:
                self._fields[parameter] = _Field(parameter, self._reported, is_in_table=True)

    def given(self) -> dict[str, Number]:
        """What the next run is to have: the fields that are not empty."""
        values = {parameter: field.for_start for parameter, field in self._fields.items()}
        return {parameter.name: parameter.cast(value) for parameter, value in values.items() if value is not None}

    def changed(self) -> ChangeParameters:
        """What differs from what the active run was reported to have. Raises ValidationError."""
        values = {parameter: field.changed_value for parameter, field in self._fields.items()}
        return ChangeParameters.model_validate(
            {parameter.name: parameter.cast(value) for parameter, value in values.items() if value is not None}
        )


class _Field(ui.number):
    """A parameter's field. It follows the reports until somebody edits it, and again once the edit was reported."""

    reports = binding.BindableProperty(on_change=lambda field, reports: cast("_Field", field)._follow(reports))

    def __init__(self, parameter: Parameter, reported: Reported, *, is_in_table: bool = False) -> None:
        precision = 0 if parameter.is_whole else None
        label = None if is_in_table else parameter.label
        super().__init__(label, placeholder="default", min=parameter.low, precision=precision)
        self.props(f'aria-label="{parameter.label}"' if is_in_table else "")
        mode = "numeric" if parameter.is_whole else "decimal"
        self.props(f'outlined dense stack-label inputmode="{mode}"').mark(parameter.label)
        self._parameter = parameter
        self._is_active = False
        self._present: float | None = None
        self._kept: float | None = None  # what was meant for the next start, while a run's own value is shown
        self.reports = None
        binding.bind_from(self, "reports", reported, "active_params")

    @property
    def for_start(self) -> float | None:
        """What the next run is to have, or None for the default."""
        return self._kept if self._is_active else self.value

    @property
    def changed_value(self) -> float | None:
        """What the active run is to have instead of what it has, or None to leave it."""
        return None if not self._is_active or self.value == self._present else self.value

    def _follow(self, reports: Mapping[str, JsonValue] | None) -> None:
        if reports is None:
            if self._is_active:
                self.value = self._kept
            self._is_active = False
            return
        value = reports.get(self._parameter.name)
        present = value if isinstance(value, int | float) else None
        if not self._is_active:
            self._kept = self.value
        if not self._is_active or self.value == self._present:
            self.value = present
        self._is_active, self._present = True, present
