"""The clients of the training service, against the real service and the fake: both do the same in every call."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.snapshots import parsed
from juniper_common.http import ConflictError, InvalidRequestError, NotFoundError
from juniper_common.wire.editing import AddHiddenUnit, ChangeHiddenUnit, ChangeWeights
from juniper_common.wire.models import PromoteModel
from juniper_common.wire.runs import AnnotateRun, StartRuns
from juniper_common.wire.snapshots import ReplayRequest, ResumeSnapshot, RetrainSnapshot
from juniper_common.wire.training import (
    ChangeParameters,
    CreateNetwork,
    DatasetSource,
    InlineData,
    RunParameters,
    StartTraining,
    SwapDataset,
)
from tests.contract.cascor_world import PACED, SMALL, XOR, World, at_rest, awaited


@pytest.fixture(params=["threads", "event loop"])
def client(world: World, request: pytest.FixtureRequest) -> Iterator[JuniperCascorClient]:
    """One of its clients, with nothing running."""
    way: AbstractContextManager[JuniperCascorClient] = (
        world.client() if request.param == "threads" else awaited(world.async_client)
    )
    with way as client:
        at_rest(client)
        yield client


def grown(client: JuniperCascorClient) -> str:
    """Grow a network to its end; the run's id."""
    run_id = client.start(SMALL).run_id
    assert client.wait(run_id, timeout_s=60).status == "COMPLETED"
    return run_id


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
    run_id = client.start(PACED).run_id
    assert client.command("pause").status == "PAUSED"
    status = client.status()
    assert (status.run_id, status.state_machine.status, status.training_active) == (run_id, "PAUSED", True)
    assert client.status(run_id=run_id) == status
    changed = client.change(ChangeParameters(pace=None, learning_rate=0.1))
    assert (changed.pace, changed.params["learning_rate"]) == (None, 0.1)
    assert client.params(run_id=run_id) == changed
    assert client.command("resume", run_id=run_id).status == "STARTED"
    run = client.wait(run_id, timeout_s=60)
    assert (run.status, run.outcome, run.hidden_units) == ("COMPLETED", "max_hidden_units", 2)
    assert [change.params for change in run.changes] == [{"learning_rate": 0.1}]
    changes = [change.status for change in run.state_changes]
    assert (changes[0], changes[-1]) == ("QUEUED", "COMPLETED")
    assert "PAUSED" in changes
    assert client.status().training_state.outcome == "max_hidden_units"


def test_a_run_is_stopped(client: JuniperCascorClient) -> None:
    """It is over then, and a reset forgets it but for its record."""
    run_id = client.start(PACED).run_id
    assert client.command("stop").status == "STOPPED"
    assert client.run(run_id).reason == "stopped by command"
    assert client.command("reset").status == "STOPPED"
    assert not client.status().network_loaded
    assert client.run(run_id).status == "STOPPED"


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


def test_snapshots_are_listed_read_and_kept(client: JuniperCascorClient, tmp_path: Path) -> None:
    """One for each unit and the end; the file is a snapshot of the same network."""
    run_id = grown(client)
    listed = client.snapshots(run_id=run_id)
    assert [info.hidden_units for info in listed.snapshots] == [2, 2, 1]
    assert listed.total == client.snapshots(run_id=run_id, state="whole").total == 3
    newest = listed.snapshots[0]
    detail = client.snapshot(newest.id)
    assert detail.card is not None
    assert detail.network is not None
    assert (detail.card.run_id, detail.network.hidden_units, detail.can_resume) == (run_id, 2, True)
    client.download_snapshot(newest.id, tmp_path / "kept.h5")
    content = (tmp_path / "kept.h5").read_bytes()
    kept = parsed(content, "kept.h5")
    assert (kept.card.run_id, kept.network.n_hidden_units) == (run_id, 2)
    assert kept.network.output_weights[:, 1:].tolist() == client.topology().output_weights
    assert len(kept.metrics["epoch"]) == newest.epoch
    assert [path.name for path in tmp_path.iterdir()] == ["kept.h5"]
    client.delete_snapshot(newest.id)
    with pytest.raises(NotFoundError, match="there is no snapshot"):
        client.snapshot(newest.id)
    with pytest.raises(NotFoundError):
        client.download_snapshot(newest.id, tmp_path / "other.h5")
    assert not (tmp_path / "other.h5").exists()


def test_a_snapshot_is_taken(client: JuniperCascorClient) -> None:
    """Of what is loaded, whether it was trained or not; where nothing is, there is nothing to take."""
    with pytest.raises(NotFoundError):
        client.take_snapshot()
    client.create_network()
    taken = client.take_snapshot()
    assert (taken.hidden_units, taken.state, taken.can_resume) == (0, "whole", False)
    with pytest.raises(ConflictError, match="holds no state"):
        client.resume_snapshot(taken.id)
    assert client.replay_snapshot(taken.id).length == 1
    client.control_replay("stop")
    client.delete_snapshot(taken.id)


def test_a_snapshot_of_an_active_run_stays(client: JuniperCascorClient) -> None:
    """It is needed: the run might go on from it."""
    client.start(PACED)
    client.command("pause")
    taken = client.take_snapshot()
    assert taken.can_resume
    with pytest.raises(ConflictError, match="is active"):
        client.delete_snapshot(taken.id)


