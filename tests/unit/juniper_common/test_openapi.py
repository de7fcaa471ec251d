"""The document and its page, of a small service."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, Field, RootModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from juniper_common.body_limit import BodyLimit
from juniper_common.openapi import Operation, document, document_routes, routes


class Part(BaseModel):
    """A part of an item."""

    weight: float


class Item(BaseModel):
    """An item."""

    name: str
    parts: list[Part] = []


class NewItem(BaseModel, extra="forbid"):
    """What makes an item."""

    name: str = Field(min_length=1)


class Items(RootModel[list[Item]]):
    """Several items."""


class Query(BaseModel):
    """Which items."""

    word: str
    limit: int = Field(default=100, ge=1, le=1000)
    order: Literal["up", "down"] = "up"


class Refusal(BaseModel):
    """What was wrong."""

    detail: str


async def list_items(_: Request) -> Response:
    """Every item whose weight is < 3 & known.

    More that the document does not tell.
    """
    return Response("list")


async def make_item(_: Request) -> Response:
    """Make an item."""
    return Response("make")


async def read_file(_: Request) -> Response:
    """The file of an item."""
    return Response("file")


async def tell_state(_: Request) -> Response:
    """How it is."""
    return Response("well")


async def drop_item(_: Request) -> Response:  # noqa: D103 - as one might be left
    return Response(status_code=204)


OPERATIONS = [
    Operation(method="GET", path="/items", handler=list_items, query=Query, responses={200: Items}),
    Operation(method="GET", path="/state", handler=tell_state, responses={200: "text/plain"}, is_open=True),
    Operation(method="POST", path="/items", handler=make_item, body=NewItem, responses={201: Item, 200: Item}),
    Operation(
        method="GET", path="/items/{name}/files/{file:path}", handler=read_file, responses={200: "application/zip"}
    ),
    Operation(
        method="DELETE",
        path="/items/{name}",
        handler=drop_item,
        responses={204: None},
        errors=(409,),
        patterns={"name": "^[a-z]+$"},
    ),
    Operation(method="GET", path="/items/newest", handler=list_items, responses={200: Items}, name="list_newest"),
]


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Calls the service."""
    documents = document_routes("Tiny <service>", "1.2.3", OPERATIONS, Refusal)
    with TestClient(Starlette(routes=[*routes(OPERATIONS), *documents])) as client:
        yield client


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def test_every_operation_is_served_and_described(client: TestClient) -> None:
    """One table makes both, so neither says what the other does not."""
    paths = client.get("/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {
        ("GET", "/items"),
        ("POST", "/items"),
        ("GET", "/items/{name}/files/{file}"),
        ("DELETE", "/items/{name}"),
        ("GET", "/items/newest"),
        ("GET", "/state"),
    }
    assert client.get("/items").text == "list"
    assert client.post("/items").text == "make"
    assert client.get("/items/a/files/b/c").text == "file"
    assert client.delete("/items/a").status_code == 204


def test_document_has_the_form_of_openapi(client: TestClient) -> None:
    """What the specification demands of each object is there."""
    content = client.get("/openapi.json").json()
    assert re.fullmatch(r"3\.1\.\d", content["openapi"])
    assert content["info"] == {"title": "Tiny <service>", "version": "1.2.3"}
    operations = [(path, operation) for path, methods in content["paths"].items() for operation in methods.values()]
    identities = [operation["operationId"] for _, operation in operations]
    assert len(set(identities)) == len(identities)
    for path, operation in operations:
        assert all(answer["description"] for answer in operation["responses"].values())
        parameters = operation.get("parameters", [])
        assert all(parameter["schema"] for parameter in parameters)
        in_path = [parameter for parameter in parameters if parameter["in"] == "path"]
        assert [parameter["name"] for parameter in in_path] == re.findall(r"{(\w+)}", path)
        assert all(parameter["required"] for parameter in in_path)


