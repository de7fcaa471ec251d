"""The fakes do by themselves nothing, and what a test says."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from starlette.routing import Route

from juniper_cascor.app import create_service
from juniper_cascor.settings import CascorSettings
from juniper_cascor.testing import (
    AsyncFakeCascorClient,
    FakeCascorClient,
    FakeCascorControlStream,
    FakeCascorService,
    FakeCascorTrainingStream,
    Scenario,
    recording,
)
from juniper_cascor.testing.answers import ANSWERS
from juniper_cascor.testing.hub import KEPT
from juniper_cascor.testing.recording import RecordingName
from juniper_common.http import ClientError, ConflictError, InvalidRequestError, NotFoundError, UnreachableError
from juniper_common.wire.training import ChangeParameters, DatasetSource, RunParameters, StartTraining

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The streams are asyncio's."""
    return "asyncio"


# Scenarios


def test_empty_has_nothing() -> None:
    """No run, no network, no snapshot."""
    with FakeCascorClient("empty") as client:
        assert (client.runs().total, client.snapshots().total, client.models().models) == (0, 0, [])
        with pytest.raises(NotFoundError):
            client.network()


def test_idle_has_trained_before() -> None:
    """Runs that are over can be looked at; nothing is loaded."""
    with FakeCascorClient() as client:
        assert {run.status for run in client.runs().runs} == {"COMPLETED"}
        assert not client.status().network_loaded


def test_the_record_of_a_run_grows_with_it() -> None:
    """A list of runs shows how far each is."""
    with FakeCascorClient("two_spiral_training") as client:
        client.advance_epoch(5)
        run = next(run for run in client.runs().runs if run.status == "STARTED")
        told = client.status()

        assert (run.epochs, run.hidden_units) == (
            told.monitor.current_epoch,
            recording.load("two_spirals").hidden_units(told.monitor.current_epoch),
        )


def test_two_spirals_are_under_way() -> None:
    """It stays there until the test says otherwise, and ends where the recorded run ended."""
    with FakeCascorClient("two_spiral_training") as client:
        before = client.status()
        assert before.state_machine.status == "STARTED"
        assert client.status() == before
        client.advance_epoch(7)
        assert client.status().monitor.current_epoch == before.monitor.current_epoch + 7
        client.advance_epoch(100_000)
        assert client.status() == recording.load("two_spirals").status


@pytest.mark.parametrize("name", ["two_spirals", "xor"])
def test_a_run_that_is_over_says_what_was_recorded(name: RecordingName) -> None:
    """In every answer that the recording has."""
    told = recording.load(name)
    with FakeCascorClient("two_spiral_training" if name == "two_spirals" else "xor_converged") as client:
        client.advance_epoch(100_000)
        assert client.status() == told.status
        assert client.network() == told.network
        assert client.history(200_000) == told.history
        assert client.run_metrics(told.run.id) == told.metrics
        assert (client.dataset(), client.dataset_data()) == (told.dataset, told.data)
        assert client.topology() == told.steps[-1].topology
        assert client.stats() == told.steps[-1].stats
        assert client.decision_boundary(told.boundary.resolution) == told.boundary
        predicted = client.predict(told.data.train_x[: len(told.prediction.scores)])
        assert np.allclose(predicted.scores, told.prediction.scores)  # another processor rounds otherwise
        assert predicted.model_copy(update={"scores": told.prediction.scores}) == told.prediction
        taken = sorted(client.snapshots(run_id=told.run.id).snapshots, key=lambda info: info.epoch or 0)
        assert [client.snapshot(info.id) for info in taken] == [step.snapshot for step in told.steps]
        kept = client.run(told.run.id)
        assert kept.model_dump(exclude={"state_changes"}) == told.run.model_dump(exclude={"state_changes"})


def pattern(seed: int) -> list[str]:
    """What becomes of forty calls to an error-prone service."""
    with FakeCascorClient("error_prone", seed=seed) as client:
        met = []
        for _ in range(40):
            try:
                client.status()
                met.append("answer")
            except ClientError as error:
                met.append(f"{type(error).__name__} {getattr(error, 'status', '')}".strip())
        return met


