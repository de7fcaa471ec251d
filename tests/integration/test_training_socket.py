"""`/ws/training`, as a watcher sees it."""

import pytest
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from juniper_common.wire.stream import Greeting, Resumed, StreamMessage
from juniper_common.wire.training import CascadeAdd, MetricsMessage, Topology, TrainingEvent
from tests.integration.conftest import Cascor


def receive(socket: WebSocketTestSession) -> StreamMessage:
    """The next message."""
    return StreamMessage.model_validate_json(socket.receive_text())


def until_the_end(socket: WebSocketTestSession) -> list[StreamMessage]:
    """Every message up to the end of the run."""
    messages = []
    while True:
        messages.append(receive(socket))
        if messages[-1].type == "event":
            return messages


def test_a_watcher_is_greeted_with_all_that_is_known(cascor: Cascor) -> None:
    """Identity, status, and the last metrics of a run that is over."""
    run_id = cascor.start(seed=1)
    cascor.wait()
    with cascor.http.websocket_connect("/ws/training") as socket:
        greeting, status, metrics = (receive(socket) for _ in range(3))
    assert [m.type for m in (greeting, status, metrics)] == [
        "connection_established",
        "initial_status",
        "initial_metrics",
    ]
    assert Greeting.model_validate(greeting.data).connections >= 1
    assert status.run_id == status.data["run_id"] == run_id
    rows = metrics.data["metrics"]
    assert isinstance(rows, list)
    assert len(rows) == 100


def test_a_whole_run_is_told_in_order(cascor: Cascor) -> None:
    """Numbers without a gap; every epoch; each unit once; the end last."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        for _ in range(3):
            receive(socket)
        run_id = cascor.start(seed=1, pace=1_000)
        messages = until_the_end(socket)
    messages = [message for message in messages if message.run_id == run_id]
    sequence = [message.seq for message in messages]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    metrics = [MetricsMessage.model_validate(m.data) for m in messages if m.type == "metrics"]
    epochs = [epoch for message in metrics for epoch in message.points.epoch]
    assert epochs == list(range(1, epochs[-1] + 1))
    assert all(message.epoch == message.points.epoch[-1] for message in metrics)
    added = [CascadeAdd.model_validate(m.data) for m in messages if m.type == "cascade_add"]
    assert [unit.hidden_unit_index for unit in added] == list(range(len(added)))
    topology = [Topology.model_validate(m.data) for m in messages if m.type == "topology"][-1]
    assert len(topology.hidden_units) == len(added)
    assert any(m.type == "candidate_progress" for m in messages)
    assert TrainingEvent.model_validate(messages[-1].data) == TrainingEvent(event="training_complete", outcome="solved")


def test_a_watcher_that_comes_back_gets_what_it_missed(cascor: Cascor) -> None:
    """By the number of the last message it has seen."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        server = receive(socket).data["server_instance_id"]
        cascor.start(seed=1)
        everything = until_the_end(socket)
    published = [m for m in everything if not m.type.startswith("initial_")]
    seen = published[len(published) // 2]
    with cascor.http.websocket_connect("/ws/training") as socket:
        for _ in range(3):
            receive(socket)
        socket.send_json({"type": "resume", "data": {"last_seq": seen.seq, "server_instance_id": server}})
        answer = receive(socket)
    assert answer.type == "resume_ok"
    resumed = Resumed.model_validate(answer.data)
    assert resumed.messages[: len(published)] == [m for m in published if m.seq > seen.seq]
    assert resumed.replayed == len(resumed.messages)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"last_seq": 0, "server_instance_id": "another"}, "server_restarted"),
        ({"last_seq": 10**9, "server_instance_id": None}, "out_of_range"),
        ({"last_seq": "many", "server_instance_id": None}, "malformed_resume"),
        ({}, "malformed_resume"),
    ],
)
def test_a_resume_that_cannot_be(cascor: Cascor, message: dict[str, object], reason: str) -> None:
    """The reason is said; the connection stays."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        server = receive(socket).data["server_instance_id"]
        for _ in range(2):
            receive(socket)
        data = {key: server if value is None else value for key, value in message.items()}
        socket.send_json({"type": "resume", "data": data})
        answer = receive(socket)
        assert (answer.type, answer.data) == ("resume_failed", {"reason": reason})
        socket.send_json({"type": "ping"})
        assert receive(socket).type == "pong"


def test_a_paused_trainer_gives_signs_of_life(cascor: Cascor) -> None:
    """Heartbeats come while paused: so that paused and dead differ."""
    cascor.start(seed=1, pace=20)
    cascor.http.post("/v1/training/pause")
    with cascor.http.websocket_connect("/ws/training") as socket:
        while receive(socket).type != "heartbeat":
            pass


def test_a_client_that_talks_too_much_is_closed(cascor: Cascor) -> None:
    """Code 4029."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        for _ in range(101):
            socket.send_json({"type": "ping"})
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                receive(socket)
    assert closed.value.code == 4029


def test_one_client_too_many_is_closed(cascor: Cascor) -> None:
    """Code 1013."""
    sockets = [cascor.http.websocket_connect("/ws/training") for _ in range(50)]
    for socket in sockets:
        socket.__enter__()
    try:
        with cascor.http.websocket_connect("/ws/training") as socket, pytest.raises(WebSocketDisconnect) as closed:
            receive(socket)
        assert closed.value.code == 1013
    finally:
        for socket in sockets:
            socket.__exit__(None, None, None)


def test_a_binary_message_is_closed(cascor: Cascor) -> None:
    """Code 1003."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        socket.send_bytes(b"resume")
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                receive(socket)
    assert closed.value.code == 1003
