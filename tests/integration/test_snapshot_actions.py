"""What is made of snapshots in the running service: restored, resumed, retrained."""

from typing import Any

import pytest

from tests.integration.conftest import CMU, DEMO, Cascor
from tests.integration.growth import answered, ask, at_once, fields, grown, ids, refused, snapshots, tell, topology

XOR_OF_THREE = {
    "train_x": [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)],
    "train_y": [(a + b + c) % 2 for a in (0, 1) for b in (0, 1) for c in (0, 1)],
}


def end(cascor: Cascor) -> tuple[Any, Any]:
    """The network and the curve that a run came to, without the times."""
    cascor.wait()
    rows = ask(cascor, "metrics/history?count=100000")
    return topology(cascor), [{key: value for key, value in row.items() if key != "timestamp"} for row in rows]


def test_a_restored_network_is_shown(cascor: Cascor) -> None:
    """By everything that shows the loaded network, with the metrics so far and the data that it was trained on."""
    grown(cascor)
    run_id = ask(cascor, "training/status")["run_id"]
    third = snapshots(cascor, run_id)[2]
    summary = tell(cascor, f"snapshots/{third['id']}/restore")
    assert summary["hidden_units"] == 3
    assert ask(cascor, "network") == summary
    assert len(topology(cascor)["hidden_units"]) == 3
    status = cascor.status()
    assert (status.state_machine.status, status.run_id) == ("RESUME_READY", None)
    assert (status.monitor.current_hidden_units, status.monitor.current_epoch) == (3, third["epoch"])
    assert status.seed == 1
    assert ask(cascor, "metrics")["epoch"] == third["epoch"]
    assert ask(cascor, "decision-boundary")["hidden_units"] == 3
    assert ask(cascor, "dataset")["dataset_id"] == status.dataset_id
    prediction = tell(cascor, "predict", {"rows": [[0.5, 0.5]]})
    by_id = tell(cascor, "predict", {"rows": [[0.5, 0.5]], "snapshot_id": third["id"]})
    assert prediction == by_id


def test_a_restored_training_is_resumed(cascor: Cascor) -> None:
    """The published clients' way: restore, then resume; the end is that of the run that nobody broke."""
    run_id = grown(cascor)
    unbroken = topology(cascor)
    second = ids(cascor, run_id)[1]
    tell(cascor, f"snapshots/{second}/restore")
    resumed = tell(cascor, "training/resume")["run_id"]
    assert resumed != run_id
    assert cascor.wait().training_state.outcome == "solved"
    assert topology(cascor) == unbroken


def test_what_is_set_before_a_restored_training_is_resumed_is_used(cascor: Cascor) -> None:
    """And recorded as a change at the epoch of the snapshot."""
    second = snapshots(cascor, grown(cascor))[1]
    tell(cascor, f"snapshots/{second['id']}/restore")
    answered(cascor.http.patch("/v1/training/params", json={"max_hidden_units": 4}))
    run_id = tell(cascor, "training/resume")["run_id"]
    assert cascor.wait().training_state.outcome == "max_hidden_units"
    (change,) = ask(cascor, f"runs/{run_id}")["changes"]
    assert (change["epoch"], change["params"]) == (second["epoch"], {"max_hidden_units": 4})


def test_a_resumed_run_ends_as_the_unbroken_one(cascor: Cascor) -> None:
    """Network and curve, in every bit; the record says where it came from."""
    run_id = grown(cascor)
    unbroken = end(cascor)
    third = ids(cascor, run_id)[2]
    resumed = tell(cascor, f"snapshots/{third}/resume")["run_id"]
    assert end(cascor) == unbroken
    record, before = ask(cascor, f"runs/{resumed}"), ask(cascor, f"runs/{run_id}")
    assert (record["origin"], record["parent_snapshot_id"]) == ("resume", third)
    same = ("seed", "params", "dataset_checksum", "backend", "epochs", "hidden_units", "outcome")
    assert {name: record[name] for name in same} == {name: before[name] for name in same}


def test_a_run_is_resumed_with_other_parameters(cascor: Cascor) -> None:
    """From the next phase on, at another pace at once."""
    second = ids(cascor, grown(cascor))[1]
    body = {"params": {"max_hidden_units": 3, "candidate_pool_size": 6, "pace": 5_000}, "on_restart": "hold"}
    run_id = tell(cascor, f"snapshots/{second}/resume", body)["run_id"]
    status = cascor.wait()
    assert (status.training_state.outcome, status.monitor.current_hidden_units) == ("max_hidden_units", 3)
    record = ask(cascor, f"runs/{run_id}")
    assert (record["pace"], record["on_restart"]) == (5_000, "hold")
    (change,) = record["changes"]
    assert change["params"] == {"max_hidden_units": 3, "candidate_pool_size": 6}
    wrong = cascor.http.post(f"/v1/snapshots/{second}/resume", json={"params": {"candidate_pool_size": 0}})
    assert fields(wrong) == ["params.candidate_pool_size"]