def test_errors_come_in_the_order_of_the_seed() -> None:
    """All kinds of them, between answers; another seed has another order."""
    met = pattern(seed=3)
    assert set(met) == {"answer", "ServerError 503", "ServerError 500", "RateLimitedError 429", "UnreachableError"}
    assert pattern(seed=3) == met != pattern(seed=4)


async def test_an_error_prone_stream_is_refused_now_and_then() -> None:
    """Whoever watches has to try again."""
    stream = FakeCascorTrainingStream("error_prone", seed=1)
    met = []
    for _ in range(20):
        try:
            async with aclosing(stream.messages()) as messages:
                met.append((await anext(messages)).type)
        except UnreachableError:
            met.append("refused")
    assert {"refused", "resume_ok"} < set(met)


# What tests do


def test_a_state_is_forced() -> None:
    """Any that the service knows, with its reason."""
    with FakeCascorClient() as client:
        client.set_state("PAUSED", "CANDIDATE")
        status = client.status()
        assert (status.state_machine.status, status.state_machine.paused_phase) == ("PAUSED", "CANDIDATE")
        client.set_state("FAILED", reason="out of memory")
        assert (client.status().training_state.reason, client.status().training_active) == ("out of memory", False)
        assert client.runs(status="FAILED").total == 1


def test_a_run_is_held_as_the_service_holds_one() -> None:
    """It is neither changed nor edited, a snapshot of it can be taken, and it goes on when it is told to."""
    with FakeCascorClient("two_spiral_training") as client:
        client.set_state("RESUME_READY", reason="the service ended while it trained")
        with pytest.raises(ConflictError, match="training is RESUME_READY"):
            client.change(ChangeParameters(patience=7))
        with pytest.raises(ConflictError, match="can be resumed; stop it first"):
            client.remove_hidden_unit(0)
        assert client.take_snapshot().hidden_units == 2
        assert client.command("resume").status == "STARTED"


async def test_streams_hear_what_a_test_lets_happen() -> None:
    """Epochs, units, states, and any message that it injects."""
    service = FakeCascorService("two_spiral_training")
    client, stream = FakeCascorClient(service=service), FakeCascorTrainingStream(service=service)
    async with aclosing(stream.messages()) as messages:
        greeting = [(await anext(messages)).type for _ in range(3)]
        client.advance_epoch(40)
        epochs = await anext(messages)
        stream.inject_message("candidate_progress", {"epoch": 1, "scores": [], "best_score": None})
        kinds = [(await anext(messages)).type for _ in range(4)]
    client.close()
    assert greeting == ["connection_established", "initial_status", "initial_metrics"]
    assert (epochs.type, epochs.run_id) == ("state", recording.load("two_spirals").run.id)
    assert kinds == ["metrics", "candidate_progress", "cascade_add", "topology"]


async def test_a_dropped_connection_is_resumed() -> None:
    """With what was missed."""
    stream = FakeCascorTrainingStream()
    with pytest.raises(UnreachableError, match="lost"):
        async with aclosing(stream.messages()) as messages:
            for _ in range(3):
                await anext(messages)
            stream.service.drop_connections()
            await anext(messages)
    stream.advance_epoch(1)
    async with aclosing(stream.messages()) as messages:
        assert [(await anext(messages)).type for _ in range(2)] == ["resume_ok", "metrics"]


async def test_all_clients_of_a_service_see_the_same() -> None:
    """Whatever one of them does."""
    service = FakeCascorService("empty")
    async with AsyncFakeCascorClient(service=service) as client, FakeCascorControlStream(service=service) as control:
        assert (await control.command("start", StartTraining())).status == "success"
        assert (await client.status()).state_machine.status == "STARTED"
        client.advance_epoch(5)
    with FakeCascorClient(service=service) as other:
        assert other.metrics().epoch == 5


# What happens with time


def test_a_run_keeps_its_pace() -> None:
    """So many epochs a second, and a change of the pace counts from then on."""
    with FakeCascorClient("empty") as client:
        client.start(StartTraining(params=RunParameters(pace=10)))
        for _ in range(8):
            client.service.advance_time(0.25)
        slow = client.status().monitor.current_epoch
        client.change(ChangeParameters(pace=100))
        client.service.advance_time(0.25)
        assert (slow, client.status().monitor.current_epoch) == (20, 45)


