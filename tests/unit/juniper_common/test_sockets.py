"""WebSockets of a service, against clients that do as they like."""

import socket
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from juniper_common import logs
from juniper_common.server import Sockets
from tests.serving import served

TIMEOUT_S = 60
PING = b"\x89\xfd\0\0\0\0" + b"x" * 125  # masked with zeros: as it stands
LAST = b"\x81\x84\0\0\0\0last"
CLOSE_4000 = b"\x88\x02\x0f\xa0"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def listening(_: Scope, receive: Receive, send: Send) -> None:
    """An app that listens until it has heard a message, and closes."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    await receive()
    await send({"type": "websocket.close", "code": 4000})


def test_a_client_that_pings_and_does_not_read_fills_no_memory() -> None:
    """What it would be answered is left out once it takes no bytes, and it is heard all the same."""
    waiting: list[int] = []

    class WatchedSockets(Sockets):
        def handle_ping(self) -> None:
            super().handle_ping()
            waiting.append(self.transport.get_write_buffer_size())

    with served(listening, WatchedSockets) as address, socket.socket() as raw:
        host, _, port = urlsplit(address).netloc.partition(":")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.settimeout(TIMEOUT_S)
        raw.connect((host, int(port)))
        raw.sendall(UPGRADE)
        assert b"101" in raw.recv(4096)
        for _ in range(40):
            raw.sendall(PING * 2_000)
        raw.sendall(LAST)
        received = b""
        while not received.endswith(CLOSE_4000):
            received += raw.recv(1 << 20)
        assert max(waiting) < 1 << 20
        assert len(waiting) == 80_000


def test_a_client_that_is_read_from_is_answered() -> None:
    """Each ping has its pong."""
    with served(listening) as address, connect(address.replace("http", "ws", 1), proxy=None) as client:
        assert client.ping().wait(TIMEOUT_S)
        client.send("last")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TIMEOUT_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4000


def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A client may have put its key there."""
    logs.configure("INFO", "juniper-tiny")
    with (
        caplog.at_level("INFO", "uvicorn"),
        served(listening) as address,
        connect(f"{address.replace('http', 'ws', 1)}/?api_key=s3cret", proxy=None) as client,
    ):
        client.send("last")
    assert "s3cret" not in caplog.text