def test_a_training_that_has_ended_is_not_resumed(cascor: Cascor) -> None:
    """It says what it ended as and what to do instead; restored it is a network like others."""
    last = ids(cascor, grown(cascor))[-1]
    message = refused(cascor.http.post(f"/v1/snapshots/{last}/resume", json={}), 409)
    assert message == f"snapshot {last} holds a training that has ended (solved); retrain grows on from its network"
    tell(cascor, f"snapshots/{last}/restore")
    assert cascor.status().state_machine.status == "STOPPED"
    refused(cascor.http.post("/v1/training/resume"), 409)


def test_a_network_without_a_training_is_not_resumed(cascor: Cascor) -> None:
    """It was kept as a network alone."""
    tell(cascor, "network", {}, 201)
    taken = tell(cascor, "snapshots", status=201)["id"]
    assert "holds no state" in refused(cascor.http.post(f"/v1/snapshots/{taken}/resume", json={}), 409)
    assert "does not say" in refused(cascor.http.post(f"/v1/snapshots/{taken}/retrain", json={}), 409)


def test_a_network_is_grown_on_with_more_units(cascor: Cascor) -> None:
    """On its own data; the units that it had are frozen."""
    last = ids(cascor, grown(cascor, max_hidden_units=2))[-1]
    before = topology(cascor)["hidden_units"]
    body = {"params": {"max_hidden_units": 4, "seed": 5}, "notes": "two more", "tags": ["grown"]}
    run_id = tell(cascor, f"snapshots/{last}/retrain", body)["run_id"]
    cascor.wait()
    units = topology(cascor)["hidden_units"]
    assert len(units) == 4
    assert units[:2] == before
    record = ask(cascor, f"runs/{run_id}")
    assert (record["origin"], record["parent_snapshot_id"], record["seed"]) == ("grow_on", last, 5)
    assert (record["notes"], record["tags"]) == ("two more", ["grown"])


def test_a_network_is_grown_on_other_data(cascor: Cascor) -> None:
    """Of the same shape."""
    last = ids(cascor, grown(cascor, max_hidden_units=2))[-1]
    body = {"dataset": DEMO, "params": {"max_hidden_units": 3}}
    run_id = tell(cascor, f"snapshots/{last}/retrain", body)["run_id"]
    cascor.wait()
    assert len(topology(cascor)["hidden_units"]) == 3
    assert ask(cascor, f"runs/{run_id}")["dataset_id"].startswith("spiral-")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inline_data": XOR_OF_THREE}, "inline_data"),
        ({"dataset": {"generator": "spiral", "params": {"n_spirals": 3}}}, "dataset"),
        ({"dataset": CMU, "inline_data": XOR_OF_THREE}, "inline_data"),
        ({"params": {"task": "regression"}}, "params.task"),
        ({"params": {"max_hidden_units": -1}}, "params.max_hidden_units"),
        ({"epochs": 0}, "epochs"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_retraining_that_cannot_be(cascor: Cascor, body: dict[str, object], field: str) -> None:
    """The field is named, and no run is recorded."""
    last = ids(cascor, grown(cascor, max_hidden_units=1))[-1]
    before = ask(cascor, "runs")
    assert fields(cascor.http.post(f"/v1/snapshots/{last}/retrain", json=body)) == [field]
    assert ask(cascor, "runs") == before


def test_of_many_at_once_one_begins(cascor: Cascor) -> None:
    """The others are refused, and the one that began is shown, whatever else was asked for meanwhile."""
    second = ids(cascor, grown(cascor))[1]
    before = ask(cascor, "runs?limit=1")["total"]
    paced: dict[str, object] = {"params": {"pace": 20}}
    asked = [
        (f"snapshots/{second}/resume", paced),
        (f"snapshots/{second}/retrain", paced),
        ("training/start", {"dataset": CMU, **paced}),
        (f"snapshots/{second}/resume", paced),
    ]
    answers = at_once(cascor, asked)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    begun = next(answer for answer in answers if answer.status_code == 200)
    assert cascor.status().run_id == answered(begun)["run_id"]
    assert ask(cascor, "runs?limit=1")["total"] == before + 1


def test_nothing_is_made_of_a_snapshot_while_a_run_is_active(cascor: Cascor) -> None:
    """Each is refused, and the run goes on."""
    first = ids(cascor, grown(cascor))[0]
    run_id = cascor.start(seed=1, pace=20)
    for action in ("restore", "resume", "retrain", "replay"):
        assert "training is STARTED" in refused(cascor.http.post(f"/v1/snapshots/{first}/{action}", json={}), 409)
    assert cascor.status().run_id == run_id
    assert cascor.status().training_active
