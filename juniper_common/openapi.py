"""One table of operations makes the routes and the OpenAPI document: neither can say what the other doesn't."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from juniper_common import logs
from juniper_common.body_limit import allow_rows, leave_to_handler
from juniper_common.wire.rows import RowsRequest

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path: its handler, and the models that it reads and writes.

    The summary in the document is the first line of the handler's docstring.
    """

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    handler: Handler
    body: type[BaseModel] | str | None = None
    """The model of the body, or the media type of one that is not JSON: the handler reads and limits that one."""
    query: type[BaseModel] | None = None
    headers: type[BaseModel] | None = None
    """The model of the headers that it reads, by their alias."""
    responses: Mapping[int, type[BaseModel] | str | None] = field(default_factory=dict)
    """Per status the model of the answer, a media type for one that is not JSON, or None for an empty one."""
    errors: Collection[int] = ()
    """The statuses of refusals that neither the path, the query, the body nor the key explain."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """Per parameter of the path the regular expression of what it can be at all."""
    is_open: bool = False
    """Whether it answers without a key, however often it is asked."""
    name: str = ""
    """The operation's id, where its handler serves several paths; else the handler's name is."""

    @property
    def id(self) -> str:
        """What it is called in the document."""
        return self.name or getattr(self.handler, "__name__", self.path)


def routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """Starlette's routes for the operations: one a path, so that a 405 names every method that there is.

    A word of a path goes before a parameter in its place, in whatever order the operations stand.
    """
    methods: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        methods.setdefault(operation.path, {})[operation.method] = operation
    return [_Path(path, _by_method(methods[path]), methods=list(methods[path])) for path in sorted(methods, key=_rank)]


class _Path(Route):
    """A path that answers 405 itself: Starlette would try others that take the method, a word as their parameter."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        return Match.FULL if match is Match.PARTIAL else match, child_scope


def _rank(path: str) -> list[bool]:
    # Of two that begin alike the longer goes first: a last parameter that takes slashes would take its rest too.
    return [*(part.startswith("{") for part in path.split("/")), True]


def _by_method(operations: Mapping[str, Operation]) -> Handler:
    async def endpoint(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        # For the lines of whoever answers its errors too: RequestIdentity takes them back.
        logs.run_id.set(request.path_params.get("run_id"))
        logs.dataset_id.set(request.path_params.get("dataset_id"))
        if isinstance(operation.body, str):
            leave_to_handler(request)
        elif operation.body is not None and issubclass(operation.body, RowsRequest):
            allow_rows(request)
        return await operation.handler(request)

    return endpoint


def document_routes(
    title: str, version: str, operations: Sequence[Operation], error: type[BaseModel], *, beside: Sequence[str] = ()
) -> list[BaseRoute]:
    """`/openapi.json`, and `/docs`, a page to read it without fetching anything from elsewhere.

    Args:
        title: what the service is called there.
        version: its version.
        operations: what it can do.
        error: the model of every refusal.
        beside: the addresses of other documents of this service, for the page to name.
    """
    content = orjson.dumps(document(title, version, operations, error))

    async def openapi_json(_: Request) -> Response:
        return Response(content, media_type="application/json")

    async def docs(_: Request) -> Response:
        return HTMLResponse(_page(title, operations, beside))

    return [Route("/openapi.json", openapi_json), Route("/docs", docs)]


def document(title: str, version: str, operations: Sequence[Operation], error: type[BaseModel]) -> dict[str, object]:
    """The OpenAPI 3.1 document."""
    models: set[tuple[type[BaseModel], Literal["validation", "serialization"]]] = {(error, "serialization")}
    for operation in operations:
        models |= {(model, "validation") for model in (operation.body,) if isinstance(model, type)}
        models |= {(model, "serialization") for model in operation.responses.values() if isinstance(model, type)}
    refs, definitions = models_json_schema(sorted(models, key=str), ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, object]] = {}
    for operation in operations:
        paths.setdefault(_plain(operation.path), {})[operation.method.lower()] = _operation(operation, refs, error)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
        "security": [{}, {"key": []}],
    }