def test_every_reference_leads_somewhere(client: TestClient) -> None:
    """Nested models stand among the schemas too."""
    content = client.get("/openapi.json").json()
    schemas = content["components"]["schemas"]
    assert set(schemas) == {"Item", "Items", "NewItem", "Part", "Refusal"}
    assert {reference.removeprefix("#/components/schemas/") for reference in _references(content)} <= set(schemas)


def test_bodies_answers_and_errors_are_models() -> None:
    """Each operation names what it reads, what it writes, and how it refuses."""
    content = document("Tiny", "1", OPERATIONS, Refusal)
    paths = content["paths"]
    assert isinstance(paths, dict)
    make, file, drop = (
        paths["/items"]["post"],
        paths["/items/{name}/files/{file}"]["get"],
        paths["/items/{name}"]["delete"],
    )
    item, new_item, refusal = (
        {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        for name in ("Item", "NewItem", "Refusal")
    )
    assert make["requestBody"] == {"required": True, "content": new_item}
    assert make["responses"]["201"]["content"] == item
    assert make["responses"]["default"]["content"] == refusal
    assert list(file["responses"]["200"]["content"]) == ["application/zip"]
    assert "content" not in drop["responses"]["204"]


def test_query_is_described(client: TestClient) -> None:
    """With bounds and defaults, and whether it may be left out."""
    parameters = client.get("/openapi.json").json()["paths"]["/items"]["get"]["parameters"]
    assert [(parameter["name"], parameter["in"], parameter["required"]) for parameter in parameters] == [
        ("word", "query", True),
        ("limit", "query", False),
        ("order", "query", False),
    ]
    assert parameters[1]["schema"]["maximum"] == 1000


def test_key_is_described_as_one_of_two_ways(client: TestClient) -> None:
    """Some services ask for none."""
    content = client.get("/openapi.json").json()
    assert content["security"] == [{}, {"key": []}]
    assert content["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"


def test_summary_is_the_first_line_of_the_handler(client: TestClient) -> None:
    """A handler without a docstring has none."""
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/items"]["get"]["summary"] == "Every item whose weight is < 3 & known."
    assert paths["/items/{name}"]["delete"]["summary"] == ""


def test_page_shows_every_operation(client: TestClient) -> None:
    """As text: what a docstring says is no markup."""
    page = client.get("/docs").text
    assert all(operation.path in page for operation in OPERATIONS)
    assert "Every item whose weight is &lt; 3 &amp; known." in page
    assert "Tiny &lt;service&gt;" in page


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_nothing_is_fetched_from_elsewhere(client: TestClient, path: str) -> None:
    """No address of another host, no script, no font: it reads well on a host without a network."""
    text = client.get(path).text
    assert "//" not in text
    assert not re.search(r"<script|<link|@import|\burl\(", text)


def test_refusals_follow_from_what_is_read() -> None:
    """A key, a host, an origin, a path's parameter, a query and a body can each be refused; the rest is told."""
    paths = document("Tiny", "1", OPERATIONS, Refusal)["paths"]
    assert isinstance(paths, dict)
    told = {
        (method, path): sorted(set(operation["responses"]) - {"default", "200", "201", "204"})
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    assert told["get", "/items"] == ["401", "421", "422", "429"]
    assert told["post", "/items"] == ["401", "403", "413", "421", "422", "429"]
    assert told["delete", "/items/{name}"] == ["401", "403", "404", "409", "421", "429"]
    assert told["get", "/state"] == ["421"]


def test_open_operation_asks_for_no_key(client: TestClient) -> None:
    """Whoever reads the document knows that health answers anybody."""
    state = client.get("/openapi.json").json()["paths"]["/state"]["get"]
    assert state["security"] == []
    assert state["responses"]["200"]["content"] == {"text/plain": {"schema": {"type": "string"}}}


def test_parameter_of_a_path_tells_its_pattern(client: TestClient) -> None:
    """What cannot be an id at all is known before it is sent."""
    parameters = client.get("/openapi.json").json()["paths"]["/items/{name}"]["delete"]["parameters"]
    assert parameters[0]["schema"] == {"type": "string", "pattern": "^[a-z]+$"}


def test_body_without_a_required_field_may_be_left_out() -> None:
    """It reads as the empty object."""

    class Options(BaseModel):
        """Nothing that must be told."""

        loud: bool = False

    start = Operation(method="POST", path="/start", handler=make_item, body=Options, responses={200: Item})
    paths = document("Tiny", "1", [start], Refusal)["paths"]
    assert isinstance(paths, dict)
    assert paths["/start"]["post"]["requestBody"]["required"] is False


def test_method_not_allowed_names_each_that_is(client: TestClient) -> None:
    """Two operations of one path are one route."""
    answer = client.put("/items")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_word_of_a_path_goes_before_a_parameter(client: TestClient) -> None:
    """In whatever order the table has them: the deletion of /items/{name} stands before /items/newest."""
    assert client.get("/items/newest").text == "list"
    assert client.delete("/items/a").status_code == 204


def test_longer_path_goes_before_a_parameter_that_takes_slashes() -> None:
    """Else the parameter would take the rest of the path too."""
    table = [
        Operation(method="GET", path="/files/{file:path}", handler=read_file),
        Operation(method="GET", path="/files/{file:path}/state", handler=tell_state),
    ]
    with TestClient(Starlette(routes=routes(table))) as client:
        assert client.get("/files/a/b/state").text == "well"
        assert client.get("/files/a/b").text == "file"


def test_head_is_answered_as_get_without_a_body(client: TestClient) -> None:
    """As HTTP has it."""
    answer = client.head("/items")
    assert (answer.status_code, answer.text) == (200, "")


def test_page_names_the_documents_beside_it() -> None:
    """A service with sockets describes them elsewhere."""
    app = Starlette(routes=document_routes("Tiny", "1", OPERATIONS, Refusal, beside=["/asyncapi.json"]))
    with TestClient(app) as client:
        assert '<a href="/asyncapi.json">' in client.get("/docs").text


def test_word_of_a_path_is_no_parameter_whatever_the_method(client: TestClient) -> None:
    """A method that the word's own path does not take is refused, and is not done to an item of that name."""
    answer = client.delete("/items/newest")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


class Wishes(BaseModel):
    """Headers."""

    prefer: str = Field("", alias="Prefer", max_length=9)


@pytest.fixture
def sending() -> Operation:
    """An operation that takes a file, and a header."""

    async def send_file(request: Request) -> Response:
        """Take a file."""
        return Response(str(len(await request.body())))

    return Operation(
        method="POST", path="/files", handler=send_file, body="application/zip", headers=Wishes, responses={200: Item}
    )


def test_body_that_is_not_json_is_described_by_its_media_type(sending: Operation) -> None:
    """It is bytes; that it is too large is the only thing that can be wrong with it here."""
    paths = document("Tiny", "1", [sending], Refusal)["paths"]
    assert isinstance(paths, dict)
    described = paths["/files"]["post"]
    content = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
    assert described["requestBody"] == {"required": True, "content": content}
    assert "413" in described["responses"]


def test_headers_are_described(sending: Operation) -> None:
    """By the name that they have in the request; one that is wrong is refused."""
    paths = document("Tiny", "1", [sending], Refusal)["paths"]
    assert isinstance(paths, dict)
    described = paths["/files"]["post"]
    (header,) = described["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("Prefer", "header", False)
    assert header["schema"]["maxLength"] == 9
    assert "422" in described["responses"]


def test_body_that_is_not_json_is_as_large_as_its_handler_lets_it_be(sending: Operation) -> None:
    """The limit of all others does not hold for it."""
    limit = Middleware(BodyLimit, max_bytes=10, max_rows_bytes=10)
    with TestClient(Starlette(routes=routes([sending]), middleware=[limit])) as client:
        assert client.post("/files", content=b"x" * 11).text == "11"
