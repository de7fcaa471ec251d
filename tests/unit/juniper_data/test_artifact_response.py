"""Artifacts on their way out; what HTTP asks of them is tried at the route."""

import io

import anyio
import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from juniper_data.artifact_response import SMALL_BYTES, ArtifactResponse
from juniper_data.stores.protocol import Artifact

pytestmark = pytest.mark.anyio


class WatchedFile(io.BytesIO):
    """A file that tells the longest piece that was read of it."""

    longest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and note how much."""
        piece = super().read(size)
        self.longest = max(self.longest, len(piece))
        return piece


def _response(file: io.BytesIO, size: int, **headers: str) -> ArtifactResponse:
    return ArtifactResponse(Artifact(file, size, "0"), "x.npz", Headers(headers))


async def _sent(response: ArtifactResponse, method: str = "GET") -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await response({"type": "http", "method": method}, _nothing_more, send)
    return sent


async def test_small_artifact_is_one_message() -> None:
    """Each message costs."""
    file = io.BytesIO(b"x" * SMALL_BYTES)
    _, body = await _sent(_response(file, SMALL_BYTES))
    assert (len(body["body"]), file.closed) == (SMALL_BYTES, True)


async def test_large_artifact_is_never_whole_in_memory() -> None:
    """It is read and sent piece by piece, and then its file is closed."""
    content = b"x" * (3 * SMALL_BYTES + 1)
    file = WatchedFile(content)
    _, *bodies = await _sent(_response(file, len(content)))
    assert b"".join(body["body"] for body in bodies) == content
    assert (file.longest, file.closed) == (SMALL_BYTES, True)


@pytest.mark.parametrize("size", [10, SMALL_BYTES + 1])
async def test_head_reads_nothing_that_is_large(size: int) -> None:
    """It tells the size, and closes the file."""
    file = io.BytesIO(b"x" * size)
    start, body = await _sent(_response(file, size), "HEAD")
    assert (body["body"], file.closed) == (b"", True)
    assert (b"content-length", str(size).encode()) in start["headers"]


@pytest.mark.parametrize("missing", [7, SMALL_BYTES])
async def test_artifact_that_shrinks_meanwhile_ends_the_connection(missing: int) -> None:
    """A length that was promised and cannot be kept is never passed off as the whole."""
    transport = httpx.ASGITransport(_response(io.BytesIO(b"abc"), 3 + missing))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        with pytest.raises(EOFError, match=f"{missing} bytes early"):
            await client.get("/")


async def test_file_is_closed_when_the_caller_leaves() -> None:
    """Whatever happens on the way."""
    file = io.BytesIO(b"x" * (SMALL_BYTES + 1))

    async def send(_: Message) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await _response(file, SMALL_BYTES + 1)({"type": "http", "method": "GET"}, _nothing_more, send)
    assert file.closed


async def test_nothing_is_read_for_a_caller_who_left() -> None:
    """The server takes what is sent to nobody: it would be all of the artifact, for each who breaks off."""
    file, sent = io.BytesIO(b"x" * (5 * SMALL_BYTES)), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        if len(sent) < 3:
            await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await _response(file, 5 * SMALL_BYTES)({"type": "http", "method": "GET"}, receive, send)
    assert (len(sent), file.closed) == (3, True)


async def _nothing_more() -> Message:
    await anyio.sleep_forever()
    raise AssertionError
