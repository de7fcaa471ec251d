"""The fake service's WebSockets, in memory: what is published reaches everyone, from whatever thread it comes.

A connection is a `juniper_cascor.streams.Socket`, so that the real streams run over it.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice

from pydantic import JsonValue, ValidationError

from juniper_cascor.api.training_socket import ClientMessage, ResumeRequest
from juniper_common.wire.stream import StreamMessage

KEPT = 2_048
"""Older messages are forgotten, as by the real service: who missed them begins anew."""


class Hub:
    """All connections, and the newest of what was published.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.server_instance_id = uuid.uuid4().hex
        self.connections: list[Connection] = []
        self.seq = 0
        """The number of the newest message."""
        self._clock = clock
        self._published: deque[tuple[StreamMessage, bool]] = deque(maxlen=KEPT)

    def message(self, kind: str, data: dict[str, JsonValue], run_id: str | None = None) -> StreamMessage:
        """A message for one connection alone."""
        return StreamMessage(type=kind, timestamp=self._clock(), seq=self.seq, run_id=run_id, data=data)

    def publish(self, kind: str, data: dict[str, JsonValue], run_id: str | None, *, is_foreground: bool) -> None:
        """Send to everyone who follows the run."""
        self.seq += 1
        message = self.message(kind, data, run_id)
        self._published.append((message, is_foreground))
        for connection in self.connections:
            if connection.wants(message, is_foreground):
                connection.say(message)

    def missed(self, last_seq: int, connection: "Connection") -> list[StreamMessage] | None:
        """What came after `last_seq` and before the connection; None where that is no longer, or not yet, known."""
        forgotten = self.seq - len(self._published)
        if not forgotten <= last_seq <= self.seq:
            return None
        between = islice(self._published, last_seq - forgotten, connection.joined_seq - forgotten)
        return [message for message, is_foreground in between if connection.wants(message, is_foreground)]

    def drop(self) -> None:
        """Cut every connection."""
        for connection in self.connections:
            connection.lose()


class Connection:
    """One client's end of a socket.

    Args:
        hub: where it is connected.
        answer: what is said to a text of the client.
        while_waiting: called when the client begins to wait for a message, and again after as many seconds as it
            returns; None: nothing happens by itself.
        follows: whether it hears what is published, of the foreground.
        run_id: the run that it follows instead.
    """

    def __init__(
        self,
        hub: Hub,
        answer: Callable[["Connection", str], None],
        while_waiting: Callable[[], float | None],
        *,
        follows: bool,
        run_id: str | None = None,
    ) -> None:
        self.hub = hub
        self.joined_seq = hub.seq
        self._is_lost = False
        self._answer = answer
        self._while_waiting = while_waiting
        self._follows = follows
        self._run_id = run_id
        self._waiting: deque[str] = deque()
        self._wake: Callable[[], object] = lambda: None

    def wants(self, message: StreamMessage, is_foreground: bool) -> bool:
        """Whether it follows the run of a message."""
        return self._follows and (is_foreground if self._run_id is None else message.run_id == self._run_id)

    def say(self, message: StreamMessage) -> None:
        """Have the client hear a message."""
        self._waiting.append(message.model_dump_json())
        self._wake()

    def lose(self) -> None:
        """Cut it."""
        self._is_lost = True
        self._wake()

    async def send(self, message: str) -> None:
        """The client says something. Raises ConnectionResetError."""
        self._check()
        self._answer(self, message)

    async def recv(self) -> str:
        """The next message. Raises ConnectionResetError."""
        while not self._waiting:
            self._check()
            again_s = self._while_waiting()
            if self._waiting:
                await asyncio.sleep(0)
            else:
                await self._woken(again_s)
        return self._waiting.popleft()

    async def _woken(self, at_most_s: float | None) -> None:
        """Wait for news, from whatever thread they come."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(news.set)
        try:
            # What came before it could be woken is there already.
            if not (self._waiting or self._is_lost):
                with suppress(TimeoutError):
                    async with asyncio.timeout(at_most_s):
                        await news.wait()
        finally:
            self._wake = lambda: None

    def _check(self) -> None:
        if self._is_lost:
            raise ConnectionResetError("the connection was lost")


def answer_watcher(connection: Connection, text: str) -> None:
    """What the service says to a watcher."""
    hub = connection.hub
    try:
        message = ClientMessage.model_validate_json(text)
        if message.type == "ping":
            connection.say(hub.message("pong", {}))
        elif message.type == "resume":
            _resume(connection, ResumeRequest.model_validate(message.data))
    except ValidationError:
        connection.say(hub.message("resume_failed", {"reason": "malformed_resume"}))


def _resume(connection: Connection, request: ResumeRequest) -> None:
    hub = connection.hub
    if request.server_instance_id != hub.server_instance_id:
        connection.say(hub.message("resume_failed", {"reason": "server_restarted"}))
    elif (missed := hub.missed(request.last_seq, connection)) is None:
        connection.say(hub.message("resume_failed", {"reason": "out_of_range"}))
    else:
        messages: list[JsonValue] = [message.model_dump(mode="json") for message in missed]
        data: dict[str, JsonValue] = {"last_seq": connection.joined_seq, "replayed": len(missed), "messages": messages}
        connection.say(hub.message("resume_ok", data))
