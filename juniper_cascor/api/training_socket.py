"""`/ws/training`: everything that happens to the run in the foreground, as it happens."""

import asyncio
import logging
import time
from collections import deque
from typing import Literal

import anyio
import orjson
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_cascor.runs.fanout import Fanout, Watcher
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.history import metric_row

CLOSE_NOT_TEXT = 1003
CLOSE_TOO_MANY = 1013
CLOSE_TOO_FAST = 4029
INITIAL_METRICS = 100
PING_S = 20.0
MESSAGES_PER_10_S = 100

log = logging.getLogger(__name__)


class ResumeRequest(BaseModel):
    """What a client that comes back says it has seen."""

    last_seq: int
    server_instance_id: str


class ClientMessage(BaseModel):
    """What a client may say."""

    type: Literal["ping", "pong", "resume"]
    data: dict[str, int | str] = {}


class TrainingSocket:
    """The endpoint. A slow client loses metrics that newer ones replace, and never slows the training."""

    def __init__(self, foreground: Foreground, fanout: Fanout, max_clients: int) -> None:
        self._foreground = foreground
        self._fanout = fanout
        self._max_clients = max_clients

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it goes."""
        await socket.accept()
        if len(self._fanout) >= self._max_clients:
            await socket.close(CLOSE_TOO_MANY, "too many clients")
            return
        watcher = self._fanout.join()
        try:
            await self._greet(socket)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._pass_on, socket, watcher)
                tasks.start_soon(self._ping, socket)
                tasks.start_soon(self._listen, socket, watcher)
        except* (WebSocketDisconnect, RuntimeError) as gone:
            # Starlette says RuntimeError when the socket closed between two sends.
            log.debug("a watcher is gone: %s", gone.exceptions)
        finally:
            self._fanout.leave(watcher)

    async def _greet(self, socket: WebSocket) -> None:
        identity = {"server_instance_id": self._fanout.server_instance_id, "connections": len(self._fanout)}
        await self._say(socket, "connection_established", orjson.dumps(identity).decode())
        await self._say(socket, "initial_status", self._foreground.status().model_dump_json())
        rows = [metric_row(row).model_dump() for row in self._foreground.history.newest(INITIAL_METRICS)]
        await self._say(socket, "initial_metrics", orjson.dumps({"metrics": rows}).decode())

    async def _pass_on(self, socket: WebSocket, watcher: Watcher) -> None:
        while (message := await watcher.next()) is not None:
            await socket.send_text(message.text)
        await socket.close(CLOSE_TOO_MANY, "the client reads too slowly")

    async def _ping(self, socket: WebSocket) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self._say(socket, "ping", "{}")

    async def _listen(self, socket: WebSocket, watcher: Watcher) -> None:
        times: deque[float] = deque(maxlen=MESSAGES_PER_10_S)
        while True:
            try:
                text = await socket.receive_text()
            except KeyError:
                await socket.close(CLOSE_NOT_TEXT, "text messages only")
                return
            now = time.monotonic()
            if len(times) == MESSAGES_PER_10_S and now - times[0] < 10:
                await socket.close(CLOSE_TOO_FAST, "too many messages")
                return
            times.append(now)
            await self._answer(socket, watcher, text)

    async def _answer(self, socket: WebSocket, watcher: Watcher, text: str) -> None:
        try:
            message = ClientMessage.model_validate_json(text)
            if message.type == "ping":
                await self._say(socket, "pong", "{}")
            elif message.type == "resume":
                await self._resume(socket, watcher, ResumeRequest.model_validate(message.data))
        except ValidationError:
            await self._say(socket, "resume_failed", '{"reason":"malformed_resume"}')

    async def _resume(self, socket: WebSocket, watcher: Watcher, request: ResumeRequest) -> None:
        if request.server_instance_id != self._fanout.server_instance_id:
            await self._say(socket, "resume_failed", '{"reason":"server_restarted"}')
        elif (missed := self._fanout.missed(request.last_seq, watcher)) is None:
            await self._say(socket, "resume_failed", '{"reason":"out_of_range"}')
        else:
            head = orjson.dumps({"last_seq": watcher.joined_seq, "replayed": len(missed)}).decode()
            texts = ",".join(message.text for message in missed)
            await self._say(socket, "resume_ok", f'{head[:-1]},"messages":[{texts}]}}')

    async def _say(self, socket: WebSocket, kind: str, data_json: str) -> None:
        message = self._fanout.encoded(kind, data_json, self._foreground.state.run_id)
        await socket.send_text(message.text)
