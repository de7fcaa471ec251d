"""The files of a page, kept as they were answered."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_canopy.ui.kept_files import KeptFiles

FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
CONTENT = "text " * 300


class Files:
    """An app of files, which counts what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def client(self, most_bytes: int = 1 << 20) -> TestClient:
        """The app behind its keeper."""
        kept = Middleware(KeptFiles, most_bytes=most_bytes)
        app = Starlette(routes=[Route("/{name}", self._file)], middleware=[kept, Middleware(GZipMiddleware)])
        return TestClient(app)

    def _file(self, request: Request) -> Response:
        name: str = request.path_params["name"]
        self.asked.append(name)
        if name == "missing":
            return PlainTextResponse("no", 404, FOR_GOOD)
        if name == "mine":
            return PlainTextResponse("me", headers=FOR_GOOD | {"Set-Cookie": "a=b"})
        if name == "today":
            return PlainTextResponse("now", headers={"Cache-Control": "no-cache"})
        return StreamingResponse(iter([CONTENT, name]), headers=FOR_GOOD, media_type="text/javascript")


def test_a_file_is_read_once() -> None:
    """The second answer is the first one, compressed as it was, with all its headers."""
    files = Files()
    client = files.client()
    first, second = client.get("/a.js"), client.get("/a.js")
    assert (first.text, first.headers) == (second.text, second.headers) == (f"{CONTENT}a.js", first.headers)
    assert second.headers["content-encoding"] == "gzip"
    assert files.asked == ["a.js"]


def test_who_takes_nothing_compressed_gets_it_plain() -> None:
    """Each of the two ways is kept by itself."""
    files = Files()
    client = files.client()
    for _ in range(2):
        assert "content-encoding" in client.get("/a.js").headers
        plain = client.get("/a.js", headers={"Accept-Encoding": "identity"})
        assert (plain.text, "content-encoding" in plain.headers) == (f"{CONTENT}a.js", False)
    assert len(files.asked) == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [("missing", {}), ("mine", {}), ("today", {}), ("a.js?v=1", {}), ("a.js", {"Range": "bytes=0-3"})],
)
def test_nothing_else_is_kept(path: str, headers: dict[str, str]) -> None:
    """What is not there, is one person's, may change, or is asked for in another way."""
    files = Files()
    client = files.client()
    for _ in range(2):
        client.get(f"/{path}", headers=headers)
    assert len(files.asked) == 2


async def answered(app: ASGIApp, *, leaves: bool) -> bytes:
    """The body for someone who asks for a file, and leaves or stays."""
    body = b""

    async def receive() -> Message:
        if leaves:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal body
        body += message.get("body", b"")

    scope = {"type": "http", "method": "GET", "path": "/a.js", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return body


@pytest.mark.anyio
async def test_what_someone_did_not_wait_for_is_not_kept() -> None:
    """An app that learns of it ends the answer early, as Starlette's middleware does."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"immutable")]})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await send({"type": "http.response.body", "body": b"" if leaving.done() else b", ended"})
        leaving.cancel()

    kept = KeptFiles(app)
    assert await answered(kept, leaves=True) == b"begun"
    assert await answered(kept, leaves=False) == b"begun, ended"
    assert await answered(kept, leaves=False) == b"begun, ended"


def test_what_is_kept_is_bounded() -> None:
    """Beyond its room it passes on what it is asked for."""
    files = Files()
    client = files.client(most_bytes=len(CONTENT) + 10)
    for name in ("a.js", "b.js", "a.js", "b.js"):
        assert client.get(f"/{name}", headers={"Accept-Encoding": "identity"}).text == f"{CONTENT}{name}"
    assert files.asked == ["a.js", "b.js", "b.js"]
