"""The replay of a growth, as those see it who watch the training."""

from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import WebSocketTestSession

from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import TrainingStatus
from tests.integration.conftest import CMU, Cascor
from tests.integration.growth import answered, ask, fields, grown, ids, refused, snapshots, tell, topology


@pytest.fixture
def watching(cascor: Cascor) -> Iterator[WebSocketTestSession]:
    """Who watches the foreground, greeted."""
    with cascor.http.websocket_connect("/ws/training") as socket:
        for _ in range(3):
            socket.receive_json()
        yield socket


def until(socket: WebSocketTestSession, is_last: Callable[[StreamMessage], bool]) -> list[StreamMessage]:
    """Every message up to one."""
    messages: list[StreamMessage] = []
    while not messages or not is_last(messages[-1]):
        messages.append(StreamMessage.model_validate_json(socket.receive_text()))
    return messages


def of_kind(messages: list[StreamMessage], kind: str) -> list[StreamMessage]:
    """Those of a kind."""
    return [message for message in messages if message.type == kind]


def says(status: str) -> Callable[[StreamMessage], bool]:
    """Whether a message says that the foreground is so now."""
    return lambda message: (
        message.type == "state" and TrainingStatus.model_validate(message.data).state_machine.status == status
    )


def replay(cascor: Cascor, snapshot_id: str, **request: object) -> dict[str, object]:
    """Begin; where it stands."""
    status: dict[str, object] = tell(cascor, f"snapshots/{snapshot_id}/replay", request)
    return status


def shown(cascor: Cascor) -> tuple[int, int, int]:
    """How many units the topology, the boundary and the status have: the same, if all is well."""
    boundary = ask(cascor, "decision-boundary?resolution=5")["hidden_units"]
    return len(topology(cascor)["hidden_units"]), boundary, cascor.status().monitor.current_hidden_units


def test_a_growth_is_told_as_a_training(cascor: Cascor) -> None:
    """From the first snapshot to the last: each unit once, every epoch once, in the run's own name."""
    run_id = grown(cascor)
    found = snapshots(cascor, run_id)
    tell(cascor, "training/reset")
    with cascor.http.websocket_connect("/ws/training") as socket:
        replay(cascor, found[0]["id"], speed=100)
        length = tell(cascor, "replay", {"action": "play"})["length"]
        assert length == len(found)

        def is_at_the_end(message: StreamMessage) -> bool:
            return says("REPLAYING")(message) and message.data["monitor"]["current_epoch"] == found[-1]["epoch"]  # type: ignore[index,call-overload] # a status

        messages = until(socket, is_at_the_end)
    added = [message.data["hidden_unit_index"] for message in of_kind(messages, "cascade_add")]
    assert added == list(range(found[-1]["hidden_units"]))
    last = of_kind(messages, "topology")[-1]
    assert len(last.data["hidden_units"]) == found[-1]["hidden_units"]  # type: ignore[arg-type] # a list
    assert {message.run_id for message in of_kind(messages, "metrics") + of_kind(messages, "topology")} == {run_id}


def test_each_position_is_shown_by_everything(cascor: Cascor) -> None:
    """Forwards and backwards: network, boundary, status, metrics and prediction are those of the moment."""
    run_id = grown(cascor)
    found = snapshots(cascor, run_id)
    tell(cascor, "training/reset")
    replay(cascor, found[0]["id"], paused=True)
    for position in (0, 4, 2):
        at = tell(cascor, "replay", {"action": "seek", "position": position})
        info = found[position]
        assert (at["position"], at["epoch"], at["is_playing"]) == (position, info["epoch"], False)
        assert set(shown(cascor)) == {info["hidden_units"]}
        status = cascor.status()
        assert (status.state_machine.status, status.run_id, status.seed) == ("REPLAYING", run_id, 1)
        assert status.network_loaded
        assert ask(cascor, "metrics/history?count=100000")[-1]["epoch"] == info["epoch"]
        assert ask(cascor, "network")["hidden_units"] == info["hidden_units"]
        assert tell(cascor, "predict", {"rows": [[0, 0]]})["model"] == info["id"]
    assert ask(cascor, "dataset")["dataset_id"].startswith("cmu_spirals-")


def test_it_plays_from_where_it_was_paused(cascor: Cascor, watching: WebSocketTestSession) -> None:
    """Pause holds it, speed changes its pace, and play goes on to the end, where it stays."""
    last = ids(cascor, grown(cascor))[-1]
    assert not replay(cascor, last, speed=0.1, from_start=False)["is_playing"]
    assert tell(cascor, "replay", {"action": "seek", "position": 1})["position"] == 1
    assert tell(cascor, "replay", {"action": "play"})["is_playing"]
    assert not tell(cascor, "replay", {"action": "pause"})["is_playing"]
    assert tell(cascor, "replay", {"action": "speed", "speed": 100})["speed"] == 100
    assert tell(cascor, "replay", {"action": "play"})["position"] == 1
    while (at := ask(cascor, "replay"))["position"] < at["length"] - 1:
        watching.receive_json()
    assert not ask(cascor, "replay")["is_playing"]


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ({"action": "seek", "position": 99}, "position"),
        ({"action": "seek", "position": -1}, "position"),
        ({"action": "seek"}, "position"),
        ({"action": "speed", "speed": 0}, "speed"),
        ({"action": "speed", "speed": 101}, "speed"),
        ({"action": "play", "speed": 1}, "speed"),
        ({"action": "rewind"}, "action"),
        ({}, "action"),
    ],
)
def test_a_command_that_cannot_be(cascor: Cascor, command: dict[str, object], field: str) -> None:
    """Its field is named, and the replay stays as it is."""
    before = replay(cascor, ids(cascor, grown(cascor, max_hidden_units=2))[0], paused=True)
    assert field in fields(cascor.http.post("/v1/replay", json=command))
    assert ask(cascor, "replay") == before


