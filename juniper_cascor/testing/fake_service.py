"""The training service in memory: no trainer, no network, no disk. What it says was recorded of the real one.

Nothing trains by itself: `advance_epoch` lets the runs that train come further. A run plays the recording of its kind
(`xor` where its dataset is named so, else the two spirals), whatever data and parameters were sent; it ends earlier
where it was given fewer hidden units or epochs than the recorded run had.
"""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run
from juniper_cascor.runs.datasets import DEMO, AsksForData, FoundDataset
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_cascor.runs.state_machine import Command, CommandNotAllowedError
from juniper_cascor.testing import recording
from juniper_cascor.testing.fake_foreground import FakeForeground, FakeReplay
from juniper_cascor.testing.fake_models import FakeModels
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_snapshots import FakeSnapshots, KeptSnapshot
from juniper_cascor.testing.hub import Hub
from juniper_cascor.testing.recording import Recording, RecordingName
from juniper_common.errors import BadRequestError, ConflictError, NotFoundError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunRecord, RunsQueued, StartRuns
from juniper_common.wire.snapshots import ReplayRequest, ReplayStatus, ResumeSnapshot, RetrainSnapshot, SnapshotInfo
from juniper_common.wire.training import (
    CreateNetwork,
    DatasetSource,
    NetworkSummary,
    PhaseName,
    RunParameters,
    StartTraining,
    Status,
    SwapDataset,
)

Scenario = Literal["idle", "two_spiral_training", "xor_converged", "empty", "error_prone"]

_GENERATORS: dict[str, RecordingName] = {"xor": "xor", "spiral": "two_spirals", "cmu_spirals": "two_spirals"}
_NAMES: tuple[RecordingName, ...] = ("two_spirals", "xor")
_UNDER_WAY = 190
"""Two of the six hidden units of the two spirals are installed by then."""


