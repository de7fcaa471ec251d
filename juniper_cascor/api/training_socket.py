"""`/ws/training`: everything that happens to a run, as it happens.

`?run=RUN_ID` follows one run; without it a client follows whichever is in the foreground.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import orjson
from pydantic import BaseModel, JsonValue, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_cascor.api.chosen import RunView
from juniper_cascor.api.client_texts import NotAllowedError, close, say, texts
from juniper_cascor.runs.fanout import Fanout, Watcher
from juniper_cascor.runs.history import metric_row
from juniper_cascor.runs.store import StoreError
from juniper_common.errors import NotFoundError, ServiceError

CLOSE_FAILED = 1011
CLOSE_TOO_MANY = 1013
CLOSE_UNKNOWN_RUN = 4004
CLOSE_TIMEOUT_S = 1.0
INITIAL_METRICS = 100
PING_S = 20.0
MAX_MESSAGE_CHARACTERS = 65_536

Find = Callable[[str | None], Awaitable[RunView]]
"""Finds a run, or whatever is in the foreground. Raises ServiceError, StoreError."""

log = logging.getLogger(__name__)


class ResumeRequest(BaseModel):
    """What a client that comes back says it has seen."""

    last_seq: int
    server_instance_id: str


class ClientMessage(BaseModel):
    """What a client may say."""

    type: Literal["ping", "pong", "resume"]
    data: dict[str, JsonValue] = {}


class TrainingSocket:
    """The endpoint. A slow client loses metrics that newer ones replace, and never slows the training.

    Args:
        find: finds what a client is greeted with.
        fanout: where its messages come from.
        max_clients: how many may watch at once.
        ping_s: how often each is pinged; one that takes no bytes for as long is given up.
    """

    def __init__(self, find: Find, fanout: Fanout, max_clients: int, ping_s: float = PING_S) -> None:
        self._find = find
        self._fanout = fanout
        self._max_clients = max_clients
        self._ping_s = ping_s

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it goes."""
        await socket.accept()
        try:
            await self._serve(socket, socket.query_params.get("run"))
        except* WebSocketDisconnect as gone:
            log.debug("a watcher is gone: %s", gone.exceptions)

    async def _serve(self, socket: WebSocket, run_id: str | None) -> None:
        try:
            view = await self._find(run_id)
        except (ServiceError, StoreError) as error:
            code = CLOSE_UNKNOWN_RUN if isinstance(error, NotFoundError) else CLOSE_FAILED
            await close(socket, code, str(error))
            return
        # Nothing is awaited from here to the join: another client would come in between.
        if len(self._fanout) >= self._max_clients:
            await close(socket, CLOSE_TOO_MANY, "too many clients")
            return
        watcher = self._fanout.join(run_id)
        try:
            await _Connection(socket, watcher, view, self._fanout, self._ping_s).serve()
        finally:
            self._fanout.leave(watcher)


class _Connection:
    """One client that watches."""

    def __init__(self, socket: WebSocket, watcher: Watcher, view: RunView, fanout: Fanout, ping_s: float) -> None:
        self._socket = socket
        self._watcher = watcher
        self._view = view
        self._fanout = fanout
        self._ping_s = ping_s
        self._everything = anyio.CancelScope()
        self._close = CLOSE_TOO_MANY, ""

    async def serve(self) -> None:
        """Greet, then pass on and answer until the client goes, or is sent away."""
        with self._everything:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._end_when_lost)
                tasks.start_soon(self._ping)
                await self._greet()
                tasks.start_soon(self._pass_on)
                tasks.start_soon(self._listen)
        # The close, too, waits for a client that takes no bytes; the server then cuts it off.
        with anyio.move_on_after(CLOSE_TIMEOUT_S):
            await close(self._socket, *self._close)

    def _end(self, code: int, reason: str) -> None:
        self._close = code, reason
        self._everything.cancel()

    async def _end_when_lost(self) -> None:
        await self._watcher.lost()
        log.warning("a watcher reads too slowly, or not at all, and is given up")
        self._end(CLOSE_TOO_MANY, "the client reads too slowly")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._ping_s)
            with anyio.move_on_after(self._ping_s) as limit:
                await self._say("ping", "{}")
            if limit.cancelled_caught:
                self._watcher.lose()

    async def _greet(self) -> None:
        identity = {"server_instance_id": self._fanout.server_instance_id, "connections": len(self._fanout)}
        await self._say("connection_established", orjson.dumps(identity).decode())
        await self._say("initial_status", self._view.status().model_dump_json())
        rows = [metric_row(row).model_dump() for row in self._view.history.newest(INITIAL_METRICS)]
        await self._say("initial_metrics", orjson.dumps({"metrics": rows}).decode())

    async def _pass_on(self) -> None:
        while (message := await self._watcher.next()) is not None:
            await say(self._socket, message.text)

    async def _listen(self) -> None:
        try:
            async for text in texts(self._socket, MAX_MESSAGE_CHARACTERS):
                await self._answer(text)
        except NotAllowedError as error:
            self._end(error.code, error.reason)

    async def _answer(self, text: str) -> None:
        try:
            message = ClientMessage.model_validate_json(text)
            if message.type == "ping":
                await self._say("pong", "{}")
            elif message.type == "resume":
                await self._resume(ResumeRequest.model_validate(message.data))
        except ValidationError:
            await self._say("resume_failed", '{"reason":"malformed_resume"}')

    async def _resume(self, request: ResumeRequest) -> None:
        if request.server_instance_id != self._fanout.server_instance_id:
            await self._say("resume_failed", '{"reason":"server_restarted"}')
        elif (missed := self._fanout.missed(request.last_seq, self._watcher)) is None:
            await self._say("resume_failed", '{"reason":"out_of_range"}')
        else:
            head = orjson.dumps({"last_seq": self._watcher.joined_seq, "replayed": len(missed)}).decode()
            texts = ",".join(message.text for message in missed)
            await self._say("resume_ok", f'{head[:-1]},"messages":[{texts}]}}')

    async def _say(self, kind: str, data_json: str) -> None:
        message = self._fanout.encoded(kind, data_json, self._view.run_id)
        await say(self._socket, message.text)
