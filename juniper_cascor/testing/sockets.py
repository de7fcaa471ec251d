"""The way to a fake service for streams, in place of the network."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import orjson
from pydantic import BaseModel
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from juniper_cascor.api.training_socket import CLOSE_UNKNOWN_RUN, INITIAL_METRICS
from juniper_cascor.runs.history import metric_row
from juniper_cascor.streams import Dial, Socket
from juniper_cascor.testing.answers import ANSWERS
from juniper_cascor.testing.answers.asked import Asked
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_cascor.testing.faults import Faults
from juniper_cascor.testing.hub import Connection, answer_watcher
from juniper_common.errors import NotFoundError, ServiceError
from juniper_common.wire.control import CommandName, CommandResponse, ControlCommand
from juniper_common.wire.stream import Greeting

_ROUTES: Mapping[CommandName, tuple[str, str]] = {
    "start": ("POST", "/v1/training/start"),
    "stop": ("POST", "/v1/training/stop"),
    "pause": ("POST", "/v1/training/pause"),
    "resume": ("POST", "/v1/training/resume"),
    "reset": ("POST", "/v1/training/reset"),
    "set_params": ("PATCH", "/v1/training/params"),
}


def dial(service: FakeCascorService, faults: Faults | None = None) -> Dial:
    """Connections to a fake service.

    Args:
        service: what answers.
        faults: what goes wrong when one is opened.
    """

    @asynccontextmanager
    async def connect(url: str) -> AsyncIterator[Socket]:
        if faults and faults.next():
            raise ConnectionRefusedError("the service does not answer")
        connection = _connection(service, url)
        try:
            yield connection
        finally:
            with service.lock:
                service.hub.connections.remove(connection)

    return connect


def _connection(service: FakeCascorService, url: str) -> Connection:
    """A new connection, greeted. Raises ConnectionClosedError where its run is unknown."""
    address = urlsplit(url)
    run_id = parse_qs(address.query).get("run", [None])[0]
    with service.lock:
        if address.path == "/ws/control":
            connection = Connection(service.hub, _commander(service), service.tick, follows=False)
            _greet(service, connection)
        else:
            connection = Connection(service.hub, answer_watcher, service.tick, follows=True, run_id=run_id)
            _greet(service, connection)
            _show(service, connection, run_id)
        service.hub.connections.append(connection)
    return connection


def _greet(service: FakeCascorService, connection: Connection) -> None:
    hub = service.hub
    greeting = Greeting(server_instance_id=hub.server_instance_id, connections=len(hub.connections) + 1)
    connection.say(hub.message("connection_established", greeting.model_dump()))


def _show(service: FakeCascorService, connection: Connection, run_id: str | None) -> None:
    try:
        watched = service.watched(run_id)
    except NotFoundError as error:
        raise ConnectionClosedError(Close(CLOSE_UNKNOWN_RUN, error.message), None) from error
    rows = [metric_row(row).model_dump(mode="json") for row in watched.history.newest(INITIAL_METRICS)]
    status = watched.status().model_dump(mode="json")
    connection.say(service.hub.message("initial_status", status, watched.run_id))
    connection.say(service.hub.message("initial_metrics", {"metrics": [*rows]}, watched.run_id))


def _commander(service: FakeCascorService) -> Callable[[Connection, str], None]:
    def answer(connection: Connection, text: str) -> None:
        with service.lock:
            service.keep_time()
            response = _response(service, text)
        data = response.model_dump(mode="json", exclude_none=True)
        connection.say(service.hub.message("command_response", data))

    return answer


def _response(service: FakeCascorService, text: str) -> CommandResponse:
    command = ControlCommand.model_validate_json(text)
    named = {"command": command.command, "command_id": command.command_id}
    try:
        result = _carried_out(service, command)
    except ServiceError as error:
        return CommandResponse(**named, status="error", error=error.message)
    return CommandResponse(**named, status="success", result=result.model_dump(mode="json"))


def _carried_out(service: FakeCascorService, command: ControlCommand) -> BaseModel:
    """As the same call over HTTP does it."""
    _, answering = ANSWERS[_ROUTES[command.command]]
    body = orjson.dumps(command.params)
    answer = answering(service, Asked({}, {}, body))
    assert isinstance(answer, BaseModel)  # noqa: S101 - none of these answers anything else
    return answer
