"""`/ws/control`: commands in, one response to each, in order.

Nothing else is sent after the greeting: published clients take the next message for the response to their command.
"""

import logging
from typing import TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import to_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_cascor.api import disk
from juniper_cascor.api.client_texts import NotAllowedError, close, say, texts
from juniper_cascor.api.training import TrainingCommands
from juniper_cascor.api.training_socket import CLOSE_TOO_MANY
from juniper_cascor.runs.fanout import Fanout
from juniper_common.errors import ServiceError
from juniper_common.requests import read_json
from juniper_common.wire.control import CommandResponse, ControlCommand
from juniper_common.wire.training import ChangeParameters, StartTraining

Params = TypeVar("Params", bound=BaseModel)

log = logging.getLogger(__name__)


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
        try:
            await self._serve(socket)
        except WebSocketDisconnect as gone:
            log.debug("a client is gone: %s", gone)

    async def _serve(self, socket: WebSocket) -> None:
        if self._clients >= self._max_clients:
            await close(socket, CLOSE_TOO_MANY, "too many clients")
            return
        self._clients += 1
        try:
            greeting = {"server_instance_id": self._fanout.server_instance_id, "connections": self._clients}
            await self._say(socket, "connection_established", orjson.dumps(greeting).decode())
            async for text in texts(socket, self._max_characters):
                response = await self._response(text)
                await self._say(socket, "command_response", response.model_dump_json(exclude_none=True))
        except NotAllowedError as error:
            await close(socket, error.code, error.reason)
        finally:
            self._clients -= 1

    async def _response(self, text: str) -> CommandResponse:
        asked = _Named.of(text)
        try:
            command = await read_json(text.encode(errors="replace"), ControlCommand)
            result = await self._carried_out(command)
        except ServiceError as error:
            return asked.refused(error.message)
        except Exception as error:  # noqa: BLE001 - as over HTTP: told to be the service's fault, with a line in its log
            return asked.refused(_blamed(error).message)
        return CommandResponse(
            command=command.command, command_id=command.command_id, status="success", result=result.model_dump()
        )

    async def _carried_out(self, command: ControlCommand) -> BaseModel:
        match command.command:
            case "start":
                return await self._commands.start(await _params(command, StartTraining))
            case "set_params":
                return await self._commands.change(await _params(command, ChangeParameters))
            case "reset":
                return await self._commands.reset()
            case "pause" | "resume" | "stop":
                return await self._commands.command(command.command)

    async def _say(self, socket: WebSocket, kind: str, data_json: str) -> None:
        await say(socket, self._fanout.encoded(kind, data_json, None).text)


async def _params(command: ControlCommand, model: type[Params]) -> Params:
    # As JSON again: nothing is taken for what it is not, as over HTTP.
    return await read_json(to_json(command.params, inf_nan_mode="constants"), model)


def _blamed(error: Exception) -> ServiceError:
    try:
        return disk.refusal(error)
    except Exception:
        log.exception("unexpected error in a command")
        return ServiceError("internal error; the service's log says more")


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
