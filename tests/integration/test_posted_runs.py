"""`POST /v1/runs`: a queue of trainings, as somebody who tries a sweep meets it."""

import time
from collections.abc import Callable, Iterator

import pytest

from juniper_common.wire.runs import RunDetail, RunsQueued
from tests.integration.conftest import CMU, Cascor

TIMEOUT_S = 60
FEW: dict[str, object] = {"max_hidden_units": 1, "candidate_epochs": 20, "output_epochs": 20}
X = [[0, 0], [0, 1], [1, 0], [1, 1]]
XOR: dict[str, object] = {"train_x": X, "train_y": [0, 1, 1, 0]}


def post(cascor: Cascor, **body: object) -> RunsQueued:
    """Post runs that may be."""
    response = cascor.http.post("/v1/runs", json={"inline_data": XOR, **body})
    assert response.status_code == 201, response.text
    return RunsQueued.model_validate(response.json()["data"])


def detail(cascor: Cascor, run_id: str) -> RunDetail:
    """A run's record."""
    return RunDetail.model_validate(cascor.http.get(f"/v1/runs/{run_id}").json()["data"])


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Return when something is so."""
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {TIMEOUT_S} s: {what}"
        time.sleep(0.01)


def ended(cascor: Cascor, *run_ids: str) -> list[RunDetail]:
    """The records of runs, once all have ended."""
    eventually(lambda: all(detail(cascor, run).ended_at is not None for run in run_ids), f"{run_ids} end")
    return [detail(cascor, run) for run in run_ids]


@pytest.fixture
def busy(cascor: Cascor) -> Iterator[str]:
    """A run in the foreground that goes on until it is stopped; its id. What was posted meanwhile is stopped too."""
    yield cascor.start(seed=1, pace=20)
    for record in cascor.http.get("/v1/runs?status=QUEUED").json()["data"]["runs"]:
        cascor.http.post(f"/v1/runs/{record['id']}/stop")


def test_one_run(cascor: Cascor) -> None:
    """It is recorded, trained, and shown since nothing else is."""
    queued = post(cascor, params={"seed": 3, **FEW}, notes="a try", tags=["xor"])
    (record,) = queued.runs
    assert (queued.sweep_id, record.sweep_id, record.seed) == (None, None, 3)
    (run,) = ended(cascor, record.id)
    assert (run.status, run.notes, run.tags) == ("COMPLETED", "a try", ["xor"])
    assert cascor.status().run_id == record.id


def test_a_sweep_over_parameters_and_seeds(cascor: Cascor) -> None:
    """Every combination is a run; they are trained one after another, in the order of the answer."""
    sweep = {"max_hidden_units": [1, 2], "learning_rate": [0.1, None]}
    queued = post(cascor, sweep=sweep, seeds=[7, 8], params=FEW, epochs=100)
    asked = [(run.params["max_hidden_units"], run.params["learning_rate"], run.seed) for run in queued.runs]
    assert asked == [(units, rate, seed) for units in (1, 2) for rate in (0.1, None) for seed in (7, 8)]
    assert queued.sweep_id is not None
    runs = ended(cascor, *(run.id for run in queued.runs))
    assert {run.sweep_id for run in runs} == {queued.sweep_id}
    times = [time for run in runs for time in (run.started_at or 0, run.ended_at or 0)]
    assert times == sorted(times)
    listed = cascor.http.get("/v1/runs", params={"sweep_id": queued.sweep_id}).json()["data"]
    assert listed["total"] == 8


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sweep": {"colour": ["red"]}}, "sweep.colour"),
        ({"sweep": {"max_hidden_units": []}}, "sweep.max_hidden_units"),
        ({"sweep": {"max_hidden_units": [1, "many"]}}, "sweep.max_hidden_units"),
        ({"sweep": {"max_hidden_units": [1, -1]}}, "sweep.max_hidden_units"),
        ({"sweep": {"max_hidden_units": 3}}, "sweep.max_hidden_units"),
        ({"sweep": {"seed": [1, -1]}}, "sweep.seed"),
        ({"sweep": {"pace": [0]}}, "sweep.pace"),
        ({"sweep": {"seed": [1]}, "seeds": [2]}, "seeds"),
        ({"sweep": {"task": ["classification", "regression"]}}, "sweep.task"),
        ({"sweep": {"patience": list(range(1, 33)), "seed": list(range(32))}}, "sweep"),
        ({"seeds": [1, -1]}, "seeds.1"),
        ({"seeds": [True, 1.5]}, "seeds.1"),
        ({"params": {"candidate_pool_size": 0}, "seeds": [1, 2]}, "params.candidate_pool_size"),
        ({"params": {"class_weights": [1, 2, 3]}, "seeds": [1, 2]}, "params.class_weights"),
        ({"epochs": 0}, "epochs"),
        ({"tags": [""]}, "tags.0"),
        ({"sweeps": {}}, "sweeps"),
        ({"dataset": CMU}, "inline_data"),
        ({"inline_data": XOR | {"train_y": [0, 1, 1]}}, "inline_data.train_y"),
    ],
)
def test_a_post_that_cannot_be(cascor: Cascor, body: dict[str, object], field: str) -> None:
    """The field is named, and none of the runs is recorded though the others could be."""
    before = cascor.http.get("/v1/runs").json()["data"]
    response = cascor.http.post("/v1/runs", json={"inline_data": XOR, **body})
    assert response.status_code == 422, response.text
    named = [".".join(map(str, problem["loc"])) for problem in response.json()["error"]["detail"]]
    assert field in named, named
    assert cascor.http.get("/v1/runs").json()["data"] == before


def test_a_posted_run_waits_for_the_one_that_trains(cascor: Cascor, busy: str) -> None:
    """Then it is its turn."""
    (queued,) = post(cascor, params=FEW).runs
    assert detail(cascor, queued.id).status == "QUEUED"
    assert cascor.http.get("/v1/workers/stats").json()["data"]["waiting_runs"] == 1
    assert cascor.status().run_id == busy
    cascor.http.post("/v1/training/stop")
    (run,) = ended(cascor, queued.id)
    assert [change.status for change in run.state_changes] == ["QUEUED", "STARTED", "COMPLETED"]


def test_a_run_that_waits_can_be_stopped(cascor: Cascor, busy: str) -> None:
    """It leaves the queue, was never started, and the others keep their places."""
    first, second = post(cascor, seeds=[1, 2], params=FEW).runs
    answer = cascor.http.post(f"/v1/runs/{first.id}/stop")
    assert answer.json()["data"]["status"] == "STOPPED"
    assert [change.status for change in detail(cascor, first.id).state_changes] == ["QUEUED", "STOPPED"]
    assert detail(cascor, first.id).started_at is None
    assert cascor.http.post(f"/v1/runs/{first.id}/stop").status_code == 409
    assert cascor.http.post(f"/v1/runs/{second.id}/pause").status_code == 409
    assert cascor.http.post(f"/v1/runs/{busy}/stop").status_code == 200
    assert ended(cascor, second.id)[0].status == "COMPLETED"


def test_a_run_is_commanded_by_its_id(cascor: Cascor) -> None:
    """Whatever stands in the foreground."""
    cascor.http.post("/v1/network")  # It takes the foreground.
    (run,) = post(cascor, params={"pace": 50, "seed": 1}).runs
    eventually(lambda: detail(cascor, run.id).status == "STARTED", "it trains")
    assert cascor.status().run_id is None
    for command, status in (("pause", "PAUSED"), ("resume", "STARTED"), ("pause", "PAUSED"), ("stop", "STOPPED")):
        answer = cascor.http.post(f"/v1/runs/{run.id}/{command}").json()["data"]
        assert (answer["status"], answer["run_id"]) == (status, run.id)
        assert detail(cascor, run.id).status == status


def test_a_start_while_the_trainer_is_taken(cascor: Cascor) -> None:
    """Though nothing in the foreground trains: the answer says what to do instead."""
    cascor.http.post("/v1/network", json={"output_size": 1})
    (run,) = post(cascor, params={"pace": 50}).runs
    answer = cascor.http.post("/v1/training/start", json={"inline_data": XOR})
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "1 runs train and 0 wait; POST /v1/runs queues another one"
    assert cascor.http.post(f"/v1/runs/{run.id}/stop").status_code == 200
    assert cascor.http.post("/v1/training/start", json={"inline_data": XOR}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        *(("GET", f"/v1/{path}?run=none", "run") for path in ("training/status", "training/params", "metrics")),
        *(("GET", f"/v1/{path}?run=none", "run") for path in ("metrics/history", "network/topology", "network/stats")),
        *(("GET", f"/v1/{path}?run=none", "run") for path in ("dataset", "dataset/data", "decision-boundary")),
        *(("POST", f"/v1/training/{command}?run=none", "run") for command in ("pause", "resume", "stop")),
        *(("POST", f"/v1/runs/none/{command}", "run_id") for command in ("pause", "resume", "stop")),
        ("PATCH", "/v1/training/params?run=none", "run"),
        ("PUT", "/v1/dataset?run=none", "run"),
        ("GET", "/v1/runs/none", "run_id"),
        ("GET", "/v1/runs/none/metrics", "run_id"),
        ("PATCH", "/v1/runs/none", "run_id"),
        ("DELETE", "/v1/runs/none", "run_id"),
        ("GET", "/v1/runs/compare?ids=none,neither", "ids"),
    ],
)
def test_a_run_that_nobody_knows(cascor: Cascor, method: str, path: str, field: str) -> None:
    """404, and where in the request its id stands."""
    response = cascor.http.request(method, path, json={} if method in ("PATCH", "PUT") else None)
    assert response.status_code == 404, response.text
    assert [problem["loc"] for problem in response.json()["error"]["detail"]] == [[field]]
