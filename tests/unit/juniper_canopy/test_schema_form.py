from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, JsonValue
from pydantic import Field as Described

from juniper_canopy.ui.bounds import bounds_of
from juniper_canopy.ui.schema_form import Entered, Field, common_names, fields_of
from juniper_data.generators import generators
from juniper_data.generators.base import Source
from juniper_data.imports.importer import COLLECTIONS
from juniper_data.imports.parameters import CSV_IMPORT, UPLOAD


class Level(IntEnum):
    """Some numbers with names."""

    LOW = 1
    HIGH = 2


class Inner(BaseModel):
    """Something nested."""

    depth: int = 1


class Everything(BaseModel):
    """A field of each kind that a generator may have."""

    needed: int
    count: int = Described(3, ge=1, le=1000, description="How many")
    share: float = Described(0.5, gt=0, lt=1)
    open_ended: float = Described(0.0, ge=0)
    seed: int | None = Described(42, ge=0)
    is_on: bool = True
    may_be_on: bool | None = None
    kind: Literal["a", "b"] = "a"
    maybe_kind: Literal["a", "b"] | None = None
    level: Level = Level.LOW
    only: Literal["this"] = "this"
    word: str = Described("hello", min_length=1, max_length=10)
    maybe_word: str | None = None
    pair: tuple[float, float] = (0.0, 1.5)
    whole: list[int] = Described([1, 2], max_length=3)
    words: list[str] | None = None
    inner: Inner = Inner()
    either: float | list[float] = 1.0
    matrix: list[list[float]] | None = None
    bounded: list[Annotated[float, Described(ge=0)]] = [1.0]


FIELDS = {field.name: field for field in fields_of(Everything.model_json_schema())}


@pytest.mark.parametrize(
    ("name", "kind", "is_nullable", "begins_with"),
    [
        ("needed", "integer", False, None),
        ("count", "integer", False, 3.0),
        ("share", "number", False, 0.5),
        ("seed", "integer", True, 42.0),
        ("is_on", "switch", False, True),
        ("may_be_on", "choice", True, None),
        ("kind", "choice", False, 0),
        ("maybe_kind", "choice", True, None),
        ("level", "choice", False, 0),
        ("only", "choice", False, 0),
        ("word", "text", False, "hello"),
        ("maybe_word", "text", True, ""),
        ("pair", "list", False, "0, 1.5"),
        ("whole", "list", False, "1, 2"),
        ("words", "list", True, ""),
        ("inner", "json", False, '{"depth": 1}'),
        ("either", "json", False, "1.0"),
        ("matrix", "json", True, ""),
    ],
)
def test_each_kind_has_its_field(name: str, kind: str, is_nullable: bool, begins_with: Entered) -> None:
    """As the schema alone says: how it is entered, whether it may be empty, and what stands there first."""
    field = FIELDS[name]
    assert (field.kind, field.is_nullable, field.begins_with) == (kind, is_nullable, begins_with)


@pytest.mark.parametrize(
    ("name", "entered", "value"),
    [
        ("count", 7.0, 7),
        ("share", 0.25, 0.25),
        ("seed", None, None),
        ("is_on", False, False),
        ("may_be_on", 1, False),
        ("kind", 1, "b"),
        ("level", 1, 2),
        ("maybe_word", "", None),
        ("pair", "1,-2.5e3", [1.0, -2500.0]),
        ("whole", " 4 ", [4]),
        ("words", "a, b c", ["a", "b c"]),
        ("words", " ", None),
        ("inner", '{"depth": 2}', {"depth": 2}),
        ("either", "[1, 2]", [1, 2]),
        ("matrix", "", None),
    ],
)
def test_what_is_entered_becomes_json(name: str, entered: Entered, value: JsonValue) -> None:
    """Of the type that the schema asks for."""
    read = FIELDS[name].read(entered)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "entered", "words"),
    [
        ("needed", None, "is missing"),
        ("count", 0.0, "must be 1 to 1,000"),
        ("count", 1.5, "must be a whole number"),
        ("share", 0.0, "must be more than 0, less than 1"),
        ("share", 1.0, "must be more than 0, less than 1"),
        ("open_ended", -1.0, "must be at least 0"),
        ("word", "", "is missing"),
        ("word", "hello, hello", "must be 1 to 10 signs"),
        ("pair", "1", "must be 2 values with commas between them"),
        ("pair", "1, two", "two is no number"),
        ("pair", "1,", "nothing is no number"),
        ("pair", "1, nan", "nan is no number"),
        ("whole", "1, 2, 3, 4", "must be at most 3 values"),
        ("whole", "1.5", "must be a whole number"),
        ("bounded", "1, -1", "must be at least 0"),
        ("either", "[1", "is no JSON"),
        ("inner", "", "is missing"),
    ],
)
def test_what_cannot_be_is_said_in_words(name: str, entered: Entered, words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match=words):
        FIELDS[name].read(entered)


