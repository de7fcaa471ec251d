"""Requests read into models, models written into responses."""

import asyncio
import math

import pytest
from pydantic import BaseModel, Field, JsonValue
from starlette.requests import Request
from starlette.types import Message

from juniper_common.errors import UnprocessableError
from juniper_common.requests import json_response, read_body, read_headers, read_query


class Body(BaseModel, extra="forbid"):
    """A request."""

    size: int = 1
    rate: float = 1
    is_loud: bool = False


class Answer(BaseModel):
    """A response."""

    loss: float
    data: dict[str, JsonValue] = {}


class Wishes(BaseModel):
    """Headers."""

    wait: int = Field(1, alias="X-Wait", ge=1)


def _request(content: bytes = b"", query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": content}

    return Request({"type": "http", "method": "POST", "query_string": query, "headers": headers}, receive)


@pytest.mark.parametrize(("content", "size"), [(b'{"size": 3}', 3), (b'{"size": 3.0}', 3), (b"{}", 1), (b"", 1)])
def test_body_is_read(content: bytes, size: int) -> None:
    """No body at all is one that leaves everything out."""
    assert asyncio.run(read_body(_request(content), Body)).size == size


@pytest.mark.parametrize(
    ("content", "path"),
    [(b'{"size": "x"}', "size"), (b'{"sise": 1}', "sise"), (b"{", "body"), (b"\xff", "body"), (b"[]", "body")],
)
def test_wrong_body_is_refused(content: bytes, path: str) -> None:
    """A wrong value, an unknown field, and what is no JSON object: the place is named."""
    with pytest.raises(UnprocessableError) as refused:
        asyncio.run(read_body(_request(content), Body))
    assert [field.path for field in refused.value.fields] == [path]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (b'{"size": true}', "size"),
        (b'{"size": "3"}', "size"),
        (b'{"size": 3.5}', "size"),
        (b'{"size": 1e300}', "size"),
        (b'{"rate": "1"}', "rate"),
        (b'{"rate": false}', "rate"),
        (b'{"is_loud": 1}', "is_loud"),
        (b'{"is_loud": "no", "size": 3.0}', "is_loud"),
    ],
)
def test_nothing_is_taken_for_what_it_is_not(content: bytes, path: str) -> None:
    """The document says integer, number or boolean, and means it."""
    with pytest.raises(UnprocessableError) as refused:
        asyncio.run(read_body(_request(content), Body))
    assert path in [field.path for field in refused.value.fields]


def test_query_is_read() -> None:
    """The query string's words become values."""
    assert read_query(_request(query=b"size=3"), Body).size == 3


def test_wrong_query_is_refused() -> None:
    """As a body is."""
    with pytest.raises(UnprocessableError, match="size"):
        read_query(_request(query=b"size=large"), Body)


def test_what_is_no_number_is_null() -> None:
    """JSON has no NaN and no infinity, wherever they stand."""
    response = json_response(Answer(loss=math.nan, data={"rate": math.inf}), 201)
    assert (response.status_code, response.media_type) == (201, "application/json")
    assert bytes(response.body) == b'{"loss":null,"data":{"rate":null}}'


@pytest.mark.parametrize(("headers", "wait"), [((), 1), (((b"x-wait", b"3"), (b"x-other", b"5")), 3)])
def test_headers_are_read(headers: tuple[tuple[bytes, bytes], ...], wait: int) -> None:
    """Those that are named alone, in whatever letters; what is left out has its default."""
    assert read_headers(_request(headers=headers), Wishes).wait == wait


def test_wrong_header_is_refused() -> None:
    """By its name."""
    with pytest.raises(UnprocessableError) as refused:
        read_headers(_request(headers=((b"x-wait", b"0"),)), Wishes)
    assert [field.path for field in refused.value.fields] == ["X-Wait"]
