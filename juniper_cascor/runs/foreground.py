"""What stands in the foreground: a run, or the network that the next one grows. Other runs are asked for by id."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from juniper_cascor import versions
from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.datasets import Datasets
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.history import History
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.replay import Replay
from juniper_cascor.runs.replay import prepared as prepare_replay
from juniper_cascor.runs.runs import NewRun, Runs
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.state_machine import Command, CommandNotAllowedError
from juniper_cascor.snapshots import Card, Snapshot
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest, ReplayStatus
from juniper_common.wire.training import (
    ChangeParameters,
    CreateNetwork,
    Monitor,
    OnRestart,
    StartTraining,
    StateMachine,
    Status,
    SwapDataset,
    TrainingState,
    TrainingStatus,
)


@dataclass
class Stage:
    """What is shown: a run, a loaded network, or both where one was edited after its run."""

    session: Session | None = None
    spec: NetworkSpec | None = None  # of a network that no run here has grown
    network: Network | None = None  # restored or edited
    snapshot: Snapshot | None = None  # what it was restored from, while its training can be resumed
    snapshot_id: str | None = None
    replay: Replay | None = None

    @property
    def status(self) -> Status:
        """The state of the foreground."""
        if self.replay is not None:
            return "REPLAYING"
        if self.snapshot is not None:
            return "RESUME_READY"
        return "STOPPED" if self.session is None else self.session.state.status

    @property
    def is_busy(self) -> bool:
        """A run in the foreground waits or trains, or something is replayed."""
        return self.replay is not None or (self.session is not None and not self.session.state.is_over)

    def offer(self, session: Session) -> None:
        """Show a run that begins, unless something else is shown that somebody put there."""
        is_free = self.session is None and self.spec is None
        has_ended = self.session is not None and self.session.state.is_over and self.network is None
        if (is_free or has_ended) and self.replay is None:
            self.show(session)

    def show(self, session: Session | None = None) -> None:
        """Show a run, or nothing."""
        self.session = session
        self.spec = self.network = self.snapshot = self.snapshot_id = None


class Foreground:
    """The loaded network, and the run in the foreground.

    Args:
        stage: what is shown.
        runs: all of them.
        datasets: where data comes from.
        fanout: who watches.
        on_restart: what becomes of an interrupted run whose start does not say.
    """

    def __init__(self, stage: Stage, runs: Runs, datasets: Datasets, fanout: Fanout, on_restart: OnRestart) -> None:
        self.stage = stage
        self._runs = runs
        self._datasets = datasets
        self._fanout = fanout
        self._on_restart = on_restart
        self._lock = asyncio.Lock()

    # What may be asked

    async def create_network(self, request: CreateNetwork) -> NetworkSpec:
        """Load a network for the next run. Raises ConflictError while a run is active, UnprocessableError."""
        async with self._lock:
            self.check_idle("create a network")
            parameters = network_spec.changed(Parameters(), request)
            spec = NetworkSpec(request.input_size, request.output_size, parameters)
            self.load(spec)
            return spec

    async def delete_network(self) -> None:
        """Unload the network. Raises NotFoundError, ConflictError."""
        async with self._lock:
            self.loaded_spec()
            self.check_idle("delete the network")
            self.load(None)

    def load(self, spec: NetworkSpec | None, snapshot: Snapshot | None = None, snapshot_id: str | None = None) -> None:
        """Show a network that no run here has grown: a new one, or a snapshot's."""
        self.stage.show()
        self.stage.spec, self.stage.snapshot_id = spec, snapshot_id
        if snapshot is not None:
            self.stage.network = snapshot.network
            self.stage.snapshot = snapshot if snapshot.state else None
        self.announce()

    async def edit(self, edit: Callable[[Network], Network]) -> Network:
        """Change the loaded network. Raises NotFoundError, ConflictError, and what the edit raises."""
        async with self._lock:
            self.check_idle("edit the network")
            network = edit(self.loaded_network())
            self.stage.network = network
            self.stage.snapshot = None  # Its training had another network.
            self.announce()
            return network

    async def start(self, request: StartTraining) -> Session:
        """Start a run; it grows a new network, with the parameters of the loaded one unless told otherwise.

        Raises:
            ConflictError: a run is active.
            UnprocessableError: a parameter or the data cannot be.
            UnavailableError: the data service is away.
        """
        async with self._lock:
            self.check_idle("start")
            self._runs.queue.check_free()
            spec = None if request.start_fresh or not self.has_network else self.loaded_spec()
            parent = self.as_snapshot() if request.grow_on else None
            base = spec.parameters if spec else Parameters()
            parameters = new_run.run_parameters(base, request.params, request.epochs)
            found = await self._datasets.find(request, parameters.task)
            new_run.check_shape(spec, found)
            new_run.check_classes(parameters, found)
            record = new_run.new_record(
                parameters,
                request.params,
                found,
                on_restart=request.on_restart or self._on_restart,
                origin="grow_on" if parent else "fresh",
                parent_snapshot_id=self.stage.snapshot_id if parent else None,
            )
            return await self.launch(NewRun(record, new_run.spec_of(parameters, found, spec), parent))

    async def launch(self, new: NewRun) -> Session:
        """Record a run, show it, and let it begin."""
        (session,) = await self._runs.add([new], on_add=self.stage.show)
        return session

    async def command(self, command: Command) -> Session:
        """Pause, resume or stop the run; when this returns, the trainer has obeyed.

        Raises:
            ConflictError: the state does not allow it, or the run ended by itself meanwhile.
        """
        async with self._lock:
            session = self.stage.session
            if session is None or self.stage.replay is not None:
                raise ConflictError(str(CommandNotAllowedError(command, self.stage.status)))
            await session.command(command)
            return session

    async def reset(self) -> None:
        """Forget the last run and unload the network. Raises ConflictError while a run is active."""
        async with self._lock:
            if self.stage.is_busy and self.stage.status not in ("RESUME_READY", "QUEUED"):
                raise ConflictError(str(CommandNotAllowedError("reset", self.stage.status)))
            self.load(None)

    async def change(self, request: ChangeParameters) -> None:
        """Change parameters: of the active run from its next phase on, its pace at once; else of the loaded network.

        Raises:
            NotFoundError: no network is loaded.
            ConflictError: the run waits, for its turn or for a resume.
            UnprocessableError: a value is out of bounds.
        """
        async with self._lock:
            session = self.stage.session
            if session is not None and not session.state.is_over:
                await session.change_parameters(request)
            else:
                spec = self.loaded_spec()
                self.stage.spec = replace(spec, parameters=network_spec.changed(spec.parameters, request))

    async def swap(self, request: SwapDataset, session: Session | None = None) -> None:
        """Have a run, or the one in the foreground, train on other data from its next phase on.

        Raises:
            ConflictError: it is not active.
            UnprocessableError, NotFoundError, UnavailableError: the data cannot be had, or not be trained on.
        """
        session = session or self.stage.session
        if session is None or not session.state.is_active:
            status = self.stage.status if session is None else session.state.status
            raise ConflictError(f"cannot swap the dataset: training is {status}")
        # Without the lock: fetching takes as long as it takes, and a pause does not wait for that.
        await session.swap(await self._datasets.find(request, session.parameters.task))

    async def replay(self, folder: Path, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of a snapshot's run to the watchers. Raises NotFoundError, ConflictError."""
        async with self._lock:
            if self.stage.replay is None:
                self.check_idle("replay")
            replay = await asyncio.to_thread(
                prepare_replay, folder, snapshot_id, request, publish=self._fanout.publish, on_change=self.announce
            )
            await self._end_replay()
            status = await replay.open(paused=request.paused)
            self.stage.replay = replay
            self.announce()
            return status

    async def replay_control(self, command: ReplayCommand) -> ReplayStatus:
        """Command the replay. Raises NotFoundError where there is none, UnprocessableError."""
        async with self._lock:
            status = await self.replaying().control(command)
            if command.action == "stop":
                await self._end_replay()
            return status

    def replaying(self) -> Replay:
        """What is replayed. Raises NotFoundError where nothing is."""
        if self.stage.replay is None:
            raise NotFoundError("nothing is replayed: POST /v1/snapshots/ID/replay shows a growth")
        return self.stage.replay

    async def close(self) -> None:
        """Show no more."""
        await self._end_replay()

    async def _end_replay(self) -> None:
        replay, self.stage.replay = self.stage.replay, None
        if replay is not None:
            await replay.close()
            self.announce()

    # What stands here

    @property
    def run_id(self) -> str | None:
        """The run in the foreground, or the one that is replayed."""
        if self.stage.replay is not None:
            return self.stage.replay.run_id
        return self.stage.session.run_id if self.stage.session else None

    @property
    def history(self) -> History:
        """The epochs of the run, or of what is replayed."""
        if self.stage.replay is not None:
            return History.of(self.stage.replay.frame.rows)
        return self.stage.session.history if self.stage.session else History(1)

    @property
    def has_network(self) -> bool:
        """Whether a network is loaded."""
        return self.stage.session is not None or self.stage.spec is not None

    def loaded_spec(self) -> NetworkSpec:
        """The loaded network's shape and parameters. Raises NotFoundError."""
        if self.stage.spec is not None:
            return self.stage.spec
        if self.stage.session is None:
            raise NotFoundError("no network is loaded: create one, or start training")
        return self.stage.session.loaded_spec()

    def loaded_network(self) -> Network:
        """The network as it stands. Raises NotFoundError."""
        if self.stage.replay is not None:
            return self.stage.replay.frame.network
        if self.stage.network is not None:
            return self.stage.network
        if self.stage.session is not None:
            return self.stage.session.loaded_network()
        return self.loaded_spec().untrained()

    async def data(self) -> TrainingData:
        """What the run in the foreground trains on. Raises NotFoundError."""
        return await self.loaded_session().data()

    def loaded_session(self) -> Session:
        """The run in the foreground. Raises NotFoundError."""
        if self.stage.session is None:
            raise NotFoundError("no run is in the foreground: start training")
        return self.stage.session

    def status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        stage = self.stage
        if stage.session is not None and stage.replay is None:
            status = stage.session.status()
        else:
            params: dict[str, JsonValue] = network_spec.as_json(stage.spec.parameters) if stage.spec else {}
            status = TrainingStatus(
                state_machine=StateMachine(status="STOPPED", phase="IDLE"),
                monitor=Monitor(
                    is_training=False, current_epoch=0, current_hidden_units=0, current_phase="IDLE", total_metrics=0
                ),
                training_state=TrainingState(),
                network_loaded=stage.spec is not None,
                training_active=False,
                params=params,
            )
        status.state_machine.status = stage.status
        if stage.network is not None or stage.replay is not None:
            status.monitor.current_hidden_units = self.loaded_network().n_hidden_units
        if stage.replay is not None:
            status.run_id, status.monitor.current_epoch = stage.replay.run_id, stage.replay.frame.epoch
            status.monitor.total_metrics = len(stage.replay.frame.rows)
        return status

    def announce(self) -> None:
        """Tell the watchers what stands in the foreground."""
        self._fanout.publish("state", self.status(), self.run_id)

    def check_idle(self, what: str) -> None:
        """Raise ConflictError while a run in the foreground waits or trains, or something is replayed."""
        if self.stage.is_busy and self.stage.status != "RESUME_READY":
            raise ConflictError(f"cannot {what}: training is {self.stage.status}")

    def as_snapshot(self) -> Snapshot:
        """The loaded network, to be grown on from or kept. Raises NotFoundError."""
        network, session = self.loaded_network(), self.stage.session
        card = Card(
            epoch=session.state.epoch if session else 0,
            hidden_units=network.n_hidden_units,
            created_at=time.time(),
            seed=session.record.seed if session else 0,
            task=network.task,
            parameters=network_spec.as_json(self.loaded_spec().parameters),
            dataset_id=session.dataset_id if session else None,
            dataset_checksum=session.dataset_checksum if session else None,
            backend=session.record.backend if session else "none",
            versions=versions.of_libraries(),
        )
        return Snapshot(card, network)
