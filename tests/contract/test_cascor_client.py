"""The clients of the training service, against the real service and the fake: both do the same in every call."""

from collections.abc import Callable

import pytest

from juniper_cascor.client import JuniperCascorClient
from juniper_common.http import ConflictError, InvalidRequestError, NotFoundError
from juniper_common.wire.editing import AddHiddenUnit, ChangeHiddenUnit, ChangeWeights
from juniper_common.wire.runs import AnnotateRun, StartRuns
from juniper_common.wire.training import (
    ChangeParameters,
    CreateNetwork,
    DatasetSource,
    InlineData,
    RunParameters,
    StartTraining,
    SwapDataset,
)
from tests.contract.cascor_world import PACED, SMALL, XOR, begun, grown


def test_it_is_ready(client: JuniperCascorClient) -> None:
    """It says so, and whoever waits for it goes on."""
    assert client.is_ready()
    client.wait_for_ready(1)


def test_a_network_is_made_shown_and_unloaded(client: JuniperCascorClient) -> None:
    """What was asked for is what there is, until it is deleted."""
    created = client.create_network(CreateNetwork(input_size=3, output_size=1, max_hidden_units=3))
    assert client.network() == created
    assert (created.input_size, created.output_size, created.hidden_units, created.max_hidden_units) == (3, 1, 0, 3)
    assert created.warnings
    assert client.topology().output_weights == [[0, 0, 0]]
    assert client.stats().total_hidden_units == 0
    assert client.params().params["max_hidden_units"] == 3
    client.delete_network()
    for call in (client.network, client.topology, client.stats, client.params, client.delete_network):
        with pytest.raises(NotFoundError, match="no network is loaded"):
            call()


def test_a_network_is_edited(client: JuniperCascorClient) -> None:
    """Units come, change and go; the answer is the network as it then is."""
    client.create_network()
    added = client.add_hidden_unit(AddHiddenUnit(weights=[1, 2], bias=0.5, output_weights=[3, 4]))
    assert (added.hidden_units[0].weights, added.hidden_units[0].bias) == ([1, 2], 0.5)
    assert [row[-1] for row in added.output_weights] == [3, 4]
    unit = ChangeHiddenUnit(id=0, bias=-1)
    changed = client.change_weights(ChangeWeights(hidden_units=[unit], output_bias=[7, 8]))
    assert (changed.hidden_units[0].bias, changed.output_bias) == (-1, [7, 8])
    assert client.topology() == changed
    assert client.remove_hidden_unit(0).hidden_units == []
    with pytest.raises(NotFoundError, match="hidden unit"):
        client.remove_hidden_unit(0)
    with pytest.raises(InvalidRequestError, match="weights"):
        client.add_hidden_unit(AddHiddenUnit(weights=[1], output_weights=[3, 4]))


def test_a_run_is_commanded(client: JuniperCascorClient) -> None:
    """Start, pause, change, resume and its end, as status and record tell them."""
    run_id = begun(client)
    assert client.command("pause").status == "PAUSED"
    status = client.status()
    assert (status.run_id, status.state_machine.status, status.training_active) == (run_id, "PAUSED", True)
    assert client.status(run_id=run_id) == status
    changed = client.change(ChangeParameters(pace=200, learning_rate=0.1))
    assert (changed.pace, changed.params["learning_rate"]) == (200, 0.1)
    assert client.params(run_id=run_id) == changed
    assert client.command("resume", run_id=run_id).status == "STARTED"
    run = client.wait(run_id, timeout_s=60)
    assert (run.status, run.outcome, run.hidden_units) == ("COMPLETED", "max_hidden_units", 2)
    assert [change.params for change in run.changes] == [{"learning_rate": 0.1}]
    assert run.params["learning_rate"] is None  # as it began
    assert [change.status for change in run.state_changes] == ["QUEUED", "STARTED", "PAUSED", "STARTED", "COMPLETED"]
    times = [change.time for change in run.state_changes]
    assert times == sorted(times)
    assert client.status().training_state.outcome == "max_hidden_units"


