"""The training service's WebSockets: one that watches a training, and one that commands it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel, JsonValue, ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from juniper_common.http import ClientError, NotFoundError, UnreachableError
from juniper_common.tls import Verify, client_context
from juniper_common.wire.control import CommandName, CommandResponse
from juniper_common.wire.stream import Greeting, Resumed, StreamMessage

OPEN_TIMEOUT_S = 3.0
SILENCE_LIMIT_S = 45.0
"""The service pings every 20 seconds; longer silence is a connection that nobody closed."""

COMMAND_TIMEOUT_S = 60.0
"""A start may have to fetch its dataset, and a trainer to finish its chunk of work."""

MAX_MESSAGE_BYTES = 64 << 20

ADDRESSED = frozenset(
    {"connection_established", "initial_status", "initial_metrics", "ping", "pong", "resume_ok", "resume_failed"}
)
"""Said to one watcher alone. Their number is that of the newest message, which may still be on its way."""

_CLOSED_UNKNOWN_RUN = 4004


class Socket(Protocol):
    """One connection, as a stream uses it."""

    async def send(self, message: str) -> None:
        """Send a text. Raises OSError, WebSocketException."""
        ...

    async def recv(self) -> str | bytes:
        """The next message. Raises OSError, WebSocketException."""
        ...


Dial = Callable[[str], AbstractAsyncContextManager[Socket]]
"""Opens the connection to a URL: another one than the network's in tests."""


def dialled(api_key: str | None, verify: Verify = None) -> Dial:
    """Connections over the network, with the key sent as X-API-Key; `verify` as HttpClient's."""
    context = client_context(verify)

    @asynccontextmanager
    async def dial(url: str) -> AsyncIterator[Socket]:
        async with connect(
            url,
            ssl=context if url.startswith("wss:") else None,
            additional_headers={"X-API-Key": api_key} if api_key else {},
            open_timeout=OPEN_TIMEOUT_S,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
        ) as socket:
            yield socket

    return dial


class CascorTrainingStream:
    """Watches `/ws/training`, and takes up where it was after a lost connection.

    Args:
        url: of the service, as in `http://127.0.0.1:8200`.
        api_key: sent as X-API-Key.
        run_id: the run to follow; None: whichever is in the foreground.
        verify: of an https address, whom to believe; as HttpClient's.
        dial: another way to the service.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        run_id: str | None = None,
        verify: Verify = None,
        dial: Dial | None = None,
    ) -> None:
        self._url = _address(url, "/ws/training") + (f"?{urlencode({'run': run_id})}" if run_id else "")
        self._dial = dial or dialled(api_key, verify)
        self._server: str | None = None
        self._last_seq = 0

    async def messages(self) -> AsyncGenerator[StreamMessage, None]:
        """The messages of one connection, in order; those that were missed since the one before it come first.

        The first is `connection_established` where the stream begins anew, so that what was held must be fetched again,
        or `resume_ok` where nothing is missing.

        Raises:
            UnreachableError: the connection is lost; call again to go on.
            NotFoundError: there is no such run.
        """
        with _errors(self._url):
            async with self._dial(self._url) as socket:
                for message in await self._begin(socket):
                    yield self._seen(message)
                while True:
                    yield self._seen(await _receive(socket, SILENCE_LIMIT_S))

    def _seen(self, message: StreamMessage) -> StreamMessage:
        if message.type not in ADDRESSED:
            self._last_seq = message.seq
        return message

    async def _begin(self, socket: Socket) -> list[StreamMessage]:
        greeting = await _receive(socket, SILENCE_LIMIT_S)
        server = Greeting.model_validate(greeting.data).server_instance_id
        known, self._server = self._server, server
        if known is None:
            self._last_seq = greeting.seq
            return [greeting]
        request: JsonValue = {"last_seq": self._last_seq, "server_instance_id": known}
        await socket.send(orjson.dumps({"type": "resume", "data": request}).decode())
        # What comes before the answer is newer than what was missed: it waits.
        waiting: list[StreamMessage] = []
        while (answer := await _receive(socket, SILENCE_LIMIT_S)).type not in ("resume_ok", "resume_failed"):
            waiting.append(answer)
        if answer.type == "resume_failed":
            self._last_seq = greeting.seq
            return [greeting, *waiting]
        missed = Resumed.model_validate(answer.data).messages
        return [answer, *missed, *(m for m in waiting if m.type not in ADDRESSED)]


class CascorControlStream:
    """Commands over `/ws/control`. Use it as an asynchronous context manager; several tasks may share it.

    Args:
        url: of the service, as in `http://127.0.0.1:8200`.
        api_key: sent as X-API-Key.
        timeout_s: how long a command may take.
        verify: of an https address, whom to believe; as HttpClient's.
        dial: another way to the service.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = COMMAND_TIMEOUT_S,
        verify: Verify = None,
        dial: Dial | None = None,
    ) -> None:
        self._url = _address(url, "/ws/control")
        self._dial = dial or dialled(api_key, verify)
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._lock = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._socket: Socket | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises UnreachableError."""
        with _errors(self._url):
            async with AsyncExitStack() as opened:
                socket = await opened.enter_async_context(self._dial(self._url))
                await _receive(socket, OPEN_TIMEOUT_S)  # the greeting; without it the connection is closed again
                self._opened, self._socket = opened.pop_all(), socket
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._socket = None
        await self._opened.aclose()

    async def command(
        self, name: CommandName, params: BaseModel | Mapping[str, JsonValue] | None = None
    ) -> CommandResponse:
        """Have a command carried out, and return what the service says of it: a refusal, too, is a response.

        Args:
            name: what to do.
            params: for `start` a `StartTraining`, for `set_params` a `ChangeParameters`; or the same as a mapping.

        Raises:
            UnreachableError: the connection is lost, or no answer came in time; the command may have been carried out.
        """
        if self._socket is None:
            raise ClientError("the control stream is not open: use it in an `async with`")
        given = params.model_dump(mode="json", exclude_unset=True) if isinstance(params, BaseModel) else params or {}
        with _errors(self._url):
            async with self._lock:
                command_id = next(self._ids)
                message = {"command": name, "params": dict(given), "command_id": command_id}
                await self._socket.send(orjson.dumps(message).decode())
                return await self._response(self._socket, command_id)

    async def _response(self, socket: Socket, command_id: int) -> CommandResponse:
        async with asyncio.timeout(self._timeout_s):
            while True:
                message = await _receive(socket, self._timeout_s)
                response = CommandResponse.model_validate(message.data)
                if response.command_id == command_id:  # Another is of a command that nobody waits for any more.
                    return response


def _address(url: str, path: str) -> str:
    return "ws" + url.removeprefix("http").rstrip("/") + path


@contextmanager
def _errors(url: str) -> Iterator[None]:
    """What may happen to a connection, as errors of a client."""
    try:
        yield
    except (OSError, TimeoutError, WebSocketException) as error:
        if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code == _CLOSED_UNKNOWN_RUN:
            raise NotFoundError(404, error.rcvd.reason) from error
        raise UnreachableError(f"{url}: {str(error) or type(error).__name__}") from error


async def _receive(socket: Socket, timeout_s: float) -> StreamMessage:
    async with asyncio.timeout(timeout_s):
        text = await socket.recv()
    try:
        return StreamMessage.model_validate_json(text)
    except ValidationError as error:
        raise UnreachableError(f"not a message of the training service: {error}") from error
