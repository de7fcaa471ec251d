"""`/ws/control`, where a command goes wrong in a way that nobody foresaw."""

import logging

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient

from juniper_cascor.api.control_socket import ControlSocket
from juniper_cascor.api.training import TrainingCommands
from juniper_cascor.runs.fanout import Fanout
from juniper_common.wire.training import Commanded


class Failing(TrainingCommands):
    """Commands with a mistake in them."""

    def __init__(self) -> None:
        pass

    async def reset(self) -> Commanded:
        """Fail."""
        raise RuntimeError("secret")


def test_a_mistake_in_a_command_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    """The client learns that it happened, the log what; the connection stays."""
    endpoint = ControlSocket(Failing(), Fanout(), max_clients=1, max_characters=1_000)
    client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint.serve)]))
    with client.websocket_connect("/") as socket:
        socket.receive_json()
        for _ in range(2):
            socket.send_json({"command": "reset"})
            answer = socket.receive_json()["data"]
            assert answer["error"] == "internal error; the service's log says more"
    assert all(record.exc_info for record in caplog.records if record.levelno >= logging.ERROR)
    assert "secret" in caplog.text
