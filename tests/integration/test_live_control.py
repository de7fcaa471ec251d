"""What is changed while a run trains: recorded with its epoch, in force from the next phase on, and repeatable."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from httpx2 import Response

from juniper_common.wire.training import Topology
from juniper_data.generators.spiral import SpiralParameters, generate_spirals
from tests.integration.conftest import CMU, Cascor
from tests.integration.engine_alone import repeated
from tests.integration.test_posted_runs import detail, eventually

PHASE = 60
"""Each phase takes so many epochs: so one knows in which phase an epoch is."""

PHASES: dict[str, object] = {
    "seed": 4,
    "max_hidden_units": 8,
    "candidate_epochs": PHASE,
    "output_epochs": PHASE,
    "candidate_patience": 1_000,
    "output_patience": 1_000,
}


def rows(seed: int, columns: int = 2) -> dict[str, object]:
    """Noisy spirals, that no network solves; more than two columns repeat the first."""
    points = generate_spirals(SpiralParameters(n_points_per_spiral=40, noise=1.5), np.random.default_rng(seed))
    x = np.concatenate([points.X, points.X[:, :1].repeat(columns - 2, axis=1)], axis=1)
    return {"train_x": x.tolist(), "train_y": points.labels.tolist()}


def start(cascor: Cascor, pace: float = 300, **params: object) -> str:
    """Start a run on the first spirals; its id."""
    body = {"inline_data": rows(1), "params": PHASES | {"pace": pace} | params, "start_fresh": True}
    response = cascor.http.post("/v1/training/start", json=body)
    assert response.status_code == 200, response.text
    run_id: str = response.json()["data"]["run_id"]
    return run_id


def change(cascor: Cascor, **params: object) -> Response:
    """Change parameters of what trains."""
    return cascor.http.patch("/v1/training/params", json=params)


def swap(cascor: Cascor, seed: int = 2) -> Response:
    """Swap in other spirals."""
    return cascor.http.put("/v1/dataset", json={"inline_data": rows(seed)})


def kill_trainer(cascor: Cascor) -> None:
    """Kill it; return when it is gone."""
    trainer = psutil.Process(cascor.service.life.queue.trainers[0].pid)
    trainer.kill()
    eventually(lambda: cascor.service.life.queue.trainers[0].pid != trainer.pid, "its end is noticed")


def check_repeatable(cascor: Cascor, run_id: str) -> None:
    """Train to the end at full speed: the engine alone ends in the same bits."""
    assert change(cascor, pace=None).status_code in (200, 409)
    cascor.wait()
    record = detail(cascor, run_id)
    topology = Topology.model_validate(cascor.http.get("/v1/network/topology").json()["data"])
    assert repeated(record, cascor.state_dir / "datasets") == (record.outcome, record.epochs, topology)


def test_changes_take_effect_at_the_next_phase(cascor: Cascor) -> None:
    """Each is recorded with its epoch, and the engine alone comes to the same with them."""
    run_id = start(cascor)
    epoch = cascor.wait_for_epoch(10).monitor.current_epoch
    assert change(cascor, candidate_epochs=PHASE // 2, candidate_pool_size=3).status_code == 200
    cascor.wait_for_epoch(2 * PHASE)
    assert change(cascor, output_epochs=PHASE // 3, learning_rate=0.01).status_code == 200
    assert change(cascor, max_hidden_units=5).json()["data"]["params"]["max_hidden_units"] == 5
    check_repeatable(cascor, run_id)
    run = detail(cascor, run_id)
    assert [made.params for made in run.changes] == [
        {"candidate_epochs": PHASE // 2, "candidate_pool_size": 3},
        {"output_epochs": PHASE // 3, "learning_rate": 0.01},
        {"max_hidden_units": 5},
    ]
    assert epoch <= run.changes[0].epoch < 2 * PHASE <= run.changes[1].epoch <= run.changes[2].epoch
    assert (run.outcome, run.hidden_units) == ("max_hidden_units", 5)
    assert run.params["max_hidden_units"] == 8


def test_a_change_right_after_the_start_waits_for_the_trainer(cascor: Cascor) -> None:
    """Which reads its data then, or is not even there."""
    for is_killed in (False, True):
        run_id = start(cascor)
        if is_killed:
            kill_trainer(cascor)
        assert change(cascor, max_hidden_units=5).status_code == 200
        assert [made.params for made in detail(cascor, run_id).changes] == [{"max_hidden_units": 5}]
        cascor.http.post("/v1/training/stop")


def test_what_is_as_it_was_is_no_change(cascor: Cascor) -> None:
    """Nor is the pace: it changes no bit."""
    run_id = start(cascor)
    cascor.wait_for_epoch(5)
    assert change(cascor, max_hidden_units=8, pace=200).status_code == 200
    assert (detail(cascor, run_id).changes, detail(cascor, run_id).pace) == ([], 200)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"candidate_pool_size": 0}, "candidate_pool_size"),
        ({"max_hidden_units": "many"}, "max_hidden_units"),
        ({"pace": 0}, "pace"),
        ({"seed": 3}, "seed"),
        ({"task": "regression"}, "task"),
        ({"learning_rate": -1, "patience": 3}, "learning_rate"),
    ],
)
def test_a_change_that_cannot_be(cascor: Cascor, params: dict[str, object], field: str) -> None:
    """The field is named, and nothing is changed or recorded."""
    run_id = start(cascor)
    cascor.wait_for_epoch(2)
    response = change(cascor, **params)
    assert response.status_code == 422
    assert [problem["loc"] for problem in response.json()["error"]["detail"]] == [[field]]
    assert detail(cascor, run_id).changes == []
    assert cascor.status().params["patience"] is None


@pytest.mark.parametrize("kill", ["never", "before it takes effect", "after it took effect"])
def test_data_is_swapped_for_the_next_phase(cascor: Cascor, kill: str) -> None:
    """It is recorded, and whenever the trainer is killed the end is the engine's with `set_data` at that epoch."""
    run_id = start(cascor)
    cascor.wait_for_epoch(PHASE + 5)
    assert swap(cascor).status_code == 200
    (made,) = detail(cascor, run_id).changes
    assert PHASE < made.epoch < 2 * PHASE
    if kill == "before it takes effect":
        kill_trainer(cascor)
    elif kill == "after it took effect":
        cascor.wait_for_epoch(2 * PHASE + 5)
        kill_trainer(cascor)
    check_repeatable(cascor, run_id)
    assert made.dataset_checksum not in (None, detail(cascor, run_id).dataset_checksum)
    assert cascor.http.get("/v1/dataset/data").json()["data"]["train_x"][0] == pytest.approx(rows(2)["train_x"][0])  # type: ignore[index]


