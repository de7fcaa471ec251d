from collections.abc import Generator

import anyio
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from juniper_data.piecewise_response import PiecewiseResponse

pytestmark = pytest.mark.anyio
SCOPE = {"type": "http", "method": "POST", "path": "/"}


class Source:
    """Two pieces, and whether their file is open."""

    def __init__(self) -> None:
        self.is_open = False

    def pieces(self) -> Generator[bytes]:
        """The pieces."""
        self.is_open = True
        try:
            yield b"one"
            yield b"two"
        finally:
            self.is_open = False


async def test_pieces_are_sent_as_they_come() -> None:
    """A head without a length, each piece, and an end."""
    source, sent = Source(), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    response = PiecewiseResponse(source.pieces(), "application/zip", "a.zip")
    assert "content-length" not in response.headers
    assert response.headers["content-disposition"] == 'attachment; filename="a.zip"'
    await response(SCOPE, receive, send)
    assert sent[0]["status"] == 200
    assert [(message["body"], message.get("more_body", False)) for message in sent[1:]] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]
    assert not source.is_open


async def test_caller_who_leaves_ends_it() -> None:
    """Nothing more is made, and what was open is closed."""
    source, sent = Source(), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await PiecewiseResponse(source.pieces(), "application/zip", "a.zip")(SCOPE, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert not source.is_open
