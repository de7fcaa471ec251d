"""Training through the service, from the request to the record."""

import statistics
import time

import numpy as np
import psutil
import pytest

from juniper_cascor import snapshots
from juniper_cascor.engine.training import Training
from juniper_cascor.runs import dataset_file, network_spec
from tests.integration.conftest import CMU, DEMO, Cascor


@pytest.mark.parametrize(("dataset", "at_most"), [(CMU, 15), (DEMO, 22)], ids=["cmu_spirals", "demo"])
def test_every_seed_solves_the_spirals(cascor: Cascor, dataset: dict[str, object], at_most: int) -> None:
    """Twenty run seeds, each solved with the defaults, with few hidden units."""
    units = []
    for seed in range(20):
        cascor.start(dataset, seed=seed)
        status = cascor.wait()
        assert status.training_state.outcome == "solved"
        units.append(status.monitor.current_hidden_units)
    assert statistics.median(units) <= at_most


def test_a_bare_create_and_start_solve_the_demo_spiral(cascor: Cascor) -> None:
    """What is left out gets measured defaults; without a dataset the demo spiral is trained on."""
    created = cascor.http.post("/v1/network")
    assert created.status_code == 201
    assert created.json()["data"]["warnings"] == []
    assert cascor.http.post("/v1/training/start").status_code == 200
    assert cascor.wait().training_state.outcome == "solved"


def test_a_run_is_a_function_of_its_record(cascor: Cascor) -> None:
    """The same dataset, parameters and seed grow the same network, bit for bit."""
    networks = []
    for _ in range(2):
        run_id = cascor.start(seed=3)
        cascor.wait()
        networks.append(cascor.http.get("/v1/network/topology").json()["data"])
        record = cascor.http.get(f"/v1/runs/{run_id}").json()["data"]
        assert (record["seed"], record["status"], record["outcome"]) == (3, "COMPLETED", "solved")
        assert record["dataset_checksum"] and record["versions"]["numpy"] == np.__version__
    assert networks[0] == networks[1]


