"""The published client, unmodified, against the real service: its whole surface does what its documentation says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from juniper_cascor_client import (
    CascorControlStream,
    CascorTrainingStream,
    JuniperCascorClient,
    JuniperCascorClientError,
    JuniperCascorConflictError,
    JuniperCascorConnectionError,
    JuniperCascorNotFoundError,
    JuniperCascorServiceUnavailableError,
    JuniperCascorValidationError,
)

from juniper_cascor.app import create_service
from juniper_cascor.client import JuniperCascorClient as OurClient
from juniper_cascor.settings import CascorSettings
from tests.contract.cascor_world import at_rest
from tests.serving import served

SPIRALS = {"source": "generator", "generator": "spiral", "params": {"n_points": 60, "seed": 42}}
SMALL = {"seed": 1, "candidate_epochs": 60, "output_epochs": 40, "candidate_pool_size": 4, "max_hidden_units": 3}
PACED = SMALL | {"pace": 30}
ROWS = {"train_x": [[0, 0], [0, 1], [1, 0], [1, 1]], "train_y": [[1, 0], [0, 1], [0, 1], [1, 0]]}


@pytest.fixture
def client(cascor_service: str) -> Iterator[JuniperCascorClient]:
    """The published client, of a service in which nothing runs and no network is loaded."""
    with JuniperCascorClient(cascor_service) as client:
        assert client.wait_for_ready(timeout=30)
        with OurClient(cascor_service) as ours:
            at_rest(ours)
        yield client


@pytest.fixture
def sockets(cascor_service: str) -> str:
    """The service's address for its streams."""
    return cascor_service.replace("http", "ws", 1)


def until_over(client: JuniperCascorClient) -> dict[str, Any]:
    """The status of the run when it has ended."""
    while (status := client.get_training_status()["data"])["training_active"]:
        pass
    return dict(status)


def grown(client: JuniperCascorClient) -> str:
    """Grow a network to its end; the run's id."""
    run_id: str = client.start_training(dataset=SPIRALS, params=SMALL)["data"]["run_id"]
    assert until_over(client)["state_machine"]["status"] == "COMPLETED"
    return run_id


# REST


def test_health(client: JuniperCascorClient) -> None:
    """It is alive at once, and for this client ready once a network is loaded."""
    assert client.health_check()["status"] == "ok"
    assert client.is_alive()
    assert not client.is_ready()
    client.create_network(input_size=2, output_size=2, learning_rate=0.01)
    assert client.is_ready()


def test_network_from_creation_to_deletion(client: JuniperCascorClient) -> None:
    """Every argument that it documents is taken and kept."""
    created = client.create_network(
        input_size=2,
        output_size=2,
        learning_rate=0.02,
        candidate_learning_rate=0.03,
        max_hidden_units=5,
        candidate_pool_size=6,
        correlation_threshold=0.01,
        patience=7,
        candidate_epochs=80,
        output_epochs=90,
        epochs_max=1000,
    )
    assert created["status"] == "success"
    network = client.get_network()["data"]
    assert {name: network[name] for name in ("input_size", "output_size", "hidden_units", "max_hidden_units")} == {
        "input_size": 2,
        "output_size": 2,
        "hidden_units": 0,
        "max_hidden_units": 5,
    }
    assert (network["learning_rate"], network["uuid"]) == (0.02, created["data"]["uuid"])
    params = client.get_training_params()["data"]["params"]
    assert (params["candidate_learning_rate"], params["patience"], params["max_epochs"]) == (0.03, 7, 1000)
    topology = client.get_topology()["data"]
    assert (topology["input_size"], topology["hidden_units"], len(topology["output_weights"])) == (2, [], 2)
    assert client.get_statistics()["data"]["total_hidden_units"] == 0
    assert client.delete_network()["status"] == "success"
    with pytest.raises(JuniperCascorNotFoundError, match="no network is loaded"):
        client.get_network()


def test_a_bare_create_and_start_train(client: JuniperCascorClient) -> None:
    """Without any argument a network grows on the demo set."""
    client.create_network()
    assert client.start_training(params={"pace": 300})["data"]["status"] == "training_started"
    while client.get_training_status()["data"]["monitor"]["current_epoch"] < 5:
        pass
    assert client.stop_training()["data"]["status"] == "STOPPED"