def test_the_last_of_two_swaps_counts(cascor: Cascor) -> None:
    """Whatever the trainer had read for the first one, and though it is killed between them."""
    run_id = start(cascor)
    cascor.wait_for_epoch(5)
    assert swap(cascor, 2).status_code == 200
    kill_trainer(cascor)
    assert swap(cascor, 3).status_code == 200
    check_repeatable(cascor, run_id)
    assert len(detail(cascor, run_id).changes) == 2


def test_a_change_while_epochs_are_trained_again_comes_after_them(cascor: Cascor) -> None:
    """It neither makes the record untrue nor is it undone by one that had come before the trainer died."""
    run_id = start(cascor)
    cascor.wait_for_epoch(PHASE + 5)
    assert change(cascor, max_hidden_units=3).status_code == 200
    epoch = cascor.wait_for_epoch(2 * PHASE + 30).monitor.current_epoch
    kill_trainer(cascor)
    assert change(cascor, max_hidden_units=4).status_code == 200
    check_repeatable(cascor, run_id)
    run = detail(cascor, run_id)
    assert [made.params for made in run.changes] == [{"max_hidden_units": 3}, {"max_hidden_units": 4}]
    assert run.changes[1].epoch >= epoch
    assert run.hidden_units == 4


def test_a_swap_back_before_it_took_effect_is_none(cascor: Cascor) -> None:
    """The run ends as one that nobody touched."""
    ends = []
    for is_swapped in (True, False):
        run_id = start(cascor)
        cascor.wait_for_epoch(5)
        if is_swapped:
            cascor.http.post("/v1/training/pause")  # The phase must not end between the two.
            assert [swap(cascor, 2).status_code, swap(cascor, 1).status_code] == [200, 200]
            assert len(detail(cascor, run_id).changes) == 2
            cascor.http.post("/v1/training/resume")
        change(cascor, pace=None)
        cascor.wait()
        ends.append(cascor.http.get("/v1/network/topology").json()["data"])
    assert ends[0] == ends[1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inline_data": rows(2, columns=3)}, "inline_data"),
        ({"dataset": {"generator": "spiral", "params": {"n_spirals": 3}}}, "dataset"),
        ({"inline_data": {"train_x": [[0, 0]], "train_y": [0, 1]}}, "inline_data.train_y"),
        ({"inline_data": rows(2), "dataset": CMU}, "inline_data"),
        ({"rows": []}, "rows"),
    ],
)
def test_data_that_cannot_be_swapped_in(cascor: Cascor, body: dict[str, object], field: str) -> None:
    """The field is named, nothing is recorded, and the run goes on."""
    run_id = start(cascor)
    epoch = cascor.wait_for_epoch(2).monitor.current_epoch
    response = cascor.http.put("/v1/dataset", json=body)
    assert response.status_code == 422, response.text
    assert field in [".".join(map(str, problem["loc"])) for problem in response.json()["error"]["detail"]]
    assert detail(cascor, run_id).changes == []
    assert cascor.wait_for_epoch(epoch + 1).training_active


