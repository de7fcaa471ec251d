"""Snapshots, replays and named models, by the clients: the real service and the fake do the same in every call."""

from collections.abc import Callable
from pathlib import Path

import pytest

from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.snapshots import parsed
from juniper_common.http import ConflictError, InvalidRequestError, NotFoundError
from juniper_common.wire.models import PromoteModel
from juniper_common.wire.snapshots import ReplayRequest, ResumeSnapshot, RetrainSnapshot
from juniper_common.wire.training import (
    ChangeParameters,
    RunParameters,
    StartTraining,
)
from tests.contract.cascor_world import PACED, SMALL, grown


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
    assert (detail.card.run_id, detail.network.hidden_units, detail.can_resume) == (run_id, 2, False)
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


def test_a_snapshot_shows_its_boundary(client: JuniperCascorClient) -> None:
    """As the network stood then; the last one's is the run's own, on the same grid."""
    run_id = grown(client)
    last, _, first = client.snapshots(run_id=run_id).snapshots
    shown = client.decision_boundary(6)
    assert client.snapshot_boundary(last.id, 6) == shown
    earlier = client.snapshot_boundary(first.id, 6)
    assert (earlier.hidden_units, earlier.run_id, earlier.grid_x) == (1, run_id, shown.grid_x)
    turned = client.snapshot_boundary(first.id, 6, x_feature=1, y_feature=0)
    assert (turned.features, turned.x_range) == ((1, 0), shown.y_range)
    with pytest.raises(InvalidRequestError, match="y_feature"):
        client.snapshot_boundary(first.id, 6, y_feature=2)
    with pytest.raises(InvalidRequestError, match="resolution"):
        client.snapshot_boundary(first.id, 201)
    with pytest.raises(NotFoundError, match="there is no snapshot"):
        client.snapshot_boundary("nothing")
    client.create_network()
    with pytest.raises(ConflictError, match="does not say what it was trained on"):
        client.snapshot_boundary(client.take_snapshot().id)


def test_a_snapshot_is_taken(client: JuniperCascorClient) -> None:
    """Of what is loaded, whether it was trained or not; where nothing is, there is nothing to take."""
    with pytest.raises(NotFoundError):
        client.take_snapshot()
    client.create_network()
    taken = client.take_snapshot()
    assert (taken.hidden_units, taken.state, taken.can_resume) == (0, "whole", False)
    with pytest.raises(ConflictError, match="holds no state of a training; retrain grows on"):
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
    assert client.control_replay("stop").position == 0
    assert client.status().state_machine.status == "COMPLETED"
    with pytest.raises(NotFoundError, match="nothing is replayed"):
        client.control_replay("play")


def test_what_would_change_what_is_replayed_is_refused(client: JuniperCascorClient) -> None:
    """With what to do; what shows something else ends the replay, where it is not refused itself."""
    newest = client.snapshots(run_id=grown(client)).snapshots[0]
    client.replay_snapshot(newest.id, ReplayRequest(paused=True))
    calls: list[Callable[[], object]] = [
        lambda: client.remove_hidden_unit(0),
        lambda: client.change(ChangeParameters(patience=7)),
        lambda: client.command("pause"),
        lambda: client.command("resume"),
        lambda: client.command("stop"),
    ]
    for call in calls:
        with pytest.raises(ConflictError, match=r"while a growth is replayed; stop the replay first"):
            call()
    with pytest.raises(ConflictError, match="what is replayed is kept already"):
        client.take_snapshot()
    with pytest.raises(ConflictError, match="has ended"):
        client.resume_snapshot(newest.id)
    with pytest.raises(InvalidRequestError, match="candidate_pool_size"):
        client.start(StartTraining(params=RunParameters(candidate_pool_size=0)))
    assert client.replay().position == 0
    assert client.status().state_machine.status == "REPLAYING"


@pytest.mark.parametrize("what", ["start", "restore", "resume", "retrain", "create", "delete", "reset"])
def test_what_shows_something_else_ends_a_replay(client: JuniperCascorClient, what: str) -> None:
    """Nothing is lost by its end."""
    newest, *_, first = client.snapshots(run_id=grown(client)).snapshots
    client.replay_snapshot(newest.id, ReplayRequest(paused=True))
    calls: dict[str, Callable[[], object]] = {
        "start": lambda: client.start(SMALL),
        "restore": lambda: client.restore_snapshot(first.id),
        "resume": lambda: client.resume_snapshot(first.id),
        "retrain": lambda: client.retrain_snapshot(first.id),
        "create": lambda: client.create_network(),
        "delete": lambda: client.delete_network(),
        "reset": lambda: client.command("reset"),
    }
    calls[what]()
    with pytest.raises(NotFoundError, match="nothing is replayed"):
        client.replay()
    assert client.status().state_machine.status != "REPLAYING"


def test_a_training_that_has_ended_is_not_resumed(client: JuniperCascorClient) -> None:
    """Its last snapshot is shown as it is, and grown on from."""
    last = client.snapshots(run_id=grown(client)).snapshots[0]
    assert not last.can_resume
    with pytest.raises(ConflictError, match="retrain grows on"):
        client.resume_snapshot(last.id)
    client.restore_snapshot(last.id)
    assert client.status().state_machine.status == "STOPPED"
    assert len(client.history(10_000)) == last.epoch == client.status().monitor.current_epoch
    assert client.dataset().dataset_id == client.status().dataset_id is not None
    with pytest.raises(ConflictError, match="cannot resume: training is STOPPED"):
        client.command("resume")


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
    with pytest.raises(NotFoundError, match="no snapshot of run nothing"):
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
