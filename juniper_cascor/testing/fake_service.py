"""The training service in memory: no trainer, no network, no disk. What it says was recorded of the real one.

Nothing trains by itself: `advance_epoch` lets the runs that train come further. A run plays the recording of its kind
(`xor` where its dataset is named so, else the two spirals), whatever data and parameters were sent; it ends earlier
where it was given fewer hidden units or epochs than the recorded run had.
"""

import secrets
import threading
import time
from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_cascor.runs.state_machine import Command, CommandNotAllowedError
from juniper_cascor.testing import fake_datasets
from juniper_cascor.testing.fake_foreground import FakeForeground, FakeReplay
from juniper_cascor.testing.fake_models import FakeModels
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_runs import FakeRuns
from juniper_cascor.testing.fake_snapshots import FakeSnapshots, KeptSnapshot
from juniper_cascor.testing.hub import Hub
from juniper_common.errors import ConflictError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunsQueued, StartRuns
from juniper_common.wire.snapshots import ReplayRequest, ReplayStatus, ResumeSnapshot, RetrainSnapshot, SnapshotInfo
from juniper_common.wire.training import (
    CreateNetwork,
    NetworkSummary,
    PhaseName,
    RunParameters,
    StartTraining,
    Status,
    SwapDataset,
)

Scenario = Literal["idle", "two_spiral_training", "xor_converged", "empty", "error_prone"]

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
        self.foreground = FakeForeground(self._publish, clock)
        self.runs = FakeRuns(self.foreground, self._say, clock)
        self.snapshots = FakeSnapshots(self.runs.by_id.values())
        self.models = FakeModels()
        self._set_the_scene()

    # For tests

    def advance_epoch(self, n: int = 1) -> None:
        """Let every run that trains train so many epochs; where one ends, the next in the queue begins."""
        with self.lock:
            self.foreground.tick()
            self.runs.advance(n)

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

    def watched(self, run_id: str | None) -> FakeForeground | FakeRun:
        """The foreground, or one run. Raises NotFoundError."""
        return self.foreground if run_id is None else self.runs.find(run_id)

    def create_network(self, request: CreateNetwork) -> None:
        """Load a network. Raises ConflictError, UnprocessableError."""
        self.foreground.check_idle("create a network")
        parameters = network_spec.changed(Parameters(), request)
        self.foreground.load(NetworkSpec(request.input_size, request.output_size, parameters))

    def start(self, request: StartTraining) -> FakeRun:
        """Start a run. Raises as the real one."""
        self.runs.check_free("start")
        foreground = self.foreground
        spec = None if request.start_fresh or not foreground.has_network else foreground.loaded_spec()
        more: dict[str, JsonValue] = {}
        if request.grow_on:
            foreground.loaded_network()
            parent = foreground.restored.detail.id if foreground.restored else None
            more = {"origin": "grow_on", "parent_snapshot_id": parent}
        base = spec.parameters if spec else Parameters()
        parameters = new_run.run_parameters(base, request.params, request.epochs)
        dataset = fake_datasets.asked_for(request)
        new_run.check_shape(spec, dataset.found)
        new_run.check_classes(parameters, dataset.found)
        return self.runs.launch(self.runs.add(dataset, parameters, request.params, more, spec))

    def post_runs(self, request: StartRuns) -> RunsQueued:
        """Queue runs. Raises UnprocessableError, NotFoundError."""
        asked = new_run.sweep(request)
        parameters = [new_run.run_parameters(Parameters(), each, request.epochs) for each in asked]
        dataset = fake_datasets.asked_for(request)
        sweep_id = secrets.token_hex(8) if len(asked) > 1 else None
        more: dict[str, JsonValue] = {"sweep_id": sweep_id, "notes": request.notes, "tags": [*request.tags]}
        added = [self.runs.add(dataset, own, each, more) for each, own in zip(asked, parameters, strict=True)]
        queued = RunsQueued(runs=[run.record for run in added], sweep_id=sweep_id)
        self.runs.enqueue(*added)
        return queued

    def swap(self, request: SwapDataset) -> None:
        """Train on other data. Raises ConflictError, NotFoundError, UnprocessableError."""
        run = self.foreground.run
        if run is None or not run.state.is_active:
            raise ConflictError(f"cannot swap the dataset: training is {self.foreground.status_name}")
        found = fake_datasets.asked_for(request).found
        new_run.check_shape(run.loaded_spec(), found)
        run.swap(found.dataset_id, found.checksum)

    def check_unused(self, kept: KeptSnapshot) -> None:
        """Raise ConflictError where a snapshot's run waits or trains."""
        run = self.runs.by_id.get(str(kept.detail.run_id))
        if run is not None and not run.state.is_over:
            message = f"run {run.run_id} is active: stop it first"
            raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))

    def resume(self, snapshot_id: str, request: ResumeSnapshot) -> FakeRun:
        """Go on where a snapshot's run was. Raises NotFoundError, ConflictError."""
        self.runs.check_free("resume")
        kept = self.snapshots.find(snapshot_id)
        if not kept.detail.can_resume:
            raise ConflictError(f"snapshot {snapshot_id} holds no state of a training; retrain grows on from it")
        before = network_spec.from_json(kept.card.parameters)
        parameters = network_spec.changed(before, request.params, ("params",))
        more: dict[str, JsonValue] = {"origin": "resume", "parent_snapshot_id": snapshot_id}
        own = RunParameters(seed=kept.card.seed, pace=request.params.pace)
        dataset = fake_datasets.of_checksum(kept.card.dataset_checksum, kept.card.dataset_id)
        return self.runs.launch(self.runs.add(dataset, parameters, own, more, epoch=kept.card.epoch))

    def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> FakeRun:
        """Grow on from a snapshot's network. Raises NotFoundError, ConflictError, UnprocessableError."""
        self.runs.check_free("retrain")
        kept = self.snapshots.find(snapshot_id)
        base = network_spec.from_json(kept.card.parameters)
        parameters = new_run.run_parameters(base, request.params, request.epochs)
        if request.dataset or request.inline_data:
            dataset = fake_datasets.asked_for(request)
        else:
            dataset = fake_datasets.of_checksum(kept.card.dataset_checksum, kept.card.dataset_id)
        origin: dict[str, JsonValue] = {"origin": "grow_on", "parent_snapshot_id": snapshot_id}
        notes: dict[str, JsonValue] = {"notes": request.notes, "tags": [*request.tags]}
        return self.runs.launch(self.runs.add(dataset, parameters, request.params, origin | notes))

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
        run = foreground.run if run_id is None else self.runs.find(run_id)
        if run is None or (run_id is None and foreground.replay is not None):
            raise ConflictError(str(CommandNotAllowedError(command, foreground.status_name)))
        run.command(command)
        self.runs.enqueue(run)  # where it is to go on but has no trainer yet
        return run

    def take_snapshot(self) -> SnapshotInfo:
        """Keep the network as it stands. Raises NotFoundError."""
        card, network, run = self.foreground.card(), self.foreground.loaded_network(), self.foreground.run
        if run is not None and run.state.is_active:
            return self.snapshots.keep(card, network, run.rows(), can_resume=True)
        place = {"run_id": f"network-{self.runs.new_id()}"}
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
                self.runs.add_recorded("two_spirals")
                self.runs.add_recorded("xor")
            case "xor_converged":
                self.foreground.show(self.runs.add_recorded("xor"))
            case "two_spiral_training" | "error_prone":
                self.runs.add_recorded("xor")
                self.foreground.show(self.runs.add_recorded("two_spirals", _UNDER_WAY))

    def _say(self, run: FakeRun, kind: str, data: BaseModel) -> None:
        is_foreground = self.foreground.run is run and self.foreground.replay is None
        self.hub.publish(kind, data.model_dump(mode="json"), run.run_id, is_foreground=is_foreground)

    def _publish(self, kind: str, data: BaseModel, run_id: str | None) -> None:
        self.hub.publish(kind, data.model_dump(mode="json"), run_id, is_foreground=True)