async def test_the_heart_of_a_paused_trainer_beats() -> None:
    """Once a second, as long as there is nothing else to tell."""
    stream = FakeCascorTrainingStream()
    run_id = recording.load("two_spirals").run.id
    stream.set_state("PAUSED")
    async with aclosing(stream.messages()) as messages:
        for _ in range(3):
            await anext(messages)
        for _ in range(3):
            stream.service.advance_time(0.5)
        stream.inject_message("ping", {})
        told = [await anext(messages) for _ in range(2)]
    assert [(message.type, message.run_id) for message in told] == [("heartbeat", run_id), ("ping", run_id)]


async def test_a_service_that_keeps_time_trains_while_it_is_watched() -> None:
    """At the pace of the run, with no more asked; before it was started no time counts."""
    service = FakeCascorService("empty", keeps_time=True)
    stream, client = FakeCascorTrainingStream(service=service), FakeCascorClient(service=service)
    await asyncio.sleep(0.2)
    run = client.start(StartTraining(params=RunParameters(pace=100)))
    async with aclosing(stream.messages()) as messages, asyncio.timeout(10):
        told = [await anext(messages) for _ in range(8)]
    epochs = [message.data["epoch"] for message in told if message.type == "metrics"]
    assert 0 < int(str(epochs[0])) < 15
    assert client.run(run.run_id).status == "STARTED"
    client.close()


async def test_a_watcher_is_woken_from_another_thread() -> None:
    """It waits without asking again and again."""
    stream = FakeCascorTrainingStream()
    async with aclosing(stream.messages()) as messages, asyncio.timeout(10):
        for _ in range(3):
            await anext(messages)
        heard = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0.02)
        await asyncio.to_thread(stream.advance_epoch, 1)
        assert (await heard).type == "metrics"


async def test_what_is_too_old_is_forgotten() -> None:
    """As the service forgets it: a fake that runs for days holds no more. Who missed it begins anew."""
    stream = FakeCascorTrainingStream()
    async with aclosing(stream.messages()) as messages:
        await anext(messages)
    for _ in range(KEPT + 1):
        stream.inject_message("ping", {})
    async with aclosing(stream.messages()) as messages:
        assert (await anext(messages)).type == "connection_established"


def test_any_dataset_is_taken_where_it_is_said_so() -> None:
    """By the recording that its name is nearest to; the run names what is really trained on."""
    service = FakeCascorService("empty", takes_any_dataset=True)
    with FakeCascorClient(service=service) as client:
        for name, source in {
            "xor": DatasetSource(dataset_id="xor-2.0.0-0123456789abcdef"),
            "spiral": DatasetSource(generator="moon"),
        }.items():
            client.start(StartTraining(dataset=source, start_fresh=True))
            assert str(client.status().dataset_id).partition("-")[0] == name
            client.command("stop")
    with FakeCascorClient("empty") as client, pytest.raises(InvalidRequestError):
        client.start(StartTraining(dataset=DatasetSource(generator="moon")))


# What holds them to the service


def test_every_operation_of_the_service_is_answered(tmp_path: Path) -> None:
    """And no other."""
    service = create_service(CascorSettings(state_dir=tmp_path))
    service.life.store.close()
    routes = [route for route in service.app.routes if isinstance(route, Route) and route.path.startswith("/v1/")]
    served = {(method, route.path) for route in routes for method in (route.methods or set()) - {"HEAD"}}
    assert set(ANSWERS) == served - {("GET", "/v1/metrics/prometheus")}


PROGRAM = """
import sys
from juniper_cascor.testing import FakeCascorClient
client = FakeCascorClient("two_spiral_training")
client.advance_epoch(300)
client.take_snapshot()
print(sorted({"numba", "torch", "sklearn"} & sys.modules.keys()))
"""


def test_fakes_need_no_trainer_and_write_nothing(tmp_path: Path) -> None:
    """No compiler is loaded; the folder that they run in stays empty."""
    root = Path(__file__).resolve().parents[4]
    environment = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scenario", get_args(Scenario))
def test_every_scenario_is_answered(scenario: Scenario) -> None:
    """By the wire's own models."""
    with FakeCascorClient(scenario, attempts=20) as client:
        assert client.is_ready() or scenario == "error_prone"