def test_a_snapshot_at_each_unit_resumes_to_the_same_network(cascor: Cascor) -> None:
    """A training taken up from any snapshot ends in the network of the unbroken run."""
    run_id = cascor.start(seed=5)
    status = cascor.wait()
    files = sorted((cascor.state_dir / "snapshots" / run_id).glob("*.h5"))
    read = [snapshots.read(path) for path in files]
    units = status.monitor.current_hidden_units
    assert [s.card.hidden_units for s in read] == [*range(1, units + 1), units]
    assert [s.card.outcome for s in read] == [*[None] * units, "solved"]
    listed = cascor.http.get("/v1/snapshots", params={"limit": 1_000}).json()["data"]["snapshots"]
    assert len([info for info in listed if info["run_id"] == run_id]) == len(files)

    middle, last = read[units // 2], read[-1]
    history = cascor.http.get("/v1/metrics/history", params={"count": 200_000}).json()["data"]
    assert last.metrics["epoch"].tolist() == [row["epoch"] for row in history]
    assert last.metrics["train_loss"].tolist() == [row["train_loss"] for row in history]
    assert last.card.versions["cpu_target"]
    assert (middle.card.outcome, last.card.outcome) == (None, "solved")
    assert last.card.backend == cascor.http.get(f"/v1/runs/{run_id}").json()["data"]["backend"]
    data = dataset_file.read(cascor.state_dir / "datasets" / f"{last.card.dataset_checksum}.npz")
    training = Training.restore(
        data.x, data.y, network_spec.from_json(middle.card.parameters), middle.state, x_val=data.x_val, y_val=data.y_val
    )
    while training.finished is None:
        training.advance()
    assert training.epoch == last.card.epoch
    np.testing.assert_array_equal(training.network.output_weights, last.network.output_weights)


@pytest.mark.parametrize("command", ["pause", "stop"])
def test_no_cpu_burns_after_the_answer(cascor: Cascor, command: str) -> None:
    """Once pause or stop has answered, the trainer does no more work."""
    data: dict[str, object] = {"generator": "spiral", "params": {"n_points_per_spiral": 5_000, "noise": 1.5, "seed": 1}}
    cascor.start(data, seed=1)
    cascor.wait_for_epoch(50)
    answer = cascor.http.post(f"/v1/training/{command}")
    trainer = psutil.Process(cascor.service.life.queue.trainers[0].pid)
    before, epoch = sum(trainer.cpu_times()[:2]), cascor.status().monitor.current_epoch
    assert answer.json()["data"]["status"] == {"pause": "PAUSED", "stop": "STOPPED"}[command]
    time.sleep(1.5)
    # Two heartbeats at the most; a trainer that worked would have used a second and a half.
    assert sum(trainer.cpu_times()[:2]) - before <= 0.05
    assert cascor.status().monitor.current_epoch == epoch


def test_pause_and_resume_change_nothing_but_time(cascor: Cascor) -> None:
    """A run that was paused ends in the network of one that was not."""
    cascor.start(seed=9)
    cascor.wait()
    unbroken = cascor.http.get("/v1/network/topology").json()["data"]
    cascor.start(seed=9, pace=2_000)
    for _ in range(3):
        assert cascor.http.post("/v1/training/pause").status_code == 200
        assert cascor.status().state_machine.status == "PAUSED"
        assert cascor.http.post("/v1/training/resume").status_code == 200
    assert cascor.http.patch("/v1/training/params", json={"pace": None}).status_code == 200
    assert cascor.wait().training_state.outcome == "solved"
    assert cascor.http.get("/v1/network/topology").json()["data"] == unbroken


def test_the_pace_is_kept_recorded_and_changed_while_it_trains(cascor: Cascor) -> None:
    """No more epochs are trained than the pace allows, until it is changed."""
    began = time.monotonic()
    run_id = cascor.start(seed=2, pace=30)
    epoch = cascor.wait_for_epoch(10).monitor.current_epoch
    assert epoch <= 30 * (time.monotonic() - began + 0.1) + 1
    answer = cascor.http.patch("/v1/training/params", json={"pace": 5_000, "max_hidden_units": 3}).json()["data"]
    assert (answer["pace"], answer["params"]["max_hidden_units"]) == (5_000, 3)
    status = cascor.wait()
    assert (status.training_state.outcome, status.monitor.current_hidden_units) == ("max_hidden_units", 3)
    record = cascor.http.get(f"/v1/runs/{run_id}").json()["data"]
    assert (record["pace"], record["params"]["max_hidden_units"]) == (5_000, 64)
    (change,) = record["changes"]
    assert (change["params"], change["epoch"] >= 10) == ({"max_hidden_units": 3}, True)


def test_what_is_seen_of_a_run(cascor: Cascor) -> None:
    """Metrics, history, dataset, boundary, topology and statistics agree with each other."""
    cascor.start(DEMO, seed=4)
    status = cascor.wait()
    newest = cascor.http.get("/v1/metrics").json()["data"]
    history = cascor.http.get("/v1/metrics/history", params={"count": 200_000}).json()["data"]
    assert history[-1] == newest
    assert [row["epoch"] for row in history] == list(range(1, status.monitor.current_epoch + 1))
    assert history[0]["train_loss"] > newest["train_loss"]
    assert newest["train_accuracy"] == 1.0
    assert newest["val_loss"] is not None

    dataset = cascor.http.get("/v1/dataset").json()["data"]
    assert (dataset["n_train"], dataset["n_val"], dataset["n_classes"]) == (320, 80, 2)
    data = cascor.http.get("/v1/dataset/data").json()["data"]
    assert (len(data["train_x"]), len(data["val_x"])) == (320, 80)
    assert set(data["train_y"]) == {0, 1}

    boundary = cascor.http.get("/v1/decision-boundary", params={"resolution": 40}).json()["data"]
    grid_x, grid_y, predictions = (np.array(boundary[name]) for name in ("grid_x", "grid_y", "predictions"))
    assert grid_x.shape == grid_y.shape == predictions.shape == (40, 40)
    nearest = [
        predictions[np.unravel_index(np.argmin((grid_x - x) ** 2 + (grid_y - y) ** 2), (40, 40))]
        for x, y in data["train_x"]
    ]
    assert np.mean(np.array(nearest) == data["train_y"]) > 0.8

    topology = cascor.http.get("/v1/network/topology").json()["data"]
    units = topology["hidden_units"]
    assert [len(unit["weights"]) for unit in units] == [2 + i for i in range(status.monitor.current_hidden_units)]
    assert {len(row) for row in topology["output_weights"]} == {2 + len(units)}
    stats = cascor.http.get("/v1/network/stats").json()["data"]
    assert stats["total_hidden_units"] == len(units)
    assert stats["output_weight_max"] == pytest.approx(max(max(row) for row in topology["output_weights"]))


def test_inline_data_with_one_column_of_targets(cascor: Cascor) -> None:
    """Exclusive-or in the request; the boundary of a third input is shown at its mean."""
    x = [[0, 0, 1], [0, 1, 3], [1, 0, 5], [1, 1, 7]]
    rows = {"train_x": x, "train_y": [0, 1, 1, 0], "val_x": x, "val_y": [0, 1, 1, 0]}
    response = cascor.http.post("/v1/training/start", json={"inline_data": rows, "params": {"seed": 1}})
    assert response.status_code == 200, response.text
    assert cascor.wait().training_state.outcome == "solved"
    boundary = cascor.http.get("/v1/decision-boundary", params={"y_feature": 2}).json()["data"]
    assert boundary["features"] == [0, 2]
    assert boundary["held_at"] == [0.5, 0.5, 4.0]


def test_an_epoch_budget_ends_the_run(cascor: Cascor) -> None:
    """`epochs` is a budget over both phases."""
    response = cascor.http.post("/v1/training/start", json={"dataset": CMU, "epochs": 321, "params": {"seed": 1}})
    assert response.status_code == 200
    status = cascor.wait()
    assert (status.training_state.outcome, status.monitor.current_epoch) == ("max_epochs", 321)
