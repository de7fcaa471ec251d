"""Runs that are asked for by id: while they train, side by side, and long after."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.websockets import WebSocketDisconnect

from juniper_common.wire.training import TrainingStatus
from tests.integration.conftest import CMU, Cascor, running
from tests.integration.test_posted_runs import FEW, detail, ended, eventually, post

SOME: dict[str, object] = {"max_hidden_units": 3}


@pytest.fixture(scope="module")
def running_cascor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cascor]:
    """A service that trains two runs side by side."""
    with running(tmp_path_factory.mktemp("cascor"), max_parallel_runs=2) as cascor:
        yield cascor


@pytest.fixture
def two(cascor: Cascor) -> Iterator[tuple[str, str]]:
    """Two runs that train side by side; the first one is in the foreground."""
    runs = post(cascor, seeds=[1, 2], params={"pace": 50}).runs
    eventually(lambda: all(detail(cascor, run.id).status == "STARTED" for run in runs), "both train")
    yield runs[0].id, runs[1].id
    for run in runs:
        cascor.http.post(f"/v1/runs/{run.id}/stop")


def status(cascor: Cascor, run_id: str) -> TrainingStatus:
    """Where a run stands."""
    answer = cascor.http.get("/v1/training/status", params={"run": run_id})
    return TrainingStatus.model_validate(answer.json()["data"])


def test_two_trainers_have_processors_of_their_own(cascor: Cascor, two: tuple[str, str]) -> None:
    """As far as there are two."""
    workers = cascor.http.get("/v1/workers").json()["data"]["workers"]
    eventually(lambda: all(keeper.is_warm for keeper in cascor.service.life.queue.trainers), "both are warm")
    assert {worker["run_id"] for worker in workers} == set(two)
    if len(os.sched_getaffinity(0)) >= 2:
        first, second = (set(psutil.Process(worker["pid"]).cpu_affinity()) for worker in workers)
        assert first.isdisjoint(second)


def test_what_is_asked_of_one_run_is_of_that_run(cascor: Cascor, two: tuple[str, str]) -> None:
    """Status, parameters, history, dataset and boundary; without an id they are the foreground's."""
    shown, other = two
    eventually(lambda: status(cascor, other).monitor.current_epoch > 1, "it trains")
    assert cascor.status().run_id == shown
    assert (status(cascor, other).run_id, status(cascor, other).seed) == (other, 2)
    query = {"run": other}
    assert cascor.http.get("/v1/training/params", params=query).json()["data"]["seed"] == 2
    assert cascor.http.get("/v1/decision-boundary", params=query).json()["data"]["run_id"] == other
    assert cascor.http.get("/v1/dataset", params=query).json()["data"]["n_train"] == 4
    assert cascor.http.get("/v1/network/topology", params=query).json()["data"]["input_size"] == 2
    assert cascor.http.post("/v1/training/pause", params=query).json()["data"]["run_id"] == other
    assert (status(cascor, other).state_machine.status, status(cascor, shown).state_machine.status) == (
        "PAUSED",
        "STARTED",
    )
    epoch = status(cascor, other).monitor.current_epoch
    assert cascor.http.get("/v1/metrics", params=query).json()["data"]["epoch"] == epoch
    history = cascor.http.get("/v1/metrics/history", params=query | {"count": 10_000}).json()["data"]
    assert [row["epoch"] for row in history] == list(range(1, epoch + 1))


def test_one_run_is_followed_over_the_stream(cascor: Cascor, two: tuple[str, str]) -> None:
    """Whoever asks for it is greeted with it and hears of nothing else."""
    with cascor.http.websocket_connect(f"/ws/training?run={two[1]}") as socket:
        messages = [socket.receive_json() for _ in range(10)]
    assert {message["run_id"] for message in messages} == {two[1]}
    assert "metrics" in {message["type"] for message in messages}
    with cascor.http.websocket_connect("/ws/training?run=none") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 4004