def test_a_run_is_stopped(client: JuniperCascorClient) -> None:
    """It is over then, and a reset forgets it but for its record."""
    run_id = client.start(PACED).run_id
    assert client.command("stop").status == "STOPPED"
    assert client.run(run_id).reason == "stopped by command"
    assert client.command("reset").status == "STOPPED"
    assert not client.status().network_loaded
    assert client.run(run_id).status == "STOPPED"


def test_what_waits_is_not_changed(client: JuniperCascorClient) -> None:
    """A run whose turn it is not yet has no trainer to take the change."""
    client.start(PACED)
    waits = client.post_runs(StartRuns(dataset=XOR, params=PACED.params)).runs[0].id
    with pytest.raises(ConflictError, match="training is QUEUED"):
        client.change(ChangeParameters(patience=7), run_id=waits)
    with pytest.raises(ConflictError, match="training is QUEUED"):
        client.swap_dataset(SwapDataset(dataset=XOR), run_id=waits)


def test_waiting_ends(client: JuniperCascorClient) -> None:
    """Whoever set a time is told when it is over."""
    run_id = client.start(PACED).run_id
    client.command("pause")
    with pytest.raises(TimeoutError, match=f"run {run_id} is PAUSED"):
        client.wait(run_id, timeout_s=0.1)


def test_what_a_run_shows(client: JuniperCascorClient) -> None:
    """Metrics, data, network and boundary: of the foreground, and by the run's id."""
    run_id = grown(client)
    rows = client.history(5)
    assert client.metrics() == rows[-1] == client.metrics(run_id=run_id)
    assert len(rows) == 5
    assert rows[-1].epoch == client.status().monitor.current_epoch == client.status().monitor.total_metrics
    assert client.history(10_000, run_id=run_id)[-5:] == rows
    dataset, data = client.dataset(), client.dataset_data()
    assert (dataset.n_features, dataset.n_classes, dataset.n_train) == (2, 2, len(data.train_x))
    assert client.dataset(run_id=run_id) == dataset
    assert client.dataset_data(run_id=run_id) == data
    swapped = client.dataset_data(x_feature=1, y_feature=0)
    assert swapped.train_x == [row[::-1] for row in data.train_x]
    assert swapped.val_x == [row[::-1] for row in data.val_x]
    with pytest.raises(InvalidRequestError, match="y_feature: the network has 2 inputs"):
        client.dataset_data(x_feature=0, y_feature=2, run_id=run_id)
    assert len(client.topology().hidden_units) == client.stats().total_hidden_units == 2
    assert client.network(run_id=run_id).hidden_units == 2
    boundary = client.decision_boundary(6)
    assert (boundary.resolution, boundary.run_id, boundary.hidden_units) == (6, run_id, 2)
    assert client.decision_boundary(6, run_id=run_id) == boundary
    turned = client.decision_boundary(6, x_feature=1, y_feature=0)
    assert (turned.features, turned.x_range) == ((1, 0), boundary.y_range)


def test_inline_rows_are_trained_on(client: JuniperCascorClient) -> None:
    """A dataset need not come from the data service."""
    rows = InlineData(train_x=[[0, 0], [0, 1], [1, 0], [1, 1]], train_y=[[1, 0], [0, 1], [0, 1], [1, 0]])
    run_id = client.start(SMALL.model_copy(update={"dataset": None, "inline_data": rows})).run_id
    client.wait(run_id, timeout_s=60)
    assert client.run(run_id).dataset_id is None


