"""What a form asks for, as it follows from a JSON Schema alone. It knows nothing of pages and of any generator.

A schema of a kind that has no field of its own is asked for as JSON text: whatever a generator takes can be given.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from juniper_canopy.ui.bounds import UNBOUNDED, Bounds, JsonObject, bounds_of, is_number, number_of
from juniper_common.wire.titles import title_of

Kind = Literal["number", "integer", "switch", "choice", "text", "list", "json"]
Entered = str | float | bool | None
"""What a person entered: a text, a number, a switch's position, a choice's place among its choices, or nothing."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the form.

    Args:
        name: what the schema calls it.
        kind: how it is entered.
        label: what a person reads.
        description: what the schema says of it.
        default: what it is where nothing was entered yet.
        is_required: whether the schema has no default for it.
        is_nullable: whether it may be left empty, which is null.
        bounds: of a number, or of each in a list.
        choices: of a choice.
        item: what a list is of.
        lengths: how many values a list may have, or signs a text.
    """

    name: str
    kind: Kind
    label: str
    description: str = ""
    default: JsonValue = None
    is_required: bool = False
    is_nullable: bool = False
    bounds: Bounds = UNBOUNDED
    choices: tuple[JsonValue, ...] = ()
    item: Literal["number", "integer", "text"] = "text"
    lengths: tuple[float, float] = (0.0, math.inf)

    @property
    def hint(self) -> str:
        """What it is for, and within which bounds."""
        return " · ".join(part for part in (self.description, self.bounds.in_words) if part)

    @property
    def begins_with(self) -> Entered:
        """The default as if a person had entered it."""
        value = self.default
        match self.kind:
            case "number" | "integer":
                return float(value) if is_number(value) else None
            case "switch":
                return bool(value)
            case "choice":
                return self.choices.index(value) if value in self.choices else None
            case "text":
                return "" if value is None else str(value)
            case "list":
                return ", ".join(_as_text(each) for each in value) if isinstance(value, list) else ""
            case "json":
                return "" if value is None else json.dumps(value, ensure_ascii=False)

    def read(self, entered: Entered) -> JsonValue:
        """The value to send. Raises ValueError, in words, for what it cannot be."""
        if entered is None or (isinstance(entered, str) and not entered.strip() and self.kind != "text"):
            return self._empty()
        match self.kind:
            case "number" | "integer":
                return self._read_number(entered, self.kind)
            case "switch":
                return bool(entered)
            case "choice":
                return self.choices[int(entered)]
            case "text":
                return self._read_text(str(entered))
            case "list":
                return self._read_list(str(entered))
            case "json":
                return _read_json(str(entered))

    def _empty(self) -> JsonValue:
        if not self.is_nullable:
            raise ValueError("is missing")
        return None

    def _read_number(self, entered: Entered, kind: Kind) -> float | int:
        try:
            number = float(entered or 0)
        except ValueError:
            raise ValueError(f"{entered!s} is no number") from None
        if not math.isfinite(number):
            raise ValueError(f"{entered!s} is no number")
        if kind == "integer" and not number.is_integer():
            raise ValueError("must be a whole number")
        self.bounds.check(number)
        return int(number) if kind == "integer" else number

    def _read_text(self, entered: str) -> str | None:
        if not entered and self.is_nullable:
            return None
        self._check_length(len(entered), "signs")
        return entered

    def _read_list(self, entered: str) -> list[JsonValue]:
        parts = [part.strip() for part in entered.split(",")]
        self._check_length(len(parts), "values with commas between them")
        return [part if self.item == "text" else self._read_number(part or "nothing", self.item) for part in parts]

    def _check_length(self, length: int, of: str) -> None:
        least, most = self.lengths
        if length < least and not length:
            raise ValueError("is missing")
        if not least <= length <= most:
            wanted = f"{least:.0f}" if least == most else Bounds(least or -math.inf, most).in_words
            raise ValueError(f"must be {wanted} {of}")


def fields_of(schema: JsonObject) -> Sequence[Field]:
    """The fields of an object's schema, in its order."""
    required = schema.get("required")
    return [
        _field(name, _object(entry), schema, is_required=name in required if isinstance(required, list) else False)
        for name, entry in _object(schema.get("properties")).items()
    ]