def test_training_is_commanded(client: JuniperCascorClient) -> None:
    """Start, pause, change, resume, stop and reset, each seen in the status."""
    client.start_training(epochs=100_000, dataset=SPIRALS, params={"seed": 1, "pace": 200})
    assert client.pause_training()["data"]["status"] == "PAUSED"
    status = client.get_training_status()["data"]
    assert (status["state_machine"]["status"], status["monitor"]["is_training"]) == ("PAUSED", False)
    assert (status["network_loaded"], status["training_active"]) == (True, True)
    assert client.update_params({"learning_rate": 0.5, "epochs_max": 90_000})["data"]["params"]["learning_rate"] == 0.5
    assert client.resume_training()["data"]["status"] == "STARTED"
    assert client.stop_training()["data"]["status"] == "STOPPED"
    assert client.get_training_status()["data"]["state_machine"]["status"] == "STOPPED"
    assert client.reset_training()["status"] == "success"
    assert client.get_training_status()["data"]["network_loaded"] is False


def test_inline_data_is_trained_on(client: JuniperCascorClient) -> None:
    """Rows in the request, with the dataset named inline or not."""
    for dataset in (None, {"source": "inline"}):
        client.start_training(dataset=dataset, inline_data=ROWS, params=SMALL)
        until_over(client)
        assert client.get_dataset()["data"]["n_train"] == 4
        assert client.get_dataset_data()["data"]["train_y"] == [0, 1, 1, 0]
        client.reset_training()


def test_metrics_dataset_and_boundary(client: JuniperCascorClient) -> None:
    """What a dashboard of the published packages asks for, with the fields that it reads."""
    grown(client)
    newest = client.get_metrics()["data"]
    rows = client.get_metrics_history(count=10)["data"]
    assert newest == rows[-1]
    assert len(rows) == 10
    assert len(client.get_metrics_history()["data"]) > 10
    assert {"epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "hidden_units", "timestamp"} <= set(
        newest
    )
    assert {"loss", "accuracy", "learning_rate", "phase", "validation_loss", "validation_accuracy"} <= set(newest)
    dataset = client.get_dataset()["data"]
    assert (dataset["n_features"], dataset["n_classes"]) == (2, 2)
    assert len(client.get_dataset_data()["data"]["train_x"]) == dataset["n_train"]
    boundary = client.get_decision_boundary(resolution=7)["data"]
    assert boundary["resolution"] == 7
    assert [len(boundary[name]) for name in ("grid_x", "grid_y", "predictions")] == [7, 7, 7]
    assert {cell for row in boundary["predictions"] for cell in row} <= {0, 1}
    assert len(client.get_topology()["data"]["hidden_units"]) == 3
    assert client.get_statistics()["data"]["total_hidden_units"] == 3


def test_snapshots_and_workers(client: JuniperCascorClient) -> None:
    """It has no methods for them, but can ask."""
    run_id = grown(client)
    listed = client._get("/snapshots", params={"run_id": run_id})["data"]
    snapshot_id = listed["snapshots"][0]["id"]
    assert client._get(f"/snapshots/{snapshot_id}")["data"]["hidden_units"] == 3
    assert client._post(f"/snapshots/{snapshot_id}/restore")["data"]["hidden_units"] == 3
    assert client._post("/snapshots")["data"]["state"] == "whole"
    replay = client._post(f"/snapshots/{snapshot_id}/replay", json={"paused": True})["data"]
    assert (replay["run_id"], replay["is_playing"]) == (run_id, False)
    assert client.get_training_status()["data"]["state_machine"]["status"] == "REPLAYING"
    assert client._post("/replay", json={"action": "stop"})["data"]["run_id"] == run_id
    retrained = client._post(f"/snapshots/{snapshot_id}/retrain", json={"params": {"pace": 20, "max_hidden_units": 9}})
    assert retrained["data"]["status"] == "training_started"
    client.stop_training()
    resumed = client._post(f"/snapshots/{listed['snapshots'][-1]['id']}/resume", json={"params": {"pace": 20}})
    assert resumed["data"]["status"] == "training_started"
    client.stop_training()
    (worker,) = client._get("/workers")["data"]["workers"]
    assert client._get(f"/workers/{worker['id']}")["data"]["id"] == worker["id"]
    assert client._get("/workers/stats")["data"]["total"] == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.create_network(input_size=0), JuniperCascorValidationError),
        (lambda client: client.start_training(params={"candidate_pool_size": -1}), JuniperCascorValidationError),
        (lambda client: client.get_decision_boundary(resolution=1), JuniperCascorValidationError),
        (lambda client: client.get_network(), JuniperCascorNotFoundError),
        (lambda client: client.get_metrics(), JuniperCascorNotFoundError),
        (lambda client: client.pause_training(), JuniperCascorConflictError),
        (lambda client: client._delete("/health"), JuniperCascorClientError),
    ],
    ids=["422 network", "422 start", "422 query", "404 network", "404 metrics", "409", "405"],
)
def test_a_refusal_is_the_error_of_its_status(
    client: JuniperCascorClient, call: Callable[[JuniperCascorClient], object], error: type[Exception]
) -> None:
    """With the service's words, and no other class."""
    with pytest.raises(JuniperCascorClientError, match=r"\w") as refused:
        call(client)
    assert type(refused.value) is error


