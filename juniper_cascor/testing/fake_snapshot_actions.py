"""What the fake service makes of snapshots. It decides as `juniper_cascor.runs.snapshot_actions`."""

import time
from dataclasses import replace

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run, views
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_cascor.runs.snapshot_catalogue import can_resume
from juniper_cascor.runs.stage import spec_of
from juniper_cascor.snapshots import METRICS
from juniper_cascor.testing import fake_datasets
from juniper_cascor.testing.fake_datasets import FakeDatasets
from juniper_cascor.testing.fake_foreground import FakeForeground
from juniper_cascor.testing.fake_replay import FakeReplay
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_runs import ON_RESTART, FakeRuns
from juniper_cascor.testing.fake_snapshots import STATE, FakeSnapshots, KeptSnapshot
from juniper_common.errors import ConflictError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import ReplayRequest, ReplayStatus, ResumeSnapshot, RetrainSnapshot, SnapshotInfo
from juniper_common.wire.training import DecisionBoundary, NetworkSummary, OnRestart, RunParameters


class FakeSnapshotActions:
    """Networks that are loaded, trainings that go on, growths that are shown again.

    Args:
        foreground: where a network is loaded, and runs are shown.
        runs: all of them.
        snapshots: all of them.
        datasets: finds what is trained on.
    """

    def __init__(
        self, foreground: FakeForeground, runs: FakeRuns, snapshots: FakeSnapshots, datasets: FakeDatasets
    ) -> None:
        self._foreground = foreground
        self._runs = runs
        self._snapshots = snapshots
        self._datasets = datasets

    def take(self) -> SnapshotInfo:
        """Keep the network as it stands. Raises NotFoundError, ConflictError."""
        stage, run = self._foreground.stage, self._foreground.run
        if stage.replay is not None:
            raise ConflictError("cannot take a snapshot: what is replayed is kept already")
        kept, place = stage.as_snapshot(), f"network-{self._runs.new_id()}"
        if run is not None and run.state.is_active:
            place = run.run_id
            rows = run.trainer.rows(-1, run.state.epoch)
            kept = replace(kept, state=STATE, metrics={name: rows[name] for name in METRICS})
        elif run is not None and stage.network is None:
            newest = [own.content for own in self._snapshots.of_run(run.run_id)[-1:]]
            kept = next((own for own in newest if own.card.epoch == kept.card.epoch), kept)
        return self._snapshots.keep(replace(kept, card=kept.card.model_copy(update={"run_id": place}))).info

    def decision_boundary(self, snapshot_id: str, resolution: int, features: tuple[int, int]) -> DecisionBoundary:
        """What a snapshot's network answers. Raises NotFoundError, ConflictError, UnprocessableError."""
        content = self._snapshots.find(snapshot_id).content
        if content.card.dataset_checksum is None:
            message = f"snapshot {snapshot_id} does not say what it was trained on"
            raise ConflictError(message, (FieldProblem(loc=["dataset"], msg=message),))
        x = fake_datasets.of_card(content.card).found.data.x
        return views.decision_boundary(content.network, x, resolution, features, content.card.run_id)

    def restore(self, snapshot_id: str) -> NetworkSummary:
        """Load a snapshot's network. Raises NotFoundError, ConflictError."""
        self._foreground.check_idle("restore a snapshot")
        content = self._snapshots.find(snapshot_id).content
        spec = spec_of(snapshot_id, content.card, content.network)
        self._foreground.load(spec, snapshot_id, content)
        return spec.summary(content.network)

    def resume(self, snapshot_id: str, request: ResumeSnapshot) -> FakeRun:
        """Go on where a snapshot's run was. Raises NotFoundError, ConflictError."""
        card = self._snapshots.find(snapshot_id).content.card
        changed = network_spec.changed(network_spec.from_json(card.parameters), request.params, ("params",))
        return self._resume(snapshot_id, changed, request.params.pace, request.on_restart)

    def resume_restored(self) -> FakeRun:
        """The same, for the snapshot that was restored, with what was set since. Raises as `resume`."""
        stage = self._foreground.stage
        return self._resume(str(stage.snapshot_id), stage.loaded_spec().parameters)

    def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> FakeRun:
        """Grow on from a snapshot's network. Raises NotFoundError, ConflictError, UnprocessableError."""
        self._check_free("retrain")
        content = self._snapshots.find(snapshot_id).content
        spec = spec_of(snapshot_id, content.card, content.network)
        parameters = new_run.run_parameters(spec.parameters, request.params, request.epochs)
        new_run.check_grows_on(content.network, parameters)
        is_named = request.dataset or request.inline_data
        dataset = self._datasets.asked_for(request) if is_named else fake_datasets.of_card(content.card)
        new_run.check_shape(spec, dataset.found, "retraining keeps the network")
        new_run.check_classes(parameters, dataset.found)
        record = new_run.new_record(
            parameters,
            request.params,
            dataset.found,
            on_restart=request.on_restart or ON_RESTART,
            origin="grow_on",
            parent_snapshot_id=snapshot_id,
        ).model_copy(update={"notes": request.notes, "tags": list(request.tags)})
        return self._runs.launch(self._runs.add(record, dataset, replace(spec, parameters=parameters)))

    def replay(self, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of a snapshot's run. Raises NotFoundError, ConflictError."""
        self._foreground.check_idle("replay")
        run_id = str(self._snapshots.find(snapshot_id).content.card.run_id)
        frames = [kept.frame for kept in self._snapshots.of_run(run_id)]
        position = 0 if request.from_start else [frame.snapshot_id for frame in frames].index(snapshot_id)
        player = ReplayPlayer(len(frames), position, request.speed)
        if not (request.paused or player.is_at_end):
            player = player.played(time.monotonic())
        replay = FakeReplay(run_id, frames, player)
        self._foreground.end_replay()
        self._foreground.show_replay(replay)
        return replay.status()

    def check_unused(self, kept: KeptSnapshot) -> None:
        """Raise ConflictError where a snapshot's run waits or trains."""
        run = self._runs.by_id.get(str(kept.content.card.run_id))
        if run is not None and not run.state.is_over:
            message = f"run {run.run_id} is active: stop it first"
            raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))

    def _check_free(self, what: str) -> None:
        self._foreground.check_idle(what)
        self._runs.check_free()

    def _resume(
        self, snapshot_id: str, changed: Parameters, pace: float | None = None, on_restart: OnRestart | None = None
    ) -> FakeRun:
        self._check_free("resume")
        content = self._snapshots.find(snapshot_id).content
        card, spec = content.card, spec_of(snapshot_id, content.card, content.network)
        if not can_resume(content):
            why = f"a training that has ended ({card.outcome})" if content.state else "no state of a training"
            message = f"snapshot {snapshot_id} holds {why}; retrain grows on from its network"
            raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))
        dataset = fake_datasets.of_card(card)
        record = new_run.new_record(
            spec.parameters,
            RunParameters(seed=card.seed, pace=pace),
            dataset.found,
            on_restart=on_restart or ON_RESTART,
            origin="resume",
            parent_snapshot_id=snapshot_id,
        ).model_copy(update={"backend": card.backend, "epochs": card.epoch, "hidden_units": card.hidden_units})
        changes = new_run.changes_between(spec.parameters, changed, card.epoch)
        return self._runs.launch(self._runs.add(record, dataset, spec, changes))