def test_the_dataset_is_swapped(client: JuniperCascorClient) -> None:
    """While a run trains, from its next phase on; its record says when."""
    with pytest.raises(ConflictError, match="cannot swap the dataset"):
        client.swap_dataset(SwapDataset(dataset=XOR))
    run_id = client.start(PACED).run_id
    client.command("pause")
    other = DatasetSource(generator="spiral", params={"n_points": 60, "noise": 0.1, "seed": 42})
    swapped = client.swap_dataset(SwapDataset(dataset=other))
    assert swapped.dataset_id is not None
    assert swapped.dataset_id.startswith("spiral-")
    assert client.run(run_id).changes[-1].dataset_id == swapped.dataset_id
    assert client.dataset(run_id=run_id).dataset_id == swapped.dataset_id
    assert client.swap_dataset(SwapDataset(dataset=XOR), run_id=run_id).dataset_id == client.run(run_id).dataset_id
    with pytest.raises(NotFoundError, match="there is no run 'nothing'"):
        client.swap_dataset(SwapDataset(dataset=XOR), run_id="nothing")


def test_runs_are_queued_found_and_compared(client: JuniperCascorClient) -> None:
    """A sweep over seeds, its list, curves and differences."""
    request = StartRuns(
        dataset=XOR, params=SMALL.params, seeds=[3, 4], sweep={"output_epochs": [30, 40]}, notes="first", tags=["t1"]
    )
    queued = client.post_runs(request)
    ids = [run.id for run in queued.runs]
    assert [run.seed for run in queued.runs] == [3, 4, 3, 4]
    for run_id in ids:
        client.wait(run_id, timeout_s=60)
    found = client.runs(
        sweep_id=queued.sweep_id, status="COMPLETED", tag="t1", text="first", outcome="max_hidden_units"
    )
    assert (found.total, {run.id for run in found.runs}) == (4, set(ids))
    assert [run.id for run in client.runs(1, 1, sweep_id=queued.sweep_id).runs] == [found.runs[1].id]
    assert client.runs(created_after=found.runs[0].created_at, sweep_id=queued.sweep_id).total == 0
    assert client.runs(dataset_id="nothing").runs == []
    by_seed = client.runs(sweep_id=queued.sweep_id, sort_by="seed", ascending=True)
    assert [run.seed for run in by_seed.runs] == [3, 3, 4, 4]
    by_loss = client.runs(sweep_id=queued.sweep_id, sort_by="train_loss")
    losses = [by_loss.metrics[run.id]["train_loss"] for run in by_loss.runs]
    assert losses == sorted(losses, reverse=True)
    compared = client.compare_runs(ids[:2], ["train_loss"], limit=10)
    assert compared.differing["seed"] == dict(zip(ids, [3, 4], strict=False))
    assert set(compared.metrics) == {"train_loss"}
    assert {len(series.step) for series in compared.metrics["train_loss"].values()} == {10}
    assert set(client.compare_runs(ids[1:3]).differing) >= {"seed", "params.output_epochs"}


def test_a_run_is_read_annotated_and_deleted(client: JuniperCascorClient) -> None:
    """Its metrics are columns; its notes and tags are whatever somebody wrote last."""
    run_id = grown(client)
    metrics = client.run_metrics(run_id, ["train_loss", "hidden_units"], after=10, limit=5)
    assert set(metrics.series) == {"train_loss", "hidden_units"}
    assert metrics.series["train_loss"].step == [11, 12, 13, 14, 15]
    assert {"train_accuracy", "score"} <= set(client.run_metrics(run_id).series)
    assert client.run(run_id).metrics["hidden_units"] == 2
    assert client.annotate_run(run_id, AnnotateRun(notes="good")).notes == "good"
    assert client.annotate_run(run_id, AnnotateRun(tags=["keep"])).notes == "good"
    assert client.run(run_id).tags == ["keep"]
    client.delete_run(run_id)
    with pytest.raises(NotFoundError, match=run_id):
        client.run(run_id)