def test_training_goes_on_from_snapshots(client: JuniperCascorClient) -> None:
    """Restored, resumed, or grown on from: each by its own call, and its record says from what."""
    run_id = grown(client)
    first = client.snapshots(run_id=run_id).snapshots[-1]
    client.command("reset")
    assert client.restore_snapshot(first.id).hidden_units == 1
    assert client.status().state_machine.status == "RESUME_READY"
    again = client.command("resume").run_id
    assert again is not None
    ended = client.wait(again, timeout_s=60)
    assert (ended.origin, ended.parent_snapshot_id, ended.hidden_units) == ("resume", first.id, 2)
    resumed = client.resume_snapshot(first.id, ResumeSnapshot(params=ChangeParameters(pace=20)))
    client.command("stop")
    assert client.run(resumed.run_id).origin == "resume"
    more = RetrainSnapshot(params=RunParameters(seed=5, pace=20), notes="more", tags=["t"])
    retrained = client.retrain_snapshot(first.id, more)
    client.command("stop")
    record = client.run(retrained.run_id)
    assert (record.origin, record.parent_snapshot_id, record.notes, record.seed) == ("grow_on", first.id, "more", 5)


def test_a_growth_is_replayed(client: JuniperCascorClient) -> None:
    """Paused, sought, paced, played and stopped, while the network shown follows."""
    run_id = grown(client)
    newest = client.snapshots(run_id=run_id).snapshots[0]
    with pytest.raises(NotFoundError, match="nothing is replayed"):
        client.replay()
    begun = client.replay_snapshot(newest.id, ReplayRequest(paused=True))
    assert (begun.run_id, begun.position, begun.length, begun.hidden_units, begun.is_playing) == (
        run_id,
        0,
        3,
        1,
        False,
    )
    assert client.status().state_machine.status == "REPLAYING"
    assert len(client.topology().hidden_units) == 1
    assert client.control_replay("seek", position=2).hidden_units == 2
    assert len(client.topology().hidden_units) == 2
    with pytest.raises(InvalidRequestError, match="position"):
        client.control_replay("seek", position=9)
    assert client.control_replay("speed", speed=0.01).speed == 0.01
    assert client.control_replay("seek", position=0).position == 0
    assert client.control_replay("play").is_playing
    assert not client.control_replay("pause").is_playing
    assert client.replay().position == 0
    with pytest.raises(ConflictError, match="training is REPLAYING"):
        client.start(SMALL)
    client.control_replay("stop")
    with pytest.raises(NotFoundError, match="nothing is replayed"):
        client.control_replay("play")


def test_networks_are_asked(client: JuniperCascorClient) -> None:
    """In the foreground, by run and by snapshot."""
    run_id = grown(client)
    rows = client.dataset_data().train_x[:3]
    answer = client.predict(rows)
    assert (answer.task, answer.hidden_units, answer.model, len(answer.scores)) == ("classification", 2, run_id, 3)
    newest = client.snapshots(run_id=run_id).snapshots[0].id
    assert client.predict(rows, run_id=run_id) == answer.model_copy(update={"model": newest})
    assert client.predict(rows, snapshot_id=newest).scores == answer.scores
    with pytest.raises(InvalidRequestError, match=r"rows\.0: has 1 values, the network takes 2"):
        client.predict([[1.0]])
    with pytest.raises(NotFoundError, match="no snapshot"):
        client.predict(rows, run_id="nothing")


def test_models_are_promoted_asked_and_rolled_back(client: JuniperCascorClient) -> None:
    """A name answers with its newest version, or the one before; each has its card."""
    run_id = grown(client)
    first = client.promote_model("flowers", PromoteModel(run_id=run_id, notes="a"))
    assert (first.version, first.is_current, first.run_id, first.hidden_units) == (1, True, run_id, 2)
    earliest = client.snapshots(run_id=run_id).snapshots[-1].id
    assert client.promote_model("flowers", PromoteModel(snapshot_id=earliest)).version == 2
    info = client.model("flowers")
    assert [(version.version, version.is_current) for version in info.versions] == [(2, True), (1, False)]
    assert client.models().models == [info]
    assert client.model_version("flowers", 1).notes == "a"
    answer = client.predict_by_model("flowers", client.dataset_data().train_x[:2])
    assert (answer.model, answer.hidden_units) == ("flowers/2", 1)
    assert client.roll_back_model("flowers").version == 1
    with pytest.raises(ConflictError, match="no version before 1"):
        client.roll_back_model("flowers")
    with pytest.raises(NotFoundError, match="no version 9"):
        client.model_version("flowers", 9)
    with pytest.raises(InvalidRequestError, match="name"):
        client.promote_model("Flowers", PromoteModel(run_id=run_id))
    assert client.delete_model("flowers").name == "flowers"
    for call in (client.model, client.delete_model, client.roll_back_model):
        with pytest.raises(NotFoundError, match="there is no model 'flowers'"):
            call("flowers")


def test_workers_host_and_logs(client: JuniperCascorClient) -> None:
    """What the service says of itself."""
    run_id = client.start(PACED).run_id
    (worker,) = client.workers().workers
    assert (worker.run_id, client.worker(worker.id).id) == (run_id, worker.id)
    stats = client.worker_stats()
    assert (stats.total, stats.busy, stats.idle, stats.waiting_runs) == (1, 1, 0, 0)
    with pytest.raises(NotFoundError, match="no worker nobody"):
        client.worker("nobody")
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