@pytest.fixture(scope="module")
def lonely_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A training service that wants a key, and whose data service is away; its address."""
    state_dir = tmp_path_factory.mktemp("cascor")
    settings = CascorSettings(state_dir=state_dir, data_url="http://127.0.0.1:1", api_keys=["secret"])
    with served(create_service(settings).app) as url:
        yield url


def test_a_dataset_that_cannot_be_fetched(lonely_service: str) -> None:
    """The service is there, but what it needs is not: 503."""
    with (
        JuniperCascorClient(lonely_service, api_key="secret") as client,
        pytest.raises(JuniperCascorServiceUnavailableError, match="data"),
    ):
        client.start_training(dataset=SPIRALS)


def test_a_service_that_is_away(sockets: str) -> None:
    """Every part of it says so in the client's own errors."""
    with JuniperCascorClient("http://127.0.0.1:1", retries=0) as away:
        assert not away.is_alive()
        assert not away.wait_for_ready(timeout=0.1, poll_interval=0.01)
        with pytest.raises(JuniperCascorConnectionError):
            away.get_network()

    async def watch() -> None:
        with pytest.raises(JuniperCascorConnectionError):
            await CascorTrainingStream("ws://127.0.0.1:1").connect()
        with pytest.raises(JuniperCascorConnectionError):
            await CascorControlStream("ws://127.0.0.1:1").connect()
        with pytest.raises(JuniperCascorClientError, match="Not connected"):
            await CascorControlStream(sockets).command("stop")

    asyncio.run(watch())


def test_a_key_is_sent(lonely_service: str) -> None:
    """Over HTTP and both sockets; without it nothing is answered."""
    with (
        JuniperCascorClient(lonely_service) as stranger,
        pytest.raises(JuniperCascorClientError, match="HTTP 401: Missing"),
    ):
        stranger.get_training_status()
    with JuniperCascorClient(lonely_service, api_key="secret") as client:
        assert client.get_training_status()["status"] == "success"

    async def listen() -> None:
        address = lonely_service.replace("http", "ws", 1)
        async with CascorTrainingStream(address, api_key="secret") as stream, messages(stream) as iterator:
            assert (await anext(iterator))["type"] == "connection_established"
        async with CascorControlStream(address, api_key="secret") as control:
            assert (await control.command("pause"))["data"]["status"] == "error"

    asyncio.run(listen())


# WebSockets


@asynccontextmanager
async def messages(stream: CascorTrainingStream) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The stream's messages, and nothing left open after them."""
    iterator = stream.stream()
    try:
        yield iterator
    finally:
        await iterator.aclose()  # type: ignore[attr-defined] # it is a generator