def common_names(schemas: Sequence[JsonObject]) -> frozenset[str]:
    """The names that each of several schemas has: what is asked for whichever is chosen. One schema has none."""
    names = [frozenset(_object(schema.get("properties"))) for schema in schemas]
    return frozenset.intersection(*names) if len(names) > 1 else frozenset()


def _field(name: str, entry: JsonObject, root: JsonObject, *, is_required: bool) -> Field:
    schema, is_nullable = _plain(entry, root)
    kind, item, of_item = _kind(schema, root, is_nullable=is_nullable)
    return Field(
        name=name,
        kind=kind,
        label=str(entry.get("title") or title_of(name)),
        description=str(entry.get("description") or schema.get("description") or ""),
        default=entry.get("default", schema.get("const")),
        is_required=is_required,
        is_nullable=is_nullable,
        bounds=bounds_of(of_item if kind == "list" else schema),
        choices=_choices(schema) if kind == "choice" else (),
        item=item,
        lengths=_lengths(schema, "Items" if kind == "list" else "Length"),
    )


def _kind(
    schema: JsonObject, root: JsonObject, *, is_nullable: bool
) -> tuple[Kind, Literal["number", "integer", "text"], JsonObject]:
    """How a value of a schema is entered, and of a list what it is of."""
    if _choices(schema) and not (schema.get("type") == "boolean" and not is_nullable and "const" not in schema):
        return "choice", "text", {}
    match schema.get("type"):
        case "number":
            return "number", "text", {}
        case "integer":
            return "integer", "text", {}
        case "boolean":
            return "switch", "text", {}
        case "string":
            return "text", "text", {}
        case "array":
            of_item = _item(schema, root)
            match of_item.get("type"):
                case "number":
                    return "list", "number", of_item
                case "integer":
                    return "list", "integer", of_item
                case "string" if not _choices(of_item):
                    return "list", "text", of_item
    return "json", "text", {}


def _plain(entry: JsonObject, root: JsonObject) -> tuple[JsonObject, bool]:
    """A schema without references, and whether null is one of the values that it allows."""
    schema, is_nullable = _resolved(entry, root), False
    for union in ("anyOf", "oneOf"):
        if isinstance(parts := schema.get(union), list):
            resolved = [_resolved(_object(part), root) for part in parts]
            others = [part for part in resolved if part.get("type") != "null"]
            is_nullable = len(others) < len(resolved)
            if len(others) == 1:
                schema = others[0]
    if isinstance(kinds := schema.get("type"), list):
        is_nullable = is_nullable or "null" in kinds
        rest = [kind for kind in kinds if kind != "null"]
        schema = {**schema, "type": rest[0] if len(rest) == 1 else rest}
    if isinstance(values := schema.get("enum"), list) and None in values:
        is_nullable = True
        schema = {**schema, "enum": [value for value in values if value is not None]}
    return schema, is_nullable


def _resolved(entry: JsonObject, root: JsonObject) -> JsonObject:
    if isinstance(parts := entry.get("allOf"), list) and len(parts) == 1:
        return _resolved({**entry, **_object(parts[0])}, root)
    reference = entry.get("$ref")
    if not isinstance(reference, str):
        return entry
    found: JsonValue = dict(root)
    for step in reference.removeprefix("#/").split("/"):
        found = _object(found).get(step)
    return _object(found)


def _item(schema: JsonObject, root: JsonObject) -> JsonObject:
    """What every value of an array is; nothing where they differ."""
    fixed = schema.get("prefixItems")
    items = [_resolved(_object(item), root) for item in (fixed if isinstance(fixed, list) else [schema.get("items")])]
    return items[0] if items and all(item.get("type") == items[0].get("type") for item in items) else {}


def _choices(schema: JsonObject) -> tuple[JsonValue, ...]:
    if "const" in schema:
        return (schema["const"],)
    if isinstance(values := schema.get("enum"), list):
        return tuple(values)
    return (True, False) if schema.get("type") == "boolean" else ()


def _lengths(schema: JsonObject, of: str) -> tuple[float, float]:
    least, most = number_of(schema, f"min{of}"), number_of(schema, f"max{of}")
    return least or 0.0, math.inf if most is None else most


def _read_json(entered: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(entered)
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None
    return value


def _as_text(value: JsonValue) -> str:
    return f"{value:.15g}" if is_number(value) else str(value)


def _object(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
