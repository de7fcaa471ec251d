"""`/ws/training` on a real port, with a fan-out of the test's own behind it."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from juniper_cascor.api.chosen import RunView
from juniper_cascor.api.training_socket import MAX_MESSAGE_CHARACTERS, TrainingSocket
from juniper_cascor.runs.fanout import QUEUE_CHARACTERS, Fanout
from juniper_cascor.runs.history import History
from juniper_cascor.runs.store import StoreError
from juniper_common.errors import NotFoundError, UnavailableError
from juniper_common.server import Sockets
from juniper_common.wire.training import Monitor, StateMachine, TrainingState, TrainingStatus
from tests.serving import served

TIMEOUT_S = 60


class Text(BaseModel):
    """Data of any length."""

    text: str


@dataclass
class FakeView:
    """A run that stands still."""

    run_id: str | None
    history: History = field(default_factory=lambda: History(10))

    def status(self) -> TrainingStatus:
        """Where it stands."""
        return TrainingStatus(
            state_machine=StateMachine(status="STARTED", phase="OUTPUT"),
            monitor=Monitor(
                is_training=True, current_epoch=0, current_hidden_units=0, current_phase="OUTPUT", total_metrics=0
            ),
            training_state=TrainingState(),
            network_loaded=True,
            training_active=True,
            run_id=self.run_id,
        )


class Stream:
    """The endpoint on its port. What a test publishes is published on the server's loop, as the service does."""

    def __init__(self, ping_s: float) -> None:
        self.fanout = Fanout()
        self.address = ""
        self._loop: asyncio.AbstractEventLoop
        endpoint = TrainingSocket(self._view, self.fanout, max_clients=10, ping_s=ping_s)
        self.app = Starlette(routes=[WebSocketRoute("/ws/training", endpoint.serve)], lifespan=self._lifespan)

    def publish(self, kind: str, text: str, run_id: str = "r1", *, is_foreground: bool = True) -> None:
        """Publish, and return when that is done."""

        async def work() -> None:
            self.fanout.publish(kind, Text(text=text), run_id, is_foreground=is_foreground)

        asyncio.run_coroutine_threadsafe(work(), self._loop).result(TIMEOUT_S)

    def wait_until_nobody_watches(self) -> None:
        """Return when every watcher has left."""
        deadline = time.monotonic() + TIMEOUT_S
        while len(self.fanout):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def client(self, query: str = "") -> ClientConnection:
        """A client that connects."""
        return connect(f"{self.address}{query}", proxy=None, max_size=None)

    @contextmanager
    def silent_client(self) -> Iterator[socket.socket]:
        """A client that was greeted, and from then on reads nothing unless the test does."""
        host, _, port = urlsplit(self.address).netloc.partition(":")
        with socket.socket() as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.settimeout(TIMEOUT_S)
            raw.connect((host, int(port)))
            raw.sendall(
                b"GET /ws/training HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            said = b""
            while b"initial_metrics" not in said:
                said += raw.recv(4096)
            yield raw

    async def _view(self, run_id: str | None) -> RunView:
        if run_id not in (None, "r1", "r2"):
            raise NotFoundError(f"there is no run {run_id}")
        return FakeView(run_id or "r1")

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        yield


@contextmanager
def streaming(ping_s: float = 20.0, sockets: type[Sockets] = Sockets) -> Iterator[Stream]:
    """The endpoint, served."""
    stream = Stream(ping_s)
    with served(stream.app, sockets) as address:
        stream.address = f"{address.replace('http', 'ws', 1)}/ws/training"
        yield stream


def greeted(client: ClientConnection) -> list[dict[str, Any]]:
    """The three messages of the greeting."""
    return [orjson.loads(client.recv(TIMEOUT_S)) for _ in range(3)]


def close_code(client: ClientConnection) -> int:
    """The code that the service closes with, whatever it says before."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(TIMEOUT_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_client_may_follow_one_run() -> None:
    """It is greeted with that run, and hears of that run alone."""
    with streaming() as stream, stream.client("?run=r2") as follower, stream.client() as watcher:
        assert [message["run_id"] for message in greeted(follower)] == ["r2"] * 3
        assert [message["run_id"] for message in greeted(watcher)] == ["r1"] * 3
        stream.publish("state", "of the foreground")
        stream.publish("state", "of the other", "r2", is_foreground=False)
        assert orjson.loads(follower.recv(TIMEOUT_S))["data"] == {"text": "of the other"}
        assert orjson.loads(watcher.recv(TIMEOUT_S))["data"] == {"text": "of the foreground"}


def test_a_run_that_nobody_knows_cannot_be_followed() -> None:
    """Code 4004, and why."""
    with streaming() as stream, stream.client("?run=r3") as client:
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TIMEOUT_S)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4004, "there is no run r3")


def test_a_message_that_is_too_large_is_closed() -> None:
    """Code 1009, however well formed it is."""
    with streaming() as stream, stream.client() as client:
        greeted(client)
        client.send(orjson.dumps({"type": "ping", "data": {"text": "x" * MAX_MESSAGE_CHARACTERS}}).decode())
        assert close_code(client) == 1009
        stream.wait_until_nobody_watches()


def test_a_client_that_reads_late_has_lost_metrics_and_no_state() -> None:
    """What waits for it is bounded, not all that was said; the states are all among it, in order."""
    with streaming() as stream, stream.silent_client() as silent:
        published = 0
        for n in range(200):
            stream.publish("metrics", "x" * 500_000)
            published += 500_000
            if n % 10 == 0:
                stream.publish("state", f"state {n:03}")
        stream.publish("state", "the end")
        received = b""
        while b"the end" not in received[-1000:]:
            received += silent.recv(1 << 20)
        assert len(received) < QUEUE_CHARACTERS + published / 4
        assert [received.count(f"state {n:03}".encode()) for n in range(0, 200, 10)] == [1] * 20


def test_a_client_that_takes_no_bytes_is_given_up() -> None:
    """It is cut off though it never reads the close, with whatever was still to be sent to it."""
    is_cut_off = threading.Event()

    class HastySockets(Sockets):
        close_s = 0.1

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            is_cut_off.set()

    with streaming(ping_s=0.2, sockets=HastySockets) as stream, stream.silent_client():
        while len(stream.fanout):
            stream.publish("metrics", "x" * 500_000)
        assert is_cut_off.wait(TIMEOUT_S)


def test_a_client_that_reads_is_pinged_and_stays() -> None:
    """Each ping that leaves is a sign that bytes are taken."""
    with streaming(ping_s=0.05) as stream, stream.client() as client:
        greeted(client)
        assert [orjson.loads(client.recv(TIMEOUT_S))["type"] for _ in range(5)] == ["ping"] * 5
        assert len(stream.fanout) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [(NotFoundError("😀" * 40), 4004), (UnavailableError("😀" * 40), 1011), (StoreError("😀" * 40), 1011)],
)
def test_why_nothing_can_be_followed_is_told_in_short(error: Exception, code: int) -> None:
    """A close has room for 123 bytes, and no character is cut in two."""

    async def find(_: str | None) -> RunView:
        raise error

    endpoint = TrainingSocket(find, Fanout(), max_clients=1)
    with (
        served(Starlette(routes=[WebSocketRoute("/", endpoint.serve)])) as address,
        connect(address.replace("http", "ws", 1), proxy=None) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(TIMEOUT_S)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, "😀" * 30)


def test_clients_that_come_at_once_are_counted() -> None:
    """No more are let in while the first one's run is looked for."""
    may_find, asked = threading.Event(), threading.Semaphore(0)

    async def find(_: str | None) -> RunView:
        asked.release()
        await asyncio.to_thread(may_find.wait, TIMEOUT_S)
        return FakeView("r1")

    endpoint = TrainingSocket(find, Fanout(), max_clients=1)
    with served(Starlette(routes=[WebSocketRoute("/", endpoint.serve)])) as http:
        address = http.replace("http", "ws", 1)
        with connect(address, proxy=None) as one, connect(address, proxy=None) as other:
            assert asked.acquire(timeout=TIMEOUT_S)
            assert asked.acquire(timeout=TIMEOUT_S)
            may_find.set()
            firsts = [_first(client) for client in (one, other)]
    assert sorted(firsts) == ["closed 1013", "connection_established"]


def _first(client: ClientConnection) -> str:
    try:
        return str(orjson.loads(client.recv(TIMEOUT_S))["type"])
    except ConnectionClosed as closed:
        return f"closed {closed.rcvd.code if closed.rcvd else None}"
