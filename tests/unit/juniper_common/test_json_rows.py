"""Rows in large bodies, read in pieces."""

import asyncio

import orjson
import pytest
from pydantic import JsonValue

from juniper_common.errors import ServiceError, TooLargeError, UnprocessableError
from juniper_common.requests import AT_ONCE_BYTES, read_json
from juniper_common.wire.training import InlineData, StartTraining

N = 20_000
X: JsonValue = [[n / 8, -n] for n in range(N)]
Y: JsonValue = [n % 2 for n in range(N)]


def body(train_x: JsonValue, train_y: JsonValue, **more: JsonValue) -> bytes:
    """A start with these rows, in more than can be read at once."""
    content = orjson.dumps({"inline_data": {"train_x": train_x, "train_y": train_y}, **more})
    assert len(content) > AT_ONCE_BYTES
    return content


def read(content: bytes) -> StartTraining:
    """What the service reads."""
    return asyncio.run(read_json(content, StartTraining))


def refused(content: bytes) -> ServiceError:
    """Why it does not."""
    with pytest.raises(ServiceError) as error:
        read(content)
    return error.value


@pytest.mark.parametrize("train_y", [Y, [[value] for value in range(N)]])
def test_large_rows_are_read_as_small_ones_are(train_y: JsonValue) -> None:
    """Numbers or rows as targets, and all else that the request says."""
    asked = read(body(X, train_y, epochs=7.0))
    assert asked.inline_data == InlineData.model_validate({"train_x": X, "train_y": train_y})
    assert asked.epochs == 7


def test_spaces_make_no_difference() -> None:
    """However the JSON is written."""
    spaced = body(X, Y).replace(b"],[", b" ]\n, [ ").replace(b":[", b" :\t[ ")
    assert read(spaced) == read(body(X, Y))


@pytest.mark.parametrize(
    ("value", "loc"),
    [([1, "2"], [N, 1]), ([True, 1], [N, 0]), ([], [N]), (3, [N]), ([None, None], [N, 0]), ([[1], 2], [N, 0])],
)
def test_the_first_wrong_value_is_named(value: JsonValue, loc: list[JsonValue]) -> None:
    """By its row and column, in small bodies and large ones; the others are not listed."""
    assert isinstance(X, list)
    (problem,) = refused(body([*X, value, ["x"]], Y)).fields
    assert problem.loc[:2] == ["inline_data", "train_x"]
    small = orjson.dumps({"inline_data": {"train_x": [value, ["x"]], "train_y": [1, 2]}})
    (of_small,) = refused(small).fields
    assert of_small.loc == ["inline_data", "train_x", 0, *loc[1:]]
    assert problem.loc[2:] == loc or "Invalid JSON" in problem.msg


def test_a_wrong_target_is_named_once() -> None:
    """Not once for rows and once for numbers."""
    (problem,) = refused(orjson.dumps({"inline_data": {"train_x": [[1], [2]], "train_y": [1, "x"]}})).fields
    assert problem.loc == ["inline_data", "train_y", 1]


@pytest.mark.parametrize(
    "content",
    [
        body(X, Y)[:-1],
        body(X, Y)[:-3] + b",]}}",
        body(X, Y).replace(b"],[", b"] [", 1),
        body(X, Y).replace(b"]],", b"]]],"),
        body(X, Y)[:-2] + b',"train_y":[1]}}',
        body(X, Y, dataset={"generator": "xor", "params": {"train_x": [[1]]}}),
        body(X, Y, colour="red"),
    ],
)
def test_other_large_bodies_are_refused(content: bytes) -> None:
    """What is no JSON, or has rows where none belong, is no request."""
    assert isinstance(refused(content), UnprocessableError)


def test_what_is_no_row_may_not_be_large() -> None:
    """Only rows are read in pieces."""
    error = refused(body(X, Y, notes="x" * (1 << 20)))
    assert isinstance(error, TooLargeError)
    assert error.fields[0].path == "body"