def test_a_hint_says_what_for_and_within_which_bounds() -> None:
    """And nothing where there is nothing to say."""
    assert FIELDS["count"].hint == "How many · 1 to 1,000"
    assert FIELDS["open_ended"].hint == "at least 0"
    assert FIELDS["kind"].hint == ""


def test_a_label_has_words() -> None:
    """Those of the schema's title; without one, of the name."""
    schema: Mapping[str, JsonValue] = {"properties": {"maybe_kind": {}, "n_parts": {"title": "Parts"}, "n_ends": {}}}
    assert [field.label for field in fields_of(schema)] == ["Maybe kind", "Parts", "Ends"]


@pytest.mark.parametrize("name", sorted(generators()))
def test_no_generator_asks_in_the_words_of_its_code(name: str) -> None:
    """Numbers of things are asked for as the things."""
    labels = [field.label for field in fields_of(generators()[name].parameters.model_json_schema())]
    assert [label for label in labels if label.startswith("N ") or "_" in label] == []


def test_the_narrower_of_two_bounds_counts() -> None:
    """Where a schema states an end twice."""
    assert bounds_of({"minimum": 0, "exclusiveMinimum": 1, "maximum": 5, "exclusiveMaximum": 9}).in_words == (
        "more than 1, at most 5"
    )


@pytest.mark.parametrize(
    "schema", [{}, {"properties": None}, {"properties": {"a": 1}}, {"properties": {"a": {"$ref": "#/x"}}}]
)
def test_an_odd_schema_makes_a_field_of_json(schema: Mapping[str, JsonValue]) -> None:
    """Whatever another package's generator says, the form is built."""
    assert all(field.kind == "json" for field in fields_of(schema))


def test_what_every_generator_has_is_common() -> None:
    """Found from the schemas alone."""
    sources = (*generators().values(), CSV_IMPORT, *COLLECTIONS)
    schemas = [source.parameters.model_json_schema() for source in sources]
    assert common_names(schemas) == {"seed", "train_ratio", "test_ratio", "val_ratio", "shuffle"}
    assert common_names(schemas[:1]) == frozenset()


@pytest.mark.parametrize("source", [*generators().values(), *COLLECTIONS], ids=lambda source: source.name)
def test_the_first_form_of_a_generator_is_its_defaults(source: Source[Any]) -> None:
    """What stands in every field at first is what the generator takes when nothing is said."""
    parameters = source.parameters
    entered = {field.name: field.read(field.begins_with) for field in fields_of(parameters.model_json_schema())}
    assert parameters.model_validate(entered) == parameters()


@pytest.mark.parametrize("parameters", [CSV_IMPORT.parameters, UPLOAD.parameters])
def test_a_file_has_a_form_too(parameters: type[BaseModel]) -> None:
    """The one field without a default is the only one that must be entered."""
    fields = fields_of(parameters.model_json_schema())
    missing = [field.name for field in fields if field.is_required]
    assert missing == [name for name, info in parameters.model_fields.items() if info.is_required()]
    assert {field.name: field.kind for field in fields}["feature_columns"] == "list"


def test_a_choice_that_is_no_default_begins_empty() -> None:
    """It is then asked for."""
    field = Field("kind", "choice", "Kind", choices=("a", "b"), default="c")
    assert field.begins_with is None
    with pytest.raises(ValueError, match="is missing"):
        field.read(None)