def test_a_stop_shows_what_was_there_before(cascor: Cascor, watching: WebSocketTestSession) -> None:
    """The run that had ended, with its network and its status; there is no replay any more."""
    first = ids(cascor, grown(cascor))[0]
    before, network = cascor.status(), topology(cascor)
    replay(cascor, first, paused=True)
    assert topology(cascor) != network
    tell(cascor, "replay", {"action": "stop"})
    until(watching, says("REPLAYING"))
    until(watching, says("COMPLETED"))
    assert cascor.status() == before
    assert topology(cascor) == network
    refused(cascor.http.get("/v1/replay"), 404)
    refused(cascor.http.post("/v1/replay", json={"action": "play"}), 404)


@pytest.mark.parametrize("action", ["start", "restore", "resume", "retrain", "network", "reset"])
def test_whatever_shows_something_else_ends_the_replay(cascor: Cascor, action: str) -> None:
    """Nothing is lost by its end, and nobody who wants to train must look for it first."""
    first = ids(cascor, grown(cascor, max_hidden_units=2))[0]
    replay(cascor, first, paused=True)
    match action:
        case "start":
            cascor.start(seed=1)
        case "network":
            tell(cascor, "network", {}, 201)
        case "reset":
            tell(cascor, "training/reset")
        case _:
            tell(cascor, f"snapshots/{first}/{action}")
    assert cascor.status().state_machine.status != "REPLAYING"
    refused(cascor.http.get("/v1/replay"), 404)


def test_a_start_that_cannot_be_leaves_the_replay(cascor: Cascor) -> None:
    """It is refused before anything is shown."""
    before = replay(cascor, ids(cascor, grown(cascor, max_hidden_units=2))[0], paused=True)
    refused(cascor.http.post("/v1/training/start", json={"params": {"patience": -1}}), 422)
    refused(cascor.http.post("/v1/training/start", json={"dataset": {"generator": "nonsense"}}), 400)
    assert ask(cascor, "replay") == before


def test_what_would_change_the_shown_network_is_refused(cascor: Cascor) -> None:
    """With what to do first."""
    before = replay(cascor, ids(cascor, grown(cascor, max_hidden_units=2))[0], paused=True)
    http = cascor.http
    for response in (
        http.patch("/v1/network/weights", json={"output_bias": [0, 0]}),
        http.delete("/v1/network/hidden-units/0"),
        http.patch("/v1/training/params", json={"max_hidden_units": 3}),
        *(http.post(f"/v1/training/{command}") for command in ("pause", "resume", "stop")),
    ):
        assert refused(response, 409).endswith("while a growth is replayed; stop the replay first: POST /v1/replay")
    assert "kept already" in refused(http.post("/v1/snapshots"), 409)
    assert ask(cascor, "replay") == before


def test_a_run_of_the_queue_leaves_the_replay_in_the_foreground(cascor: Cascor) -> None:
    """It trains meanwhile, and can be watched by its id."""
    run_id = grown(cascor, max_hidden_units=2)
    before = replay(cascor, ids(cascor, run_id)[0], paused=True)
    queued = tell(cascor, "runs", {"dataset": CMU, "params": {"seed": 2}}, 201)["runs"][0]["id"]
    with cascor.http.websocket_connect(f"/ws/training?run={queued}") as socket:
        while ask(cascor, f"runs/{queued}")["status"] != "COMPLETED":
            socket.receive_json()
    assert ask(cascor, "replay") == before
    assert cascor.status().run_id == run_id
    tell(cascor, "replay", {"action": "stop"})
    assert (cascor.status().run_id, cascor.status().state_machine.status) == (run_id, "COMPLETED")


def test_the_replayed_run_may_be_deleted(cascor: Cascor) -> None:
    """What is shown stays; there is nothing to go on to."""
    run_id = grown(cascor, max_hidden_units=2)
    replay(cascor, ids(cascor, run_id)[0], paused=True)
    answered(cascor.http.delete(f"/v1/runs/{run_id}"))
    tell(cascor, "replay", {"action": "seek", "position": 1})
    assert len(topology(cascor)["hidden_units"]) == 1
    tell(cascor, "replay", {"action": "stop"})
    assert not cascor.status().network_loaded