def test_nothing_is_swapped_where_nothing_trains(cascor: Cascor) -> None:
    """409, with the state; by the id of a run too."""
    assert swap(cascor).json()["error"]["message"] == "cannot swap the dataset: training is STOPPED"
    run_id = start(cascor)
    cascor.http.post("/v1/training/stop")
    assert swap(cascor).status_code == 409
    response = cascor.http.put("/v1/dataset", params={"run": run_id}, json={"inline_data": rows(2)})
    assert response.status_code == 409


def test_a_storm_of_commands_leaves_the_service_well(cascor: Cascor) -> None:
    """Hundreds at once: each is done or refused, and a training solves its task after it."""
    run_id = start(cascor, pace=50)
    paths = ["/v1/training/pause", "/v1/training/resume", f"/v1/runs/{run_id}/pause", "/v1/training/reset"]
    with ThreadPoolExecutor(16) as threads:
        codes = list(threads.map(lambda n: cascor.http.post(paths[n % len(paths)]).status_code, range(400)))
        codes += threads.map(lambda _: change(cascor, max_hidden_units=7).status_code, range(50))
        codes += threads.map(lambda _: cascor.http.post("/v1/training/stop").status_code, range(50))
    assert set(codes) <= {200, 404, 409, 503}
    assert codes[-50:].count(200) <= 1
    assert detail(cascor, run_id).status == "STOPPED"
    cascor.start(CMU, seed=1)
    assert cascor.wait().training_state.outcome == "solved"


def test_a_pause_is_answered_while_the_trainer_warms_up(cascor: Cascor) -> None:
    """It need not be there for that: it begins paused, and goes on when it is told to."""
    run_id = start(cascor)
    cascor.wait_for_epoch(5)
    kill_trainer(cascor)
    assert cascor.http.post("/v1/training/pause").json()["data"]["status"] == "PAUSED"
    assert cascor.http.post("/v1/training/resume").json()["data"]["status"] == "STARTED"
    assert cascor.http.post("/v1/training/pause").json()["data"]["status"] == "PAUSED"
    eventually(lambda: cascor.service.life.queue.trainers[0].is_warm, "it is warm")
    epoch = cascor.status().monitor.current_epoch
    time.sleep(0.2)
    assert cascor.status().monitor.current_epoch == epoch
    assert cascor.http.post("/v1/training/resume").status_code == 200
    check_repeatable(cascor, run_id)


def test_a_stop_while_the_trainer_warms_up(cascor: Cascor) -> None:
    """The run is over at once; the next one has the trainer when it is warm."""
    run_id = start(cascor)
    kill_trainer(cascor)
    assert cascor.http.post("/v1/training/stop").json()["data"]["status"] == "STOPPED"
    next_id = start(cascor)
    cascor.wait_for_epoch(3)
    assert [detail(cascor, run).status for run in (run_id, next_id)] == ["STOPPED", "STARTED"]
