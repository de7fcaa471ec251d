"""What is made of snapshots: networks that are loaded, trainings that go on, growths that are shown again."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from juniper_cascor.engine.backend import BACKENDS
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run, snapshot_catalogue, snapshot_folder, views
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.runs import NewRun
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.snapshot_files import printable
from juniper_cascor.runs.stage import spec_of
from juniper_cascor.snapshots import Card, Snapshot
from juniper_common.errors import ConflictError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import (
    ReplayCommand,
    ReplayRequest,
    ReplayStatus,
    ResumeSnapshot,
    RetrainSnapshot,
    SnapshotInfo,
)
from juniper_common.wire.training import (
    DecisionBoundary,
    NetworkSummary,
    OnRestart,
    RunParameters,
    TrainingStarted,
)


class SnapshotActions:
    """Fulfils the protocol of `api.snapshots`.

    Args:
        folder: where the snapshots stand.
        foreground: where a network is loaded, and runs are shown.
        datasets: where data comes from.
        on_restart: what becomes of an interrupted run where nothing is said.
    """

    def __init__(self, folder: Path, foreground: Foreground, datasets: Datasets, on_restart: OnRestart) -> None:
        self._folder = folder
        self._foreground = foreground
        self._datasets = datasets
        self._on_restart = on_restart

    async def take(self) -> SnapshotInfo:
        """Keep the network and its training as they stand. Raises NotFoundError, ConflictError, UnavailableError."""
        stage = self._foreground.stage
        if stage.replay is not None:
            raise ConflictError("cannot take a snapshot: what is replayed is kept already")
        if stage.session is not None and stage.session.state.is_active:
            snapshot_id = await stage.session.take_snapshot()
        else:
            kept = await self._as_it_stands()
            # A folder of its own: a network that was edited must not stand among its run's snapshots.
            place = f"network-{new_run.new_id(time.time())}"
            placed = replace(kept, card=kept.card.model_copy(update={"run_id": place}))
            path = await asyncio.to_thread(snapshot_folder.write, self._folder, placed)
            snapshot_id = f"{place}.{path.stem}"
        return await asyncio.to_thread(snapshot_catalogue.info, self._folder, snapshot_id)

    async def decision_boundary(self, snapshot_id: str, resolution: int, features: tuple[int, int]) -> DecisionBoundary:
        """What the snapshot's network answers on a grid over two features of what it was trained on.

        Raises:
            NotFoundError, UnavailableError: there is no such snapshot, or its data is nowhere.
            ConflictError: the file is no whole snapshot, or does not say what it was trained on.
            UnprocessableError: the network has no such features, or the data has others.
        """
        snapshot = await self._opened(snapshot_id)
        card, network = snapshot.card, snapshot.network
        found = await self._datasets.kept(*_dataset(card, snapshot_id))
        new_run.check_shape(spec_of(snapshot_id, card, network), found, "the snapshot names other data")
        return await asyncio.to_thread(
            views.decision_boundary, network, found.data.x, resolution, features, card.run_id
        )

    async def restore(self, snapshot_id: str) -> NetworkSummary:
        """Load the snapshot's network in place of the one that is loaded. Raises NotFoundError, ConflictError."""
        async with self._foreground.lock:
            self._foreground.check_idle("restore a snapshot")
            snapshot = await self._opened(snapshot_id)
            spec = spec_of(snapshot_id, snapshot.card, snapshot.network)
            await self._foreground.load(spec, snapshot, snapshot_id)
            return spec.summary(snapshot.network)

    async def resume(self, snapshot_id: str, request: ResumeSnapshot) -> TrainingStarted:
        """Start a run that goes on where the snapshot's was.

        Raises:
            NotFoundError: there is no such snapshot, or its data is nowhere.
            ConflictError: a run is active, or it holds no training that could go on.
            UnprocessableError: a parameter cannot be.
        """
        snapshot = await self._opened(snapshot_id)
        parameters = spec_of(snapshot_id, snapshot.card, snapshot.network).parameters
        changed = network_spec.changed(parameters, request.params, ("params",))
        return started(await self._resume(snapshot_id, snapshot, changed, request.params.pace, request.on_restart))

    async def resume_restored(self) -> Session:
        """The same, for the snapshot that was restored, with what was set since. Raises as `resume`."""
        stage = self._foreground.stage
        if stage.snapshot is None or stage.snapshot_id is None:
            raise ConflictError(f"cannot resume: training is {stage.status}")
        return await self._resume(stage.snapshot_id, stage.snapshot, stage.loaded_spec().parameters)

    async def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> TrainingStarted:
        """Start a run that grows on from the snapshot's network, on its data or on other.

        Raises:
            NotFoundError: there is no such snapshot, or its data is nowhere.
            ConflictError: a run is active, or it does not say what it was trained on, and the request does not either.
            UnprocessableError: a parameter or the data cannot be.
        """
        self._foreground.check_free("retrain")
        snapshot = await self._opened(snapshot_id)
        spec = spec_of(snapshot_id, snapshot.card, snapshot.network)
        parameters = new_run.run_parameters(spec.parameters, request.params, request.epochs)
        new_run.check_grows_on(snapshot.network, parameters)
        if request.dataset or request.inline_data:
            found = await self._datasets.find(request, parameters.task)
        else:
            found = await self._datasets.kept(*_dataset(snapshot.card, snapshot_id))
        new_run.check_shape(spec, found, "retraining keeps the network")
        new_run.check_classes(parameters, found)
        record = new_run.new_record(
            parameters,
            request.params,
            found,
            on_restart=request.on_restart or self._on_restart,
            origin="grow_on",
            parent_snapshot_id=snapshot_id,
        )
        record = record.model_copy(update={"notes": request.notes, "tags": list(request.tags)})
        return started(await self._launch("retrain", NewRun(record, replace(spec, parameters=parameters), snapshot)))

    async def replay(self, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of the snapshot's run to the watchers. Raises NotFoundError, ConflictError."""
        return await self._foreground.replay(self._folder, snapshot_id, request)

    async def replay_control(self, command: ReplayCommand) -> ReplayStatus:
        """Command the replay. Raises NotFoundError where there is none, UnprocessableError."""
        return await self._foreground.replay_control(command)

    def replay_status(self) -> ReplayStatus:
        """Where the replay stands. Raises NotFoundError where there is none."""
        return self._foreground.replaying().status()

    async def _as_it_stands(self) -> Snapshot:
        """The loaded network, with its training where that was kept and nothing was edited since."""
        stage = self._foreground.stage
        loaded = stage.as_snapshot()
        if stage.session is not None and stage.network is None:
            newest = await asyncio.to_thread(snapshot_folder.newest, self._folder, stage.session.run_id)
            if newest is not None and newest.card.epoch == loaded.card.epoch:
                return newest
        return loaded

    async def _resume(
        self,
        snapshot_id: str,
        snapshot: Snapshot,
        changed: Parameters,
        pace: float | None = None,
        on_restart: OnRestart | None = None,
    ) -> Session:
        self._foreground.check_free("resume")
        card, spec = snapshot.card, spec_of(snapshot_id, snapshot.card, snapshot.network)
        _check_can_go_on(snapshot_id, snapshot)
        found = await self._datasets.kept(*_dataset(card, snapshot_id))
        new_run.check_shape(spec, found, "the snapshot names other data")
        record = new_run.new_record(
            spec.parameters,
            RunParameters(seed=card.seed, pace=pace),
            found,
            on_restart=on_restart or self._on_restart,
            origin="resume",
            parent_snapshot_id=snapshot_id,
        ).model_copy(update={"backend": card.backend, "epochs": card.epoch, "hidden_units": card.hidden_units})
        changes = new_run.changes_between(spec.parameters, changed, card.epoch)
        return await self._launch("resume", NewRun(record, spec, snapshot, changes))

    async def _launch(self, what: str, new: NewRun) -> Session:
        """Begin a run. Raises ConflictError where another one has begun while the data was fetched."""
        async with self._foreground.lock:
            self._foreground.check_free(what)
            return await self._foreground.launch(new)

    async def _opened(self, snapshot_id: str) -> Snapshot:
        return await asyncio.to_thread(snapshot_catalogue.opened, self._folder, snapshot_id)


def started(session: Session) -> TrainingStarted:
    """The answer to whatever starts a run."""
    return TrainingStarted(timestamp=session.record.created_at, run_id=session.run_id)


def _check_can_go_on(snapshot_id: str, snapshot: Snapshot) -> None:
    card = snapshot.card
    if not snapshot.state:
        why = "holds no state of a training"
    elif card.outcome is not None:
        why = f"holds a training that has ended ({printable(card.outcome)})"
    elif card.backend not in BACKENDS:
        why = f"was trained by a back end that is unknown here ({printable(card.backend)})"
    else:
        return
    message = f"snapshot {snapshot_id} {why}; retrain grows on from its network"
    raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))


def _dataset(card: Card, snapshot_id: str) -> tuple[str | None, str]:
    if card.dataset_checksum is None:
        message = f"snapshot {snapshot_id} does not say what it was trained on"
        raise ConflictError(message, (FieldProblem(loc=["dataset"], msg=message),))
    return card.dataset_id, card.dataset_checksum