async def until(iterator: AsyncIterator[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """All messages up to the first of a kind."""
    seen = []
    async for message in iterator:
        seen.append(message)
        if message["type"] == kind:
            return seen
    raise AssertionError(f"the stream ended before {kind}")


def test_the_training_stream_tells_a_run(client: JuniperCascorClient, sockets: str) -> None:
    """Iteration tells greeting, metrics, units, topology and end; each callback hears its own kind."""
    heard: dict[str, list[dict[str, Any]]] = {}

    async def watch() -> list[dict[str, Any]]:
        async with CascorTrainingStream(sockets) as stream:
            stream.on_metrics(heard.setdefault("metrics", []).append)
            stream.on_state(heard.setdefault("state", []).append)
            stream.on_topology(heard.setdefault("topology", []).append)
            stream.on_cascade_add(heard.setdefault("cascade_add", []).append)
            stream.on_event(heard.setdefault("event", []).append)
            async with messages(stream) as iterator:
                seen = await until(iterator, "initial_metrics")
                await asyncio.to_thread(client.start_training, dataset=SPIRALS, params=SMALL)
                return seen + await until(iterator, "event")

    seen = asyncio.run(watch())
    assert [message["type"] for message in seen[:3]] == ["connection_established", "initial_status", "initial_metrics"]
    assert all({"type", "timestamp", "seq", "data"} <= set(message) for message in seen)
    for kind, told in heard.items():
        assert told
        assert told == [message["data"] for message in seen if message["type"] == kind]
    assert heard["event"] == [{"event": "training_complete", "outcome": "max_hidden_units", "reason": None}]
    assert [unit["hidden_unit_index"] for unit in heard["cascade_add"]] == [0, 1, 2]
    assert {"correlation", "total_hidden_units"} <= set(heard["cascade_add"][0])
    assert heard["state"][-1]["state_machine"]["status"] == "COMPLETED"
    assert len(heard["topology"][-1]["hidden_units"]) == 3


def test_listen_returns_when_the_stream_ends(client: JuniperCascorClient, sockets: str) -> None:
    """Callbacks hear until somebody disconnects."""
    heard = asyncio.Event()

    async def watch() -> None:
        stream = CascorTrainingStream(sockets)
        stream.on_state(lambda _: heard.set())
        await stream.connect()
        listening = asyncio.create_task(stream.listen())
        await asyncio.to_thread(client.create_network)
        await asyncio.wait_for(heard.wait(), 10)
        await stream.disconnect()
        await asyncio.wait_for(listening, 10)

    asyncio.run(watch())


def test_a_command_on_the_training_stream_is_answered(client: JuniperCascorClient, sockets: str) -> None:
    """It can send one there; the stream goes on."""

    async def command() -> list[dict[str, Any]]:
        async with CascorTrainingStream(sockets) as stream, messages(stream) as iterator:
            await until(iterator, "initial_metrics")
            await stream.send_command("start", {"params": SMALL})
            await asyncio.to_thread(client.create_network)
            return await until(iterator, "state")

    assert asyncio.run(command())[-1]["data"]["network_loaded"] is True


def test_commands_on_the_training_streams_control_path(client: JuniperCascorClient, sockets: str) -> None:
    """Its stream may connect to the control socket, and then its commands are obeyed."""

    async def command() -> list[dict[str, Any]]:
        stream = CascorTrainingStream(sockets)
        await stream.connect("/ws/control")
        try:
            await stream.send_command("start", {"dataset": SPIRALS, "params": PACED})
            async with messages(stream) as iterator:
                return await until(iterator, "command_response")
        finally:
            await stream.disconnect()

    assert asyncio.run(command())[-1]["data"]["status"] == "success"
    assert client.get_training_status()["data"]["training_active"]
    client.stop_training()


def test_the_control_stream_commands(client: JuniperCascorClient, sockets: str) -> None:
    """Each command is answered by the very next message, and is obeyed by then."""

    async def command() -> None:
        async with CascorControlStream(sockets) as control:

            async def obeyed(name: str, params: dict[str, Any] | None = None) -> str:
                response = await control.command(name, params)
                assert (response["type"], response["data"]["command"]) == ("command_response", name)
                assert response["data"]["status"] == "success"
                status = await asyncio.to_thread(client.get_training_status)
                return str(status["data"]["state_machine"]["status"])

            assert await obeyed("start", {"dataset": SPIRALS, "params": PACED}) == "STARTED"
            assert await obeyed("pause") == "PAUSED"
            assert await obeyed("resume") == "STARTED"
            assert await obeyed("stop") == "STOPPED"
            assert await obeyed("reset") == "STOPPED"
            refused = await control.command("pause")
            assert refused["data"]["error"] == "cannot pause: training is STOPPED"
            unknown = await control.command("dance")
            assert (unknown["data"]["status"], unknown["data"]["command"]) == ("error", "dance")

    asyncio.run(command())
    assert client.get_training_status()["data"]["network_loaded"] is False


def test_nothing_is_left_out() -> None:
    """Each public method of the package is called above; `close` by the end of each `with`."""
    source = Path(__file__).read_text(encoding="utf-8")
    for part in (JuniperCascorClient, CascorTrainingStream, CascorControlStream):
        methods = {name for name in vars(part) if not name.startswith("_")} - {"close"}
        assert {name for name in methods if f".{name}(" not in source} == set()
