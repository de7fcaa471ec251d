"""`/ws/control`: a command, and then its response."""

from collections.abc import Iterator
from contextlib import ExitStack

import orjson
import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from juniper_cascor.api.client_texts import MESSAGES_PER_10_S
from tests.integration.conftest import Cascor, running

MOST_CLIENTS = 4
MOST_CHARACTERS = 20_000
XOR = {"train_x": [[0, 0], [0, 1], [1, 0], [1, 1]], "train_y": [0, 1, 1, 0]}


@pytest.fixture(scope="module")
def running_cascor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cascor]:
    """A service for few clients and short messages."""
    root = tmp_path_factory.mktemp("cascor")
    with running(root, max_clients=MOST_CLIENTS, max_body_bytes=MOST_CHARACTERS) as cascor:
        yield cascor


@pytest.fixture
def socket(cascor: Cascor) -> Iterator[WebSocketTestSession]:
    """A client that was greeted."""
    with cascor.http.websocket_connect("/ws/control") as socket:
        greeting = socket.receive_json()
        assert greeting["type"] == "connection_established"
        assert set(greeting["data"]) == {"server_instance_id", "connections"}
        yield socket


def ask(socket: WebSocketTestSession, command: str, **more: object) -> dict[str, object]:
    """The data of the next message, as a published client takes it for the response."""
    socket.send_json({"command": command, **more})
    answer = socket.receive_json()
    assert answer["type"] == "command_response"
    data: dict[str, object] = answer["data"]
    return data


def close_code(socket: WebSocketTestSession) -> int:
    """The code that the service closes with."""
    with pytest.raises(WebSocketDisconnect) as closed:
        while True:
            socket.receive_json()
    return closed.value.code


def test_every_command(cascor: Cascor, socket: WebSocketTestSession) -> None:
    """A run from its start to its stop, each answered as over HTTP and with the id that was given."""
    asked: list[tuple[str, dict[str, object]]] = [
        ("start", {"inline_data": XOR, "params": {"seed": 1, "pace": 2}}),
        ("pause", {}),
        ("resume", {}),
        ("set_params", {"max_hidden_units": 5}),
        ("stop", {}),
        ("reset", {}),
    ]
    results = []
    for number, (command, params) in enumerate(asked):
        answer = ask(socket, command, params=params, command_id=f"c{number}")
        assert (answer["command"], answer["command_id"], answer["status"]) == (command, f"c{number}", "success"), answer
        result = answer["result"]
        assert isinstance(result, dict)
        results.append(result)
        if command == "start":
            cascor.wait_for_epoch(1)  # before its trainer is at work, parameters cannot be changed
    states = [result.get("status") for result in results]
    assert states == ["training_started", "PAUSED", "STARTED", None, "STOPPED", "STOPPED"]
    assert results[3]["params"]["max_hidden_units"] == 5
    assert {result["run_id"] for result in results[:3]} == {results[0]["run_id"]}


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"command": "start", "params": {"epochs": 0}}, "epochs: Input should be greater than or equal to 1"),
        ({"command": "start", "params": {"colour": "red"}}, "colour: Extra inputs are not permitted"),
        ({"command": "start", "params": {"params": {"candidate_pool_size": 0}}}, "candidate_pool_size: must be"),
        (
            {"command": "set_params", "params": {"max_hidden_units": "12"}},
            "max_hidden_units: Input should be a valid int",
        ),
        ({"command": "start", "params": 7}, "params: Input should be an object"),
        ({"command": "pause"}, "cannot pause: training is STOPPED"),
        ({"command": "resume"}, "cannot resume: training is STOPPED"),
        ({"command": "stop"}, "cannot stop: training is STOPPED"),
        ({"command": "set_params", "params": {"patience": 3}}, "no network is loaded"),
        ({"command": "set_params", "params": {"seed": 3}}, "seed: Extra inputs are not permitted"),
        ({"command": "dance"}, "command: Input should be 'start', 'stop'"),
        ({"command": ["stop"]}, "command: Input should be 'start', 'stop'"),
        ({"command": "stop", "now": True}, "now: Extra inputs are not permitted"),
        ({}, "command: Field required"),
    ],
)
def test_a_command_that_cannot_be(socket: WebSocketTestSession, message: dict[str, object], error: str) -> None:
    """The response says why, with the id that was given, and the next command is answered."""
    socket.send_json(message | {"command_id": 7})
    answer = socket.receive_json()["data"]
    assert (answer["status"], answer["command_id"]) == ("error", 7)
    assert error in answer["error"]
    command = message.get("command")
    assert answer.get("command") == (command if isinstance(command, str) else None)
    assert ask(socket, "reset")["status"] == "success"


@pytest.mark.parametrize("text", ["", "stop", "{", "null", "[]", '"stop"', "[" * 10_000, '{"command": "\ud800"}'])
def test_what_is_no_command_at_all(socket: WebSocketTestSession, text: str) -> None:
    """An error that nobody's id is in; the connection stays."""
    socket.send_text(text)
    answer = socket.receive_json()["data"]
    assert answer["status"] == "error"
    assert answer["error"]
    assert not answer.keys() & {"command_id", "result"}
    assert ask(socket, "reset")["status"] == "success"


@pytest.mark.parametrize("command_id", [{"a": 1}, [1], 1.5])
def test_an_id_that_is_none(socket: WebSocketTestSession, command_id: object) -> None:
    """Only words and whole numbers come back."""
    answer = ask(socket, "reset", command_id=command_id)
    assert answer["status"] == "error"
    assert "command_id" not in answer


def test_binary_messages_close_the_socket(socket: WebSocketTestSession) -> None:
    """Code 1003."""
    socket.send_bytes(b'{"command": "reset"}')
    assert close_code(socket) == 1003


def test_a_message_that_is_too_large_closes_the_socket(socket: WebSocketTestSession) -> None:
    """Code 1009."""
    socket.send_text(orjson.dumps({"command": "start", "params": {"x": "x" * MOST_CHARACTERS}}).decode())
    assert close_code(socket) == 1009


def test_too_many_messages_close_the_socket(socket: WebSocketTestSession) -> None:
    """Code 4029; those before were all answered."""
    for _ in range(MESSAGES_PER_10_S):
        assert ask(socket, "pause")["status"] == "error"
    socket.send_json({"command": "pause"})
    assert close_code(socket) == 4029


def test_too_many_clients_are_turned_away(cascor: Cascor) -> None:
    """Code 1013, until one of the others leaves."""
    with ExitStack() as stack:
        for _ in range(MOST_CLIENTS):
            stack.enter_context(cascor.http.websocket_connect("/ws/control")).receive_json()
        with cascor.http.websocket_connect("/ws/control") as late:
            assert close_code(late) == 1013
    with cascor.http.websocket_connect("/ws/control") as late:
        assert late.receive_json()["data"]["connections"] == 1


def test_nothing_comes_between_a_command_and_its_response(cascor: Cascor, socket: WebSocketTestSession) -> None:
    """However much is trained meanwhile: published clients take the next message for the response."""
    run_id = cascor.start(seed=1, pace=200)
    cascor.wait_for_epoch(10)
    for command in ("pause", "resume") * 5:
        assert ask(socket, command)["result"]["run_id"] == run_id  # type: ignore[index]