def test_one_run_is_commanded(client: JuniperCascorClient) -> None:
    """Of several; one that waits leaves the queue, and one that is active is not deleted."""
    first, second = (run.id for run in client.post_runs(StartRuns(dataset=XOR, params=PACED.params, seeds=[1, 2])).runs)
    assert client.command_run(first, "pause").run_id == first
    assert client.run(second).status == "QUEUED"
    assert client.worker_stats().waiting_runs == 1
    assert client.command_run(second, "stop").status == "STOPPED"
    with pytest.raises(ConflictError, match="stop it first"):
        client.delete_run(first)
    assert client.command_run(first, "resume").status == "STARTED"
    assert client.command_run(first, "stop").status == "STOPPED"


def test_workers_host_and_logs(client: JuniperCascorClient) -> None:
    """What the service says of itself."""
    run_id = client.start(PACED).run_id
    (worker,) = client.workers().workers
    assert (worker.run_id, client.worker(worker.id).id) == (run_id, worker.id)
    stats = client.worker_stats()
    assert (stats.total, stats.busy, stats.idle, stats.waiting_runs) == (1, 1, 0, 0)
    with pytest.raises(NotFoundError, match="no worker nobody"):
        client.worker("nobody")
    assert client.readiness().service == "juniper-cascor"
    assert client.host().service == "juniper-cascor"
    page = client.logs(0, level="WARNING", limit=3)
    assert len(page.records) <= 3
    assert page.next_since >= 0


def test_one_run_at_a_time_is_in_the_foreground(client: JuniperCascorClient) -> None:
    """What the active run would not bear is refused, each with its reason."""
    client.start(PACED)
    client.command("pause")
    calls: dict[str, Callable[[], object]] = {
        "start": lambda: client.start(SMALL),
        "create a network": lambda: client.create_network(),
        "delete the network": lambda: client.delete_network(),
        "reset": lambda: client.command("reset"),
        "edit the network": lambda: client.remove_hidden_unit(0),
        "pause": lambda: client.command("pause"),
    }
    for what, call in calls.items():
        with pytest.raises(ConflictError, match=f"cannot {what}: training is PAUSED"):
            call()


def test_wrong_fields_are_named(client: JuniperCascorClient) -> None:
    """By their paths, in the message and in the detail."""
    with pytest.raises(InvalidRequestError, match=r"params\.candidate_pool_size|candidate_pool_size") as refused:
        client.start(StartTraining(params=RunParameters(candidate_pool_size=0)))
    assert refused.value.status == 422
    assert isinstance(refused.value.detail, list)
    with pytest.raises(InvalidRequestError, match="resolution"):
        client.decision_boundary(1)
    with pytest.raises(InvalidRequestError, match="count"):
        client.history(0)
    with pytest.raises(InvalidRequestError, match="ids"):
        client.compare_runs(["one"])
    with pytest.raises(InvalidRequestError, match="generator") as unknown:
        client.start(StartTraining(dataset=DatasetSource(generator="nothing")))
    assert unknown.value.status == 400
    client.create_network(CreateNetwork(input_size=5))
    with pytest.raises(InvalidRequestError, match="the data has 2 inputs"):
        client.start(StartTraining(dataset=XOR))


def test_what_there_is_not(client: JuniperCascorClient) -> None:
    """Runs, snapshots and datasets are looked for, and not found."""
    calls: list[Callable[[], object]] = [
        lambda: client.run("nothing"),
        lambda: client.status(run_id="nothing"),
        lambda: client.run_metrics("nothing"),
        lambda: client.annotate_run("nothing", AnnotateRun(notes="")),
        lambda: client.delete_run("nothing"),
        lambda: client.command_run("nothing", "stop"),
        lambda: client.compare_runs(["nothing", "either"]),
        lambda: client.restore_snapshot("nothing"),
        lambda: client.run("../network"),
        lambda: client.start(StartTraining(dataset=DatasetSource(dataset_id="xor-1.0.0-0000000000000000"))),
        client.metrics,
        client.dataset,
        client.dataset_data,
        client.decision_boundary,
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            call()
