"""The training service in memory: no trainer, no network, no disk. What it says was recorded of the real one.

Nothing trains by itself: `advance_epoch` lets the runs that train come further, and `advance_time` each at its own
pace. A run plays the recording of its kind (`xor` where its dataset is named so, else the two spirals), whatever data
and parameters were sent; it ends earlier where it was given fewer hidden units or epochs than the recorded run had.
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
from juniper_cascor.runs.state_machine import Command, CommandNotAllowedError
from juniper_cascor.testing.fake_datasets import FakeDatasets
from juniper_cascor.testing.fake_foreground import FakeForeground
from juniper_cascor.testing.fake_models import FakeModels
from juniper_cascor.testing.fake_run import FakeRun
from juniper_cascor.testing.fake_runs import ON_RESTART, FakeRuns
from juniper_cascor.testing.fake_snapshot_actions import FakeSnapshotActions
from juniper_cascor.testing.fake_snapshots import FakeSnapshots
from juniper_cascor.testing.hub import Hub
from juniper_common.errors import ConflictError
from juniper_common.wire.runs import RunsQueued, StartRuns
from juniper_common.wire.training import (
    CreateNetwork,
    PhaseName,
    StartTraining,
    Status,
    SwapDataset,
)

Scenario = Literal["idle", "two_spiral_training", "xor_converged", "empty", "error_prone"]

_MOMENT_S = 0.005
_REPORT_S = 0.05
"""A real trainer reports so often."""

_UNDER_WAY = 190
"""Two of the six hidden units of the two spirals are installed by then."""


class FakeCascorService:
    """One service, for as many clients and streams as a test needs.

    Args:
        scenario: what stands there. `empty`: nothing at all. `idle`: two runs that are over, no network.
            `two_spiral_training`, and `error_prone` too: a run in its midst. `xor_converged`: a run that has ended.
        epochs_per_call: so far the training comes with each request and each moment of waiting for a message.
        keeps_time: runs train at their own pace for as long as somebody waits for a message.
        takes_any_dataset: see FakeDatasets.
        clock: Unix seconds.
    """

    def __init__(
        self,
        scenario: Scenario = "idle",
        *,
        epochs_per_call: int = 0,
        keeps_time: bool = False,
        takes_any_dataset: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.scenario = scenario
        self.epochs_per_call = epochs_per_call
        self._keeps_time = keeps_time
        self._kept_until_s = time.monotonic()
        self.clock = clock
        self.lock = threading.RLock()
        """Held by whoever asks or changes something: clients and streams may be of several threads."""
        self.hub = Hub(clock)
        self.foreground = FakeForeground(self._publish, clock)
        self.runs = FakeRuns(self.foreground, self._say, clock)
        self.snapshots = FakeSnapshots(self.runs.by_id.values())
        self.datasets = FakeDatasets(takes_any_dataset)
        self.actions = FakeSnapshotActions(self.foreground, self.runs, self.snapshots, self.datasets)
        self.models = FakeModels()
        self._set_the_scene()

    # For tests

    def advance_epoch(self, n: int = 1) -> None:
        """Let every run that trains train so many epochs; where one ends, the next in the queue begins."""
        with self.lock:
            self.foreground.tick()
            self.runs.advance(n)

    def advance_time(self, passed_s: float) -> None:
        """Let every run that trains train for so long at its pace, and the trainer's heart beat."""
        with self.lock:
            self.foreground.tick()
            self.runs.advance_time(passed_s)

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

    def keep_time(self) -> None:
        """Somebody is about to ask: what trains has trained until now."""
        with self.lock:
            before_s, self._kept_until_s = self._kept_until_s, time.monotonic()
            if self._keeps_time:
                self.advance_time(self._kept_until_s - before_s)

    def tick(self) -> float | None:
        """Somebody asks or waits: so much time has passed. In how many seconds to tick again; None: no need."""
        with self.lock:
            self.keep_time()
            self.advance_epoch(self.epochs_per_call)
            if self.epochs_per_call:
                return _MOMENT_S
            return _REPORT_S if self._keeps_time and self.runs.active else self.foreground.due_s

    def watched(self, run_id: str | None) -> FakeForeground | FakeRun:
        """The foreground, or one run. Raises NotFoundError."""
        return self.foreground if run_id is None else self.runs.find(run_id, "run")

    def create_network(self, request: CreateNetwork) -> None:
        """Load a network. Raises ConflictError, UnprocessableError."""
        self.foreground.check_idle("create a network")
        parameters = network_spec.changed(Parameters(), request)
        self.foreground.load(NetworkSpec(request.input_size, request.output_size, parameters))

    def start(self, request: StartTraining) -> FakeRun:
        """Start a run. Raises as the real one."""
        self.foreground.check_idle("start")
        self.runs.check_free()
        stage = self.foreground.stage
        spec = None if request.start_fresh or not stage.has_network else stage.loaded_spec()
        base = spec.parameters if spec else Parameters()
        parameters = new_run.run_parameters(base, request.params, request.epochs)
        if request.grow_on:
            new_run.check_grows_on(stage.loaded_network(), parameters)
        dataset = self.datasets.asked_for(request)
        new_run.check_shape(spec, dataset.found)
        new_run.check_classes(parameters, dataset.found)
        record = new_run.new_record(
            parameters,
            request.params,
            dataset.found,
            on_restart=request.on_restart or ON_RESTART,
            origin="grow_on" if request.grow_on else "fresh",
            parent_snapshot_id=stage.parent_id if request.grow_on else None,
        )
        return self.runs.launch(self.runs.add(record, dataset, new_run.spec_of(parameters, dataset.found, spec)))

    def post_runs(self, request: StartRuns) -> RunsQueued:
        """Queue runs. Raises UnprocessableError, NotFoundError."""
        planned = [(asked, new_run.swept_parameters(request, asked)) for asked in new_run.sweep(request)]
        dataset = self.datasets.asked_for(request)
        sweep_id = secrets.token_hex(8) if len(planned) > 1 else None
        annotated = {"sweep_id": sweep_id, "notes": request.notes, "tags": list(request.tags)}
        added = []
        for asked, parameters in planned:
            new_run.check_task(parameters, planned[0][1].task)
            new_run.check_classes(parameters, dataset.found)
            record = new_run.new_record(
                parameters, asked, dataset.found, on_restart=request.on_restart or ON_RESTART
            ).model_copy(update=annotated)
            added.append(self.runs.add(record, dataset, new_run.spec_of(parameters, dataset.found)))
        queued = RunsQueued(runs=[run.record for run in added], sweep_id=sweep_id)
        self.runs.enqueue(*added)
        return queued

    def swap(self, request: SwapDataset, run_id: str | None = None) -> None:
        """Train on other data. Raises ConflictError, NotFoundError, UnprocessableError."""
        run = self.foreground.run if run_id is None else self.runs.find(run_id, "run")
        if run is None or not run.state.is_active:
            status = self.foreground.stage.status if run is None else run.state.status
            raise ConflictError(f"cannot swap the dataset: training is {status}")
        run.swap(self.datasets.asked_for(request))

    def command(self, command: Command, run_id: str | None = None, field: str = "run") -> FakeRun:
        """Pause, resume or stop a run; `resume` also the training of a restored snapshot. Raises ConflictError."""
        stage = self.foreground.stage
        if run_id is None and command == "resume" and stage.is_restored:
            return self.actions.resume_restored()
        if run_id is None:
            self.foreground.check_not_replaying(command)
        run = self.foreground.run if run_id is None else self.runs.find(run_id, field)
        if run is None:
            raise ConflictError(str(CommandNotAllowedError(command, stage.status)))
        run.command(command)
        self.runs.enqueue(run)  # where it is to go on but has no trainer yet
        return run

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
        is_foreground = self.foreground.run is run and self.foreground.stage.replay is None
        self.hub.publish(kind, data.model_dump(mode="json"), run.run_id, is_foreground=is_foreground)

    def _publish(self, kind: str, data: BaseModel, run_id: str | None) -> None:
        self.hub.publish(kind, data.model_dump(mode="json"), run_id, is_foreground=True)