def _plain(path: str) -> str:
    """`/x/{id:path}` as OpenAPI writes it: `/x/{id}`."""
    return "/".join(
        part.split(":")[0] + "}" if part.startswith("{") and ":" in part else part for part in path.split("/")
    )


def _operation(operation: Operation, refs: Mapping[Any, Any], error: type[BaseModel]) -> dict[str, object]:
    parameters: list[dict[str, object]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(operation.patterns.get(name))}
        for name in _path_parameters(operation.path)
    ]
    for place, model in (("query", operation.query), ("header", operation.headers)):
        parameters += _parameters(place, model) if model else ()
    entry: dict[str, object] = {
        "summary": _summary(operation),
        "operationId": operation.id,
        "responses": {
            **{str(status): _response(status, error, refs) for status in _refusals(operation)},
            **{str(status): _response(status, model, refs) for status, model in operation.responses.items()},
            "default": _response(500, error, refs) | {"description": "What was wrong"},
        },
    }
    if operation.is_open:
        entry["security"] = []
    if parameters:
        entry["parameters"] = parameters
    if isinstance(operation.body, str):
        content = {operation.body: {"schema": _text_schema(operation.body)}}
        entry["requestBody"] = {"required": True, "content": content}
    elif operation.body is not None:
        schema = refs[operation.body, "validation"]
        is_required = any(info.is_required() for info in operation.body.model_fields.values())
        entry["requestBody"] = {"required": is_required, "content": {"application/json": {"schema": schema}}}
    return entry


def _parameters(place: str, model: type[BaseModel]) -> list[dict[str, object]]:
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": place, "required": name in required, "schema": value}
        for name, value in schema["properties"].items()
    ]


def _path_parameters(path: str) -> list[str]:
    return [part.strip("{}") for part in _plain(path).split("/") if part.startswith("{")]


def _path_schema(pattern: str | None) -> dict[str, str]:
    return {"type": "string"} | ({"pattern": pattern} if pattern else {})


def _refusals(operation: Operation) -> list[int]:
    """The statuses with which the operation may refuse."""
    return sorted(
        {
            *operation.errors,
            421,
            *(() if operation.is_open else (401, 429)),
            *(() if operation.method == "GET" else (403,)),
            *((404,) if _path_parameters(operation.path) else ()),
            *((422,) if operation.query or operation.headers else ()),
            *((413,) if isinstance(operation.body, str) else (413, 422) if operation.body else ()),
        }
    )


def _response(status: int, model: type[BaseModel] | str | None, refs: Mapping[Any, Any]) -> dict[str, object]:
    described: dict[str, object] = {"description": "Done" if status < 400 else HTTPStatus(status).phrase}
    if isinstance(model, str):
        described["content"] = {model: {"schema": _text_schema(model)}}
    elif model is not None:
        described["content"] = {"application/json": {"schema": refs[model, "serialization"]}}
    return described


def _text_schema(media_type: str) -> dict[str, str]:
    return {"type": "string"} | ({} if media_type.startswith("text/") else {"format": "binary"})


def _summary(operation: Operation) -> str:
    return (operation.handler.__doc__ or "").strip().partition("\n")[0]


def _page(title: str, operations: Sequence[Operation], beside: Sequence[str]) -> str:
    title = escape(title)
    others = "".join(f'; beside it: <a href="{path}">{path}</a>' for path in map(escape, beside))
    rows = "\n".join(
        f"<tr><td>{operation.method}</td><td><code>{escape(operation.path)}</code></td>"
        f"<td>{escape(_summary(operation))}</td></tr>"
        for operation in operations
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}}
td,th{{padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}}</style>
<h1>{title}</h1>
<p>The whole contract, with every field: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1){others}.</p>
<table><tr><th>Method</th><th>Path</th><th>What it does</th></tr>
{rows}</table></html>"""