def test_parameters_of_a_run_in_the_background_are_changed(cascor: Cascor, two: tuple[str, str]) -> None:
    """Its own, and no other's."""
    answer = cascor.http.patch("/v1/training/params", params={"run": two[1]}, json={"max_hidden_units": 9})
    assert answer.json()["data"]["params"]["max_hidden_units"] == 9
    assert [change.params for change in detail(cascor, two[1]).changes] == [{"max_hidden_units": 9}]
    assert detail(cascor, two[0]).changes == []


def test_an_active_run_is_not_deleted(cascor: Cascor, two: tuple[str, str]) -> None:
    """Nor one that waits; the answer says what to do first."""
    (waits,) = post(cascor, params=FEW).runs
    for run_id, state in ((two[0], "STARTED"), (waits.id, "QUEUED")):
        response = cascor.http.delete(f"/v1/runs/{run_id}")
        assert response.status_code == 409
        assert response.json()["error"]["message"] == f"the run is {state}; stop it first"
    cascor.http.post(f"/v1/runs/{waits.id}/stop")


def test_a_run_that_is_over_is_deleted_with_its_snapshots(cascor: Cascor) -> None:
    """Nothing is left of it, and the foreground that showed it shows nothing."""
    run_id = cascor.start(seed=1, max_hidden_units=3)
    cascor.wait()
    folder: Path = cascor.state_dir / "snapshots" / run_id
    assert list(folder.glob("*.h5"))
    assert cascor.http.delete(f"/v1/runs/{run_id}").json()["data"] == {"status": "deleted", "run_id": run_id}
    assert not folder.exists()
    assert cascor.status().run_id is None
    for path in (f"/v1/runs/{run_id}", f"/v1/training/status?run={run_id}"):
        assert cascor.http.get(path).status_code == 404
    assert cascor.http.delete(f"/v1/runs/{run_id}").status_code == 404


def test_what_is_noted_while_it_trains_is_kept_at_its_end(cascor: Cascor) -> None:
    """The record of a run is written again and again, but not over what people write into it."""
    run_id = cascor.start(seed=1, pace=500, max_hidden_units=3)
    cascor.wait_for_epoch(10)
    cascor.http.patch(f"/v1/runs/{run_id}", json={"notes": "looks well", "tags": ["keep"]})
    cascor.http.patch("/v1/training/params", json={"pace": None})
    cascor.wait()
    run = detail(cascor, run_id)
    assert (run.status, run.notes, run.tags) == ("COMPLETED", "looks well", ["keep"])


def test_runs_side_by_side_are_those_that_are_trained_one_after_another(cascor: Cascor) -> None:
    """Every recorded value and every weight, bit for bit."""
    ends = []
    for batch in ([5, 6], [5], [6]):
        posted = post(cascor, seeds=batch, params=SOME, inline_data=None, dataset=CMU)
        runs = ended(cascor, *(run.id for run in posted.runs))
        for run in runs:
            series = cascor.http.get(f"/v1/runs/{run.id}/metrics").json()["data"]["series"]
            topology = cascor.http.get("/v1/network/topology", params={"run": run.id}).json()["data"]
            values = {name: (points["step"], points["value"]) for name, points in series.items()}
            ends.append((run.seed, run.epochs, run.outcome, values, topology))
    assert ends[:2] == ends[2:]


def test_runs_are_filtered_and_compared(cascor: Cascor) -> None:
    """By what they are, then side by side in what they differ."""
    sweep = post(cascor, sweep={"max_hidden_units": [1, 2]}, params={"seed": 1}, tags=["mine"])
    ids = [run.id for run in sweep.runs]
    ended(cascor, *ids)
    listed = cascor.http.get("/v1/runs", params={"tag": "mine", "status": "COMPLETED"}).json()["data"]
    assert [run["id"] for run in listed["runs"]] == ids[::-1]
    compared = cascor.http.get("/v1/runs/compare", params={"ids": ",".join(ids)}).json()["data"]
    assert compared["differing"]["params.max_hidden_units"] == dict(zip(ids, (1, 2), strict=True))
    assert set(compared["metrics"]["train_loss"]) == set(ids)
