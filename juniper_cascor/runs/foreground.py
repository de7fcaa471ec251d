"""The loaded network, and the run in the foreground: what may be asked of them. Other runs are asked for by id."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
from juniper_cascor.runs.stage import Stage
from juniper_cascor.runs.state_machine import Command, CommandNotAllowedError
from juniper_cascor.snapshots import Snapshot
from juniper_common.errors import ConflictError, NotFoundError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest, ReplayStatus
from juniper_common.wire.training import (
    ChangeParameters,
    CreateNetwork,
    OnRestart,
    StartTraining,
    SwapDataset,
    TrainingStatus,
)


class Foreground:
    """The loaded network, and the run in the foreground.

    A replay is a show, and nothing is lost by its end: whatever shows something else (a start, a new network, a
    restored snapshot, a reset) ends it. What would change the network that it shows is refused.

    Args:
        stage: what is shown.
        runs: all of them.
        datasets: where data comes from.
        fanout: who watches.
        on_restart: what becomes of an interrupted run whose start does not say.
    """

    def __init__(self, stage: Stage, runs: Runs, datasets: Datasets, fanout: Fanout, on_restart: OnRestart) -> None:
        self.stage = stage
        self.lock = asyncio.Lock()
        """Held by whatever changes what is shown."""
        self._runs = runs
        self._datasets = datasets
        self._fanout = fanout
        self._on_restart = on_restart

    # What may be asked

    async def create_network(self, request: CreateNetwork) -> NetworkSpec:
        """Load a network for the next run. Raises ConflictError while a run is active, UnprocessableError."""
        async with self.lock:
            self.check_idle("create a network")
            parameters = network_spec.changed(Parameters(), request)
            spec = NetworkSpec(request.input_size, request.output_size, parameters)
            await self.load(spec)
            return spec

    async def delete_network(self) -> None:
        """Unload the network. Raises NotFoundError, ConflictError."""
        async with self.lock:
            self.stage.loaded_spec()
            self.check_idle("delete the network")
            await self.unload()

    async def load(self, spec: NetworkSpec, snapshot: Snapshot | None = None, snapshot_id: str | None = None) -> None:
        """Show a network that no run here has grown: a new one, or a snapshot's. The lock is held."""
        await self._end_replay()
        self.stage.show_loaded(spec, snapshot, snapshot_id)
        self.announce()

    async def unload(self) -> None:
        """Show nothing. The lock is held."""
        await self._end_replay()
        self.stage.show()
        self.announce()

    async def forget(self, session: Session) -> None:
        """Show nothing of a run that was deleted."""
        async with self.lock:
            if self.stage.session is not None and self.stage.session.run_id == session.run_id:
                self.stage.show()
                self.announce()

    async def edit(self, edit: Callable[[Network], Network]) -> Network:
        """Change the loaded network. Raises NotFoundError, ConflictError, and what the edit raises."""
        async with self.lock:
            self._check_not_replaying("edit the network")
            self.check_idle("edit the network")
            session = self.stage.session
            if session is not None and not session.state.is_over:  # Its training has this network, and may go on.
                raise ConflictError(f"cannot edit the network: run {session.run_id} can be resumed; stop it first")
            network = edit(self.stage.loaded_network())
            self.stage.show_edited(network)
            self.announce()
            return network

    async def start(self, request: StartTraining) -> Session:
        """Start a run; it grows a new network, with the parameters of the loaded one unless told otherwise.

        Raises:
            ConflictError: a run is active.
            UnprocessableError: a parameter or the data cannot be.
            UnavailableError: the data service is away.
        """
        self.check_free("start")
        # Without the lock: fetching takes as long as it takes, and no other command waits for that.
        task = new_run.run_parameters(self._base(request), request.params).task
        found = await self._datasets.find(request, task)
        async with self.lock:
            self.check_free("start")
            stage = self.stage
            spec = None if request.start_fresh or not stage.has_network else stage.loaded_spec()
            parent = stage.as_snapshot() if request.grow_on else None
            parent_id = stage.parent_id if parent else None
            parameters = new_run.run_parameters(self._base(request), request.params, request.epochs)
            if parameters.task != task:
                raise ConflictError("another network was loaded meanwhile; start again")
            if parent:
                new_run.check_grows_on(parent.network, parameters)
            new_run.check_shape(spec, found)
            new_run.check_classes(parameters, found)
            record = new_run.new_record(
                parameters,
                request.params,
                found,
                on_restart=request.on_restart or self._on_restart,
                origin="grow_on" if parent else "fresh",
                parent_snapshot_id=parent_id,
            )
            return await self.launch(NewRun(record, new_run.spec_of(parameters, found, spec), parent))

    def _base(self, request: StartTraining) -> Parameters:
        """What the parameters of a start are taken from."""
        if request.start_fresh or not self.stage.has_network:
            return Parameters()
        return self.stage.loaded_spec().parameters

    async def launch(self, new: NewRun) -> Session:
        """Record a run, show it, and let it begin. The lock is held."""
        await self._end_replay()
        (session,) = await self._runs.add([new], on_add=self.stage.show)
        return session

    async def command(self, command: Command) -> Session:
        """Pause, resume or stop the run; when this returns, the trainer has obeyed.

        Raises:
            ConflictError: the state does not allow it, or the run ended by itself meanwhile.
        """
        async with self.lock:
            self._check_not_replaying(command)
            session = self.stage.session
            if session is None:
                raise ConflictError(str(CommandNotAllowedError(command, self.stage.status)))
            await session.command(command)
            return session

    async def reset(self) -> None:
        """Forget the last run and unload the network. Raises ConflictError while a run is active."""
        async with self.lock:
            session = self.stage.session
            if session is not None and session.state.is_active:
                raise ConflictError(str(CommandNotAllowedError("reset", session.state.status)))
            await self.unload()

    async def change(self, request: ChangeParameters) -> None:
        """Change parameters: of the active run from its next phase on, its pace at once; else of the loaded network.

        Raises:
            NotFoundError: no network is loaded.
            ConflictError: its run waits, for its turn or for a resume, or something is replayed.
            UnprocessableError: a value is out of bounds.
        """
        self._check_not_replaying("change parameters")
        session = self.stage.session
        if session is not None and not session.state.is_over:
            # Without the lock: it may wait for the trainer, and a pause does not wait for that.
            await session.change_parameters(request)
            return
        async with self.lock:
            if self.stage.session is session:
                spec = self.stage.loaded_spec()
                self.stage.spec = replace(spec, parameters=network_spec.changed(spec.parameters, request))

    async def swap(self, request: SwapDataset, session: Session | None = None) -> None:
        """Have a run, or the one in the foreground, train on other data from its next phase on.

        Raises:
            ConflictError: it is not active.
            UnprocessableError, NotFoundError, UnavailableError: the data cannot be had, or not be trained on.
        """
        if session is None:
            self._check_not_replaying("swap the dataset")
            session = self.stage.session
        if session is None or not session.state.is_active:
            status = self.stage.status if session is None else session.state.status
            raise ConflictError(f"cannot swap the dataset: training is {status}")
        if request.dataset is None and request.inline_data is None:
            problem = "is missing: a swap names what to train on"
            raise UnprocessableError(f"dataset {problem}", (FieldProblem(loc=["dataset"], msg=problem),))
        # Without the lock: fetching takes as long as it takes, and a pause does not wait for that.
        await session.swap(await self._datasets.find(request, session.parameters.task))

    async def replay(self, folder: Path, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of a snapshot's run to the watchers. Raises NotFoundError, ConflictError."""
        async with self.lock:
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
        async with self.lock:
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
        return self.stage.run_id

    @property
    def history(self) -> History:
        """The epochs of the run, or of what is replayed or restored."""
        return self.stage.history

    @property
    def has_network(self) -> bool:
        """Whether a network is loaded."""
        return self.stage.has_network

    def loaded_spec(self) -> NetworkSpec:
        """The loaded network's shape and parameters. Raises NotFoundError."""
        return self.stage.loaded_spec()

    def loaded_network(self) -> Network:
        """The network as it stands. Raises NotFoundError."""
        return self.stage.loaded_network()

    def status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        return self.stage.training_status()

    async def data(self) -> TrainingData:
        """What the network in the foreground is trained on.

        Raises:
            NotFoundError, UnavailableError: it is nowhere.
            UnprocessableError: a snapshot names data of another shape.
        """
        if (card := self.stage.card) is not None:
            if card.dataset_checksum is None:
                raise NotFoundError("the loaded network's snapshot does not say what it was trained on")
            found = await self._datasets.kept(card.dataset_id, card.dataset_checksum)
            new_run.check_shape(self.stage.loaded_spec(), found, "its snapshot names other data")
            return found.data
        if self.stage.session is None:
            raise NotFoundError("no run is in the foreground: start training")
        return await self.stage.session.data()

    def announce(self) -> None:
        """Tell the watchers what stands in the foreground."""
        self._fanout.publish("state", self.status(), self.run_id)

    def check_free(self, what: str) -> None:
        """Raise ConflictError where a run cannot begin now."""
        self.check_idle(what)
        self._runs.queue.check_free()

    def check_idle(self, what: str) -> None:
        """Raise ConflictError while the run in the foreground waits or trains; not where it is to be resumed."""
        session = self.stage.session
        if session is not None and session.state.status in ("QUEUED", "STARTED", "PAUSED"):
            raise ConflictError(f"cannot {what}: training is {session.state.status}")

    def _check_not_replaying(self, what: str) -> None:
        if self.stage.replay is not None:
            raise ConflictError(f"cannot {what} while a growth is replayed; stop the replay first: POST /v1/replay")
