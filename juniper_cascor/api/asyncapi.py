"""One table of channels makes the AsyncAPI 3.0 document: what the sockets send, what they read, how they close.

It knows nothing of this service's channels, which stand in `channels.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/asyncapi.json"

Mode = Literal["validation", "serialization"]


@dataclass(frozen=True, kw_only=True)
class Messages:
    """What goes one way."""

    models: Mapping[str, type[BaseModel]]
    """Per name of a message its model."""
    envelope: type[BaseModel] | None = None
    """What is around each: its `type` is the name, its `data` is of the model. None: the model is the whole message."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One WebSocket of the service."""

    name: str
    path: str
    about: str
    sends: Messages
    receives: Messages
    closes: Mapping[int, str]
    """Per code with which the service closes the socket its reason."""
    query: type[BaseModel] | None = None


def document_route(title: str, version: str, channels: Sequence[Channel]) -> Route:
    """`/asyncapi.json`."""
    content = orjson.dumps(document(title, version, channels))

    async def asyncapi_json(_: Request) -> Response:
        return Response(content, media_type="application/json")

    return Route(PATH, asyncapi_json)


def document(title: str, version: str, channels: Sequence[Channel]) -> dict[str, object]:
    """The AsyncAPI 3.0 document. Its actions are the service's: what it sends, and what it receives."""
    models: set[tuple[type[BaseModel], Mode]] = set()
    for channel in channels:
        models |= _models(channel.sends, "serialization") | _models(channel.receives, "validation")
    refs, definitions = models_json_schema(sorted(models, key=str), ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel, refs) for channel in channels},
        "operations": {name: value for channel in channels for name, value in _operations(channel).items()},
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _models(messages: Messages, mode: Mode) -> set[tuple[type[BaseModel], Mode]]:
    envelope = (messages.envelope,) if messages.envelope else ()
    return {(model, mode) for model in (*messages.models.values(), *envelope)}


def _channel(channel: Channel, refs: Mapping[Any, Any]) -> dict[str, object]:
    return {
        "address": channel.path,
        "description": channel.about,
        "messages": {
            **{_sent(name): _message(name, channel.sends, "serialization", refs) for name in channel.sends.models},
            **{_read(name): _message(name, channel.receives, "validation", refs) for name in channel.receives.models},
        },
        "bindings": {"ws": _handshake(channel)},
        "x-close-codes": {str(code): reason for code, reason in channel.closes.items()},
    }


def _sent(name: str) -> str:
    return name


def _read(name: str) -> str:
    # Both sides may send a message of one name, as `ping`.
    return f"client_{name}"


def _message(name: str, messages: Messages, mode: Mode, refs: Mapping[Any, Any]) -> dict[str, object]:
    model = messages.models[name]
    payload = refs[model, mode]
    if messages.envelope is not None:
        inside = {"type": "object", "properties": {"type": {"const": name}, "data": payload}, "required": ["type"]}
        payload = {"allOf": [refs[messages.envelope, mode], inside]}
    return {"name": name, "summary": (model.__doc__ or "").strip().partition("\n")[0], "payload": payload}


def _handshake(channel: Channel) -> dict[str, object]:
    key = {"type": "string", "description": "Asked for where the service has keys."}
    binding: dict[str, object] = {
        "bindingVersion": "0.1.0",
        "method": "GET",
        "headers": {"type": "object", "properties": {"X-API-Key": key}},
    }
    if channel.query is not None:
        binding["query"] = channel.query.model_json_schema()
    return binding


def _operations(channel: Channel) -> dict[str, object]:
    return {
        f"send_{channel.name}": _operation("send", channel.name, [_sent(name) for name in channel.sends.models]),
        f"receive_{channel.name}": _operation(
            "receive", channel.name, [_read(name) for name in channel.receives.models]
        ),
    }


def _operation(action: Literal["send", "receive"], channel: str, messages: Sequence[str]) -> dict[str, object]:
    reference = f"#/channels/{channel}"
    return {
        "action": action,
        "channel": {"$ref": reference},
        "messages": [{"$ref": f"{reference}/messages/{name}"} for name in messages],
    }
