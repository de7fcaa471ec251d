"""The fields of a JSON Schema on the page: of one generator, or of what can be said of a file."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement
from nicegui.elements.mixins.value_element import ValueElement
from pydantic import JsonValue

from juniper_canopy.ui.bounds import JsonObject
from juniper_canopy.ui.schema_form import Field, fields_of
from juniper_common.wire.errors import FieldProblem


class GeneratorForm:
    """The fields, some of them folded away. What cannot be in one of these unfolds them.

    Args:
        schema: of what is asked for.
        folded: the names of those that are folded away.
        fold_title: what stands above them.
        changed: called after each change of a value.
    """

    def __init__(
        self, schema: JsonObject, folded: Collection[str], fold_title: str, changed: Callable[[], None] | None = None
    ) -> None:
        self._changed = changed
        self._folded = folded
        self._entries: dict[str, tuple[Field, ValueElement[Any]]] = {}
        fields = fields_of(schema)
        self._build([field for field in fields if field.name not in folded])
        self._fold: ui.expansion | None = None
        hidden = [field for field in fields if field.name in folded]
        if hidden:
            self._fold = ui.expansion(fold_title).props("dense switch-toggle-side")
            with self._fold:
                self._build(hidden)

    def read(self) -> dict[str, JsonValue] | None:
        """The params to send; None where a field has what it cannot have, which then stands at it."""
        params: dict[str, JsonValue] = {}
        is_complete = True
        for name, (field, element) in self._entries.items():
            try:
                params[name] = field.read(element.value)
                _tell(element, None)
            except ValueError as error:
                self._tell_of(name, str(error))
                is_complete = False
        return params if is_complete else None

    def place(self, problems: Iterable[FieldProblem]) -> list[FieldProblem]:
        """Put what a service refused at its fields; returns what is about none of them."""
        others = []
        for problem in problems:
            name = str(problem.loc[1]) if len(problem.loc) > 1 and problem.loc[0] == "params" else ""
            if name in self._entries and isinstance(self._entries[name][1], ValidationElement):
                within = ".".join(str(part) for part in problem.loc[2:])
                self._tell_of(name, f"{within} {problem.msg}".strip())
            else:
                others.append(problem)
        return others

    def _tell_of(self, name: str, problem: str) -> None:
        _tell(self._entries[name][1], problem)
        if self._fold is not None and name in self._folded:
            self._fold.open()

    def _build(self, fields: Iterable[Field]) -> None:
        with ui.element("div").classes("data-fields"):
            for field in fields:
                element = _element(field)
                if (changed := self._changed) is not None:
                    element.on_value_change(lambda _, changed=changed: changed())
                element.mark(field.name)
                self._entries[field.name] = field, element


def _element(field: Field) -> ValueElement[Any]:
    """What a value of this kind is entered with."""
    empty = ("drawn" if field.name == "seed" else "none") if field.is_nullable else ""
    element: ValueElement[Any]
    match field.kind:
        case "number" | "integer":
            number = field.begins_with
            value = number if isinstance(number, float) else None
            element = ui.number(field.label, value=value, placeholder=empty)
            element.props("step=any" if field.kind == "number" else "")
        case "switch":
            return ui.switch(field.label, value=bool(field.begins_with)).classes("wide-field").tooltip(field.hint)
        case "choice":
            names: Mapping[int, str] = {index: str(value) for index, value in enumerate(field.choices)}
            element = ui.select(dict(names), label=field.label, value=field.begins_with, clearable=field.is_nullable)
        case _:
            element = ui.input(field.label, value=str(field.begins_with or ""), placeholder=empty)
            element.classes("wide-field" if field.kind == "json" else "")
    # Props by name: a description may have any sign, and a string of props ends at a quote.
    element.props("outlined dense stack-label hide-bottom-space hide-hint")
    element.props["hint"] = field.hint
    return element


def _tell(element: ValueElement[Any], problem: str | None) -> None:
    if isinstance(element, ValidationElement):
        element.error = problem
