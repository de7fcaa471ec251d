"""The AsyncAPI document: of a small table, and of the service's own, against what AsyncAPI 3.0 requires."""

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, JsonValue
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_cascor.api.asyncapi import PATH, Channel, Messages, document, document_route
from juniper_cascor.api.channels import CHANNELS
from juniper_cascor.runs.fanout import REPLACEABLE

Json = dict[str, JsonValue]


class Frame(BaseModel):
    """What is around each message."""

    type: str
    data: dict[str, JsonValue] = {}


class Point(BaseModel):
    """A place.

    More that the document does not tell.
    """

    x: float


class Ping(BaseModel):
    """A sign of life."""


class Command(BaseModel):
    """A whole message."""

    command: str
    target: Point


class Query(BaseModel):
    """What may stand in the address."""

    run: str | None = None


TINY = Channel(
    name="tiny",
    path="/ws/tiny",
    about="Places.",
    sends=Messages(envelope=Frame, models={"point": Point, "ping": Ping}),
    receives=Messages(models={"command": Command, "ping": Ping}),
    closes={4029: "Too fast."},
    query=Query,
)

TABLES = pytest.mark.parametrize("channels", [(TINY,), CHANNELS], ids=["tiny", "service"])


def _part(content: object, *path: str) -> Json:
    for step in path:
        assert isinstance(content, dict)
        content = content[step]
    assert isinstance(content, dict)
    return content


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


@TABLES
def test_root_has_what_is_required(channels: tuple[Channel, ...]) -> None:
    """The version of the specification, a title, a version, and only members that it knows."""
    content = document("Tiny", "1.2.3", channels)
    assert content["asyncapi"] == "3.0.0"
    assert content["info"] == {"title": "Tiny", "version": "1.2.3"}
    known = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
    assert set(content) <= known


@TABLES
def test_each_channel_has_an_address_and_messages(channels: tuple[Channel, ...]) -> None:
    """Each message with a payload, under a name that a reference can hold; what is our own begins with x-."""
    for channel in _part(document("Tiny", "1", channels), "channels").values():
        assert isinstance(channel, dict)
        assert str(channel["address"]).startswith("/ws/")
        messages = _part(channel, "messages")
        assert messages
        for name, message in messages.items():
            assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
            assert isinstance(message, dict)
            assert isinstance(message["payload"], dict)
            assert message["summary"]
        known = {"address", "messages", "title", "summary", "description", "bindings"}
        assert {name for name in channel if not name.startswith("x-")} <= known


@TABLES
def test_each_operation_is_of_a_channel_and_of_its_messages(channels: tuple[Channel, ...]) -> None:
    """One that sends and one that receives; their messages are references into the channel itself."""
    content = document("Tiny", "1", channels)
    operations = _part(content, "operations")
    assert set(operations) == {f"{action}_{channel.name}" for action in ("send", "receive") for channel in channels}
    for operation in operations.values():
        assert isinstance(operation, dict)
        assert operation["action"] in ("send", "receive")
        channel = _part(operation, "channel")["$ref"]
        assert isinstance(channel, str)
        assert isinstance(operation["messages"], list)
        for message in operation["messages"]:
            assert str(_part(message)["$ref"]).startswith(f"{channel}/messages/")


@TABLES
def test_every_reference_leads_somewhere(channels: tuple[Channel, ...]) -> None:
    """Nested models stand among the schemas too."""
    content = document("Tiny", "1", channels)
    references = set(_references(content))
    assert references
    for reference in references:
        _part(content, *reference.removeprefix("#/").split("/"))


def test_message_in_an_envelope_is_told_by_its_type() -> None:
    """A program knows by one word which model the data is of."""
    messages = _part(document("Tiny", "1", (TINY,)), "channels", "tiny", "messages")
    assert messages["point"] == {
        "name": "point",
        "summary": "A place.",
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Frame"},
                {
                    "type": "object",
                    "properties": {"type": {"const": "point"}, "data": {"$ref": "#/components/schemas/Point"}},
                    "required": ["type"],
                },
            ]
        },
    }


def test_message_without_an_envelope_is_its_model() -> None:
    """As a command is; both sides may send a message of one name."""
    content = document("Tiny", "1", (TINY,))
    messages = _part(content, "channels", "tiny", "messages")
    assert _part(messages, "client_command")["payload"] == {"$ref": "#/components/schemas/Command"}
    assert _part(messages, "client_ping")["name"] == _part(messages, "ping")["name"] == "ping"


def test_handshake_and_closes_are_told() -> None:
    """What is sent before the first message, and what a close says."""
    channel = _part(document("Tiny", "1", (TINY,)), "channels", "tiny")
    handshake = _part(channel, "bindings", "ws")
    assert "X-API-Key" in _part(handshake, "headers", "properties")
    assert "run" in _part(handshake, "query", "properties")
    assert channel["x-close-codes"] == {"4029": "Too fast."}


def test_document_is_served() -> None:
    """Where the page of the HTTP operations says."""
    with TestClient(Starlette(routes=[document_route("Tiny", "1", (TINY,))])) as client:
        assert client.get(PATH).json() == document("Tiny", "1", (TINY,))


def test_what_is_replaced_for_slow_clients_is_in_the_table() -> None:
    """The fan-out and the document speak of the same messages."""
    (training,) = (channel for channel in CHANNELS if channel.name == "training")
    assert training.sends.models.keys() >= REPLACEABLE