class FakeCascorService:
    """One service, for as many clients and streams as a test needs.

    Args:
        scenario: what stands there. `empty`: nothing at all. `idle`: two runs that are over, no network.
            `two_spiral_training`, and `error_prone` too: a run in its midst. `xor_converged`: a run that has ended.
        epochs_per_call: so far the training comes with each request and each moment of waiting for a message.
        clock: Unix seconds.
    """

    def __init__(
        self, scenario: Scenario = "idle", *, epochs_per_call: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self.scenario = scenario
        self.epochs_per_call = epochs_per_call
        self.clock = clock
        self.lock = threading.RLock()
        """Held by whoever asks or changes something: clients and streams may be of several threads."""
        self.hub = Hub(clock)
        self.runs: dict[str, FakeRun] = {}
        self.waiting: list[FakeRun] = []
        self.foreground = FakeForeground(self._publish, clock)
        self.snapshots = FakeSnapshots(self.runs.values())
        self.models = FakeModels()
        self._ids = itertools.count(1)
        self._set_the_scene()

    # For tests

    def advance_epoch(self, n: int = 1) -> None:
        """Let every run that trains train so many epochs; where one ends, the next in the queue begins."""
        with self.lock:
            self.foreground.tick()
            for run in [run for run in self.runs.values() if run.state.status == "STARTED"]:
                run.advance(n)
            self._begin_next()

    def set_state(self, status: Status, phase: PhaseName | None = None, reason: str | None = None) -> None:
        """Put the run in the foreground into a state; where there is none, one is started."""
        with self.lock:
            run = self.foreground.run or self.start(StartTraining(start_fresh=True))
            run.force(status, phase, reason)

    def inject_message(self, kind: str, data: dict[str, JsonValue], run_id: str | None = None) -> None:
        """Send any message to everyone who watches the foreground."""
        with self.lock:
            self.hub.publish(kind, data, run_id or self.foreground.run_id, is_foreground=True)

    def drop_connections(self) -> None:
        """Cut every stream; each may connect again."""
        with self.lock:
            self.hub.drop()

    # What clients ask for

    def tick(self) -> None:
        """Somebody asks or waits: so much time has passed."""
        self.advance_epoch(self.epochs_per_call)

    def find(self, run_id: str) -> FakeRun:
        """A run. Raises NotFoundError."""
        if run_id not in self.runs:
            raise no_such_run(run_id)
        return self.runs[run_id]

    def watched(self, run_id: str | None) -> FakeForeground | FakeRun:
        """The foreground, or one run. Raises NotFoundError."""
        return self.foreground if run_id is None else self.find(run_id)

    def create_network(self, request: CreateNetwork) -> None:
        """Load a network. Raises ConflictError, UnprocessableError."""
        self.foreground.check_idle("create a network")
        parameters = network_spec.changed(Parameters(), request)
        self.foreground.load(NetworkSpec(request.input_size, request.output_size, parameters))

    def start(self, request: StartTraining) -> FakeRun:
        """Start a run. Raises as the real one."""
        self._check_free("start")
        foreground = self.foreground
        spec = None if request.start_fresh or not foreground.has_network else foreground.loaded_spec()
        if request.grow_on:
            foreground.loaded_network()
        base = spec.parameters if spec else Parameters()
        parameters = new_run.run_parameters(base, request.params, request.epochs)
        source, found = self._found(request)
        new_run.check_shape(spec, found)
        new_run.check_classes(parameters, found)
        update: dict[str, JsonValue] = {"origin": "grow_on" if request.grow_on else "fresh"}
        run = self._add(source, parameters, request.params, found, update, spec)
        return self._launch(run)

    def post_runs(self, request: StartRuns) -> RunsQueued:
        """Queue runs. Raises UnprocessableError, NotFoundError."""
        asked = new_run.sweep(request)
        parameters = [new_run.run_parameters(Parameters(), each, request.epochs) for each in asked]
        source, found = self._found(request)
        sweep_id = secrets.token_hex(8) if len(asked) > 1 else None
        update: dict[str, JsonValue] = {"sweep_id": sweep_id, "notes": request.notes, "tags": [*request.tags]}
        added = [self._add(source, own, each, found, update) for each, own in zip(asked, parameters, strict=True)]
        records = [run.record for run in added]
        self.waiting += added
        self._begin_next()
        return RunsQueued(runs=records, sweep_id=sweep_id)

    def swap(self, request: SwapDataset) -> None:
        """Train on other data. Raises ConflictError, NotFoundError, UnprocessableError."""
        run = self.foreground.run
        if run is None or not run.state.is_active:
            raise ConflictError(f"cannot swap the dataset: training is {self.foreground.status_name}")
        _, found = self._found(request)
        new_run.check_shape(run.loaded_spec(), found)
        run.swap(found.dataset_id, found.checksum)

    def delete_run(self, run_id: str) -> None:
        """Forget a run. Raises NotFoundError, ConflictError."""
        run = self.find(run_id)
        if not run.state.is_over:
            problem = f"the run is {run.state.status}; stop it first"
            raise ConflictError(problem, (FieldProblem(loc=["run_id"], msg=problem),))
        del self.runs[run_id]
        if self.foreground.run is run:
            self.foreground.load(None)

    def check_unused(self, kept: KeptSnapshot) -> None:
        """Raise ConflictError where a snapshot's run waits or trains."""
        run = self.runs.get(str(kept.detail.run_id))
        if run is not None and not run.state.is_over:
            message = f"run {run.run_id} is active: stop it first"
            raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))

    def resume(self, snapshot_id: str, request: ResumeSnapshot) -> FakeRun:
        """Go on where a snapshot's run was. Raises NotFoundError, ConflictError."""
        self._check_free("resume")
        kept = self.snapshots.find(snapshot_id)
        if not kept.detail.can_resume:
            raise ConflictError(f"snapshot {snapshot_id} holds no state of a training; retrain grows on from it")
        before = network_spec.from_json(kept.card.parameters)
        parameters = network_spec.changed(before, request.params, ("params",))
        update: dict[str, JsonValue] = {"origin": "resume", "parent_snapshot_id": snapshot_id}
        pace = RunParameters(seed=kept.card.seed, pace=request.params.pace)
        source, found = self._of_snapshot(kept)
        return self._launch(self._add(source, parameters, pace, found, update, epoch=kept.card.epoch))

    def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> FakeRun:
        """Grow on from a snapshot's network. Raises NotFoundError, ConflictError, UnprocessableError."""
        self._check_free("retrain")
        kept = self.snapshots.find(snapshot_id)
        base = network_spec.from_json(kept.card.parameters)
        parameters = new_run.run_parameters(base, request.params, request.epochs)
        has_data = request.dataset or request.inline_data
        source, found = self._found(request) if has_data else self._of_snapshot(kept)
        update: dict[str, JsonValue] = {"origin": "grow_on", "parent_snapshot_id": snapshot_id}
        notes: dict[str, JsonValue] = {"notes": request.notes, "tags": [*request.tags]}
        return self._launch(self._add(source, parameters, request.params, found, update | notes))

    def replay(self, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of a snapshot's run. Raises NotFoundError, ConflictError."""
        if self.foreground.replay is None:
            self.foreground.check_idle("replay")
        run_id = str(self.snapshots.find(snapshot_id).detail.run_id)
        steps = self.snapshots.of_run(run_id)
        ids = [step.detail.id for step in steps]
        player = ReplayPlayer(len(ids), 0 if request.from_start else ids.index(snapshot_id), request.speed)
        if not (request.paused or player.is_at_end):
            player = player.played(time.monotonic())
        replay = FakeReplay(run_id, steps, player)
        self.foreground.show_replay(replay)
        return replay.status()

    def command(self, command: Command, run_id: str | None = None) -> FakeRun:
        """Pause, resume or stop a run; `resume` also the training of a restored snapshot. Raises ConflictError."""
        foreground = self.foreground
        if run_id is None and command == "resume" and foreground.status_name == "RESUME_READY" and foreground.restored:
            return self.resume(foreground.restored.detail.id, ResumeSnapshot())
        run = foreground.run if run_id is None else self.find(run_id)
        if run is None or (run_id is None and foreground.replay is not None):
            raise ConflictError(str(CommandNotAllowedError(command, foreground.status_name)))
        run.command(command)
        if run.state.status == "QUEUED" and run not in self.waiting:
            self.waiting.append(run)
        self._begin_next()
        return run

    def take_snapshot(self) -> SnapshotInfo:
        """Keep the network as it stands. Raises NotFoundError."""
        card, network, run = self.foreground.card(), self.foreground.loaded_network(), self.foreground.run
        if run is not None and run.state.is_active:
            return self.snapshots.keep(card, network, run.rows(), can_resume=True)
        place = {"run_id": f"network-{self._new_id()}"}
        return self.snapshots.keep(card.model_copy(update=place), network, (), can_resume=False)

    def restore(self, snapshot_id: str) -> NetworkSummary:
        """Load a snapshot's network. Raises NotFoundError, ConflictError."""
        self.foreground.check_idle("restore a snapshot")
        kept = self.snapshots.find(snapshot_id)
        parameters = network_spec.from_json(kept.card.parameters)
        spec = NetworkSpec(kept.network.n_inputs, kept.network.n_outputs, parameters)
        self.foreground.load(spec, kept)
        return spec.summary(kept.network)

    # How it comes about

    def _set_the_scene(self) -> None:
        match self.scenario:
            case "empty":
                return
            case "idle":
                self._recorded("two_spirals")
                self._recorded("xor")
            case "xor_converged":
                self.foreground.show(self._recorded("xor"))
            case "two_spiral_training" | "error_prone":
                self._recorded("xor")
                self.foreground.show(self._recorded("two_spirals", _UNDER_WAY))

    def _recorded(self, name: RecordingName, epoch: int | None = None) -> FakeRun:
        """A recorded run itself, so far; None: to its end."""
        told = recording.load(name)
        detail = told.run
        record = RunRecord.model_validate(dict(detail)).model_copy(
            update={"status": "QUEUED", "ended_at": None, "epochs": 0, "hidden_units": 0, "outcome": None}
        )
        parameters = network_spec.from_json(detail.params)
        spec = NetworkSpec(told.network.input_size, told.network.output_size, parameters, told.network.uuid)
        run = FakeRun(record, told, spec, say=self._say, clock=lambda: detail.ended_at or detail.created_at)
        self.runs[run.run_id] = run
        run.begin()
        run.advance(told.epochs if epoch is None else epoch)
        return run

    def _add(
        self,
        name: RecordingName,
        parameters: Parameters,
        request: RunParameters,
        found: FoundDataset,
        update: dict[str, JsonValue],
        spec: NetworkSpec | None = None,
        *,
        epoch: int = 0,
    ) -> FakeRun:
        """A new run, which waits."""
        told, now = recording.load(name), self.clock()
        record = RunRecord.model_validate(dict(told.run)).model_copy(
            update={
                "id": self._new_id(),
                "status": "QUEUED",
                "created_at": now,
                "started_at": None,
                "ended_at": None,
                "seed": told.run.seed if request.seed is None else request.seed,
                "params": network_spec.as_json(parameters),
                "pace": request.pace,
                "dataset_id": found.dataset_id,
                "dataset_checksum": found.checksum,
                "epochs": epoch,
                "hidden_units": told.hidden_units(epoch),
                "outcome": None,
                "reason": None,
            }
            | update
        )
        grown = new_run.spec_of(parameters, found, spec)
        run = FakeRun(record, told, grown, say=self._say, clock=self.clock, epoch=epoch)
        self.runs[run.run_id] = run
        return run

    def _new_id(self) -> str:
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self.clock()))}-{next(self._ids):08x}"

    def _launch(self, run: FakeRun) -> FakeRun:
        self.foreground.show(run)
        self.waiting.append(run)
        self._begin_next()
        return run

    def _begin_next(self) -> None:
        self.waiting = [run for run in self.waiting if run.state.status == "QUEUED"]
        while self.waiting and not any(run.state.is_active for run in self.runs.values()):
            run = self.waiting.pop(0)
            self.foreground.offer(run)
            run.begin()

    def _check_free(self, what: str) -> None:
        self.foreground.check_idle(what)
        working = sum(run.state.is_active for run in self.runs.values())
        if working:
            waiting = len(self.waiting)
            raise ConflictError(f"{working} runs train and {waiting} wait; POST /v1/runs queues another one")

    def _found(self, request: AsksForData) -> tuple[RecordingName, FoundDataset]:
        """The recording whose data is nearest to what is asked for."""
        source = request.dataset or (DatasetSource(source="inline") if request.inline_data else DEMO)
        if (source.source == "inline") != (request.inline_data is not None):
            problem = "needs source inline" if request.inline_data else "is missing, though the source is inline"
            raise UnprocessableError(f"inline_data {problem}", (FieldProblem(loc=["inline_data"], msg=problem),))
        if source.source == "inline":
            return "xor", _dataset(recording.load("xor"), None)
        if source.dataset_id is not None:
            return self._by_id(source.dataset_id)
        if source.generator not in _GENERATORS:
            problem = f"there is no generator {source.generator}; there are: {', '.join(sorted(_GENERATORS))}"
            raise BadRequestError(problem, (FieldProblem(loc=["dataset", "generator"], msg=problem),))
        name = _GENERATORS[source.generator]
        return name, _dataset(recording.load(name), recording.load(name).run.dataset_id)

    def _by_id(self, dataset_id: str) -> tuple[RecordingName, FoundDataset]:
        for name in _NAMES:
            if recording.load(name).run.dataset_id == dataset_id:
                return name, _dataset(recording.load(name), dataset_id)
        raise NotFoundError(f"there is no dataset {dataset_id}")

    def _of_snapshot(self, kept: KeptSnapshot) -> tuple[RecordingName, FoundDataset]:
        for name in _NAMES:
            if recording.load(name).run.dataset_checksum == kept.card.dataset_checksum:
                return name, _dataset(recording.load(name), kept.card.dataset_id)
        message = f"snapshot {kept.detail.id} does not say what it was trained on"
        raise ConflictError(message, (FieldProblem(loc=["dataset"], msg=message),))

    def _say(self, run: FakeRun, kind: str, data: BaseModel) -> None:
        is_foreground = self.foreground.run is run and self.foreground.replay is None
        self.hub.publish(kind, data.model_dump(mode="json"), run.run_id, is_foreground=is_foreground)

    def _publish(self, kind: str, data: BaseModel, run_id: str | None) -> None:
        self.hub.publish(kind, data.model_dump(mode="json"), run_id, is_foreground=True)


def _dataset(told: Recording, dataset_id: str | None) -> FoundDataset:
    return FoundDataset(dataset_id, Path(), told.run.dataset_checksum, told.training_data)
