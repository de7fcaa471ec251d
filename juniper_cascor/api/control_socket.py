"""`/ws/control`: commands in, one response to each, in order.

Nothing else is sent after the greeting: published clients take the next message for the response to their command.
"""

import time
from collections import deque

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_cascor.api.training import TrainingCommands
from juniper_cascor.api.training_socket import (
    CLOSE_NOT_TEXT,
    CLOSE_TOO_FAST,
    CLOSE_TOO_LARGE,
    CLOSE_TOO_MANY,
    MESSAGES_PER_10_S,
)
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.store import StoreError
from juniper_common.errors import ServiceError, UnprocessableError
from juniper_common.wire.control import CommandResponse, ControlCommand
from juniper_common.wire.training import ChangeParameters, StartTraining


class ControlSocket:
    """The endpoint.

    Args:
        commands: carries them out.
        fanout: knows this process by name, and puts messages into their form.
        max_clients: how many may be connected at once.
        max_characters: of one message.
    """

    def __init__(self, commands: TrainingCommands, fanout: Fanout, max_clients: int, max_characters: int) -> None:
        self._commands = commands
        self._fanout = fanout
        self._max_clients = max_clients
        self._max_characters = max_characters
        self._clients = 0

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it goes."""
        await socket.accept()
        if self._clients >= self._max_clients:
            await socket.close(CLOSE_TOO_MANY, "too many clients")
            return
        self._clients += 1
        try:
            greeting = {"server_instance_id": self._fanout.server_instance_id, "connections": self._clients}
            await self._say(socket, "connection_established", orjson.dumps(greeting).decode())
            await self._listen(socket)
        except (WebSocketDisconnect, RuntimeError):
            return  # Starlette says RuntimeError when the socket closed between two sends.
        finally:
            self._clients -= 1

    async def _listen(self, socket: WebSocket) -> None:
        times: deque[float] = deque(maxlen=MESSAGES_PER_10_S)
        while True:
            try:
                text = await socket.receive_text()
            except KeyError:
                return await socket.close(CLOSE_NOT_TEXT, "text messages only")
            now = time.monotonic()
            if len(times) == MESSAGES_PER_10_S and now - times[0] < 10:
                return await socket.close(CLOSE_TOO_FAST, "too many messages")
            if len(text) > self._max_characters:
                return await socket.close(CLOSE_TOO_LARGE, "the message is too large")
            times.append(now)
            response = await self._response(text)
            await self._say(socket, "command_response", response.model_dump_json(exclude_none=True))

    async def _response(self, text: str) -> CommandResponse:
        asked = _Named.of(text)
        try:
            command = ControlCommand.model_validate_json(text)
            result = await self._carried_out(command)
        except ValidationError as error:
            refused = UnprocessableError.from_validation(error)
            return asked.refused(refused.message)
        except ServiceError as error:
            return asked.refused(error.message)
        except (StoreError, OSError) as error:
            return asked.refused(str(error))
        return CommandResponse(
            command=command.command, command_id=command.command_id, status="success", result=result.model_dump()
        )

    async def _carried_out(self, command: ControlCommand) -> BaseModel:
        match command.command:
            case "start":
                return await self._commands.start(StartTraining.model_validate(command.params))
            case "set_params":
                return await self._commands.change(ChangeParameters.model_validate(command.params))
            case "reset":
                return await self._commands.reset()
            case "pause" | "resume" | "stop":
                return await self._commands.command(command.command)

    async def _say(self, socket: WebSocket, kind: str, data_json: str) -> None:
        await socket.send_text(self._fanout.encoded(kind, data_json, None).text)


class _Named(BaseModel):
    """What a message says of itself, however wrong the rest of it is, so that its sender knows the answer."""

    model_config = ConfigDict(extra="ignore")

    command: JsonValue = None
    command_id: JsonValue = None

    @classmethod
    def of(cls, text: str) -> "_Named":
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()

    def refused(self, why: str) -> CommandResponse:
        command = self.command if isinstance(self.command, str) else None
        command_id = self.command_id if isinstance(self.command_id, str | int) else None
        return CommandResponse(command=command, command_id=command_id, status="error", error=why)
