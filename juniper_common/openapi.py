"""One table of operations makes the routes and the OpenAPI document: neither can say what the other doesn't."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path: its handler, and the models that it reads and writes.

    The summary in the document is the first line of the handler's docstring.
    """

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    path: str
    handler: Handler
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    responses: Mapping[int, type[BaseModel] | str | None] = field(default_factory=dict)
    """Per status the model of the answer, a media type for one that is not JSON, or None for an empty one."""


def routes(operations: Sequence[Operation]) -> list[BaseRoute]:
    """Starlette's routes for the operations."""
    return [Route(operation.path, operation.handler, methods=[operation.method]) for operation in operations]


def document_routes(
    title: str, version: str, operations: Sequence[Operation], error: type[BaseModel]
) -> list[BaseRoute]:
    """`/openapi.json`, and `/docs`, a page to read it without fetching anything from elsewhere."""
    content = document(title, version, operations, error)

    async def openapi_json(_: Request) -> Response:
        return JSONResponse(content)

    async def docs(_: Request) -> Response:
        return HTMLResponse(_page(title, operations))

    return [Route("/openapi.json", openapi_json), Route("/docs", docs)]


def document(title: str, version: str, operations: Sequence[Operation], error: type[BaseModel]) -> dict[str, object]:
    """The OpenAPI 3.1 document."""
    models: set[tuple[type[BaseModel], Literal["validation", "serialization"]]] = {(error, "serialization")}
    for operation in operations:
        models |= {(model, "validation") for model in (operation.body,) if model}
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
        {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
        for part in _plain(operation.path).split("/")
        if part.startswith("{")
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": value}
            for name, value in schema["properties"].items()
        ]
    entry: dict[str, object] = {
        "summary": _summary(operation),
        "operationId": getattr(operation.handler, "__name__", operation.path),
        "responses": {
            **{str(status): _response(status, model, refs) for status, model in operation.responses.items()},
            "default": _response(400, error, refs) | {"description": "What was wrong"},
        },
    }
    if parameters:
        entry["parameters"] = parameters
    if operation.body is not None:
        schema = refs[operation.body, "validation"]
        entry["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return entry


def _response(status: int, model: type[BaseModel] | str | None, refs: Mapping[Any, Any]) -> dict[str, object]:
    described: dict[str, object] = {"description": "Done" if status < 400 else "Refused"}
    if isinstance(model, str):
        described["content"] = {model: {"schema": {"type": "string", "format": "binary"}}}
    elif model is not None:
        described["content"] = {"application/json": {"schema": refs[model, "serialization"]}}
    return described


def _summary(operation: Operation) -> str:
    return (operation.handler.__doc__ or "").strip().partition("\n")[0]


def _page(title: str, operations: Sequence[Operation]) -> str:
    title = escape(title)
    rows = "\n".join(
        f"<tr><td>{operation.method}</td><td><code>{escape(operation.path)}</code></td>"
        f"<td>{escape(_summary(operation))}</td></tr>"
        for operation in operations
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}}
td,th{{padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}}</style>
<h1>{title}</h1><p>The whole contract, with every field: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<table><tr><th>Method</th><th>Path</th><th>What it does</th></tr>
{rows}</table></html>"""
