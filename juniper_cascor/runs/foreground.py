"""The run in the foreground: carries out what the state machine says, and holds what the watchers ask for."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run
from juniper_cascor.runs import state_machine as machine
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.datasets import Datasets, FoundDataset
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.history import ROW, History, Rows, metric_row, points, thinned
from juniper_cascor.runs.job import Job
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.state_machine import Asked, Command, Ended, Obeyed, PhaseEntered, State, TrainerDied
from juniper_cascor.runs.store import RunStore, StoreError
from juniper_cascor.runs.trainer_keeper import TrainerFactory, TrainerKeeper
from juniper_cascor.runs.views import topology
from juniper_common import logs
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    ChangeParameters,
    CreateNetwork,
    Heartbeat,
    MetricsMessage,
    Monitor,
    PhaseName,
    StartTraining,
    StateMachine,
    TrainingEvent,
    TrainingState,
    TrainingStatus,
)

POINTS_PER_MESSAGE = 500

log = logging.getLogger(__name__)


@dataclass
class ForegroundRun:
    """The run that the state speaks of, with its data."""

    record: RunRecord
    dataset: FoundDataset
    parameters: Parameters


class Foreground:
    """The service's one run at a time, from its start to its record.

    Args:
        folder: where snapshots stand.
        store: the run records.
        fanout: who watches.
        datasets: where data comes from.
        make_trainer: makes a trainer process, not yet started.
        history_rows: how many epochs are kept for charts.
        deadline_s: a trainer silent for this long while it trains is killed.
    """

    def __init__(
        self,
        *,
        folder: Path,
        store: RunStore,
        fanout: Fanout,
        datasets: Datasets,
        make_trainer: TrainerFactory,
        history_rows: int,
        deadline_s: float,
    ) -> None:
        self.state = State()
        self.spec: NetworkSpec | None = None
        self.network: Network | None = None
        self.run: ForegroundRun | None = None
        self.history = History(history_rows)
        self._snapshots = folder
        self._store = store
        self._fanout = fanout
        self._datasets = datasets
        self.trainer = TrainerKeeper(make_trainer, self._heard, self._died, lambda: self.state.is_active, deadline_s)
        self._lock = asyncio.Lock()
        self._epoch = 0

    # Life of the service

    async def open(self) -> None:
        """Start the trainer, and watch over it."""
        interrupted = self._store.end_interrupted(time.time(), "the service ended while the run was training")
        if interrupted:
            log.warning("%d runs were left unfinished by an earlier process", interrupted)
        await self.trainer.open()

    async def close(self) -> None:
        """Stop the run, so that its last snapshot is written, and end the trainer."""
        if self.state.is_active:
            try:
                await self.command("stop")
            except (ConflictError, UnavailableError) as error:
                log.warning("the run did not stop in good order: %s", error)
        await self.trainer.close()

    # What may be asked

    async def create_network(self, request: CreateNetwork) -> NetworkSpec:
        """Load a network for the next run. Raises ConflictError while a run is active, UnprocessableError."""
        async with self._lock:
            self._check_idle("create a network")
            parameters = network_spec.changed(Parameters(), request)
            self.spec = NetworkSpec(request.input_size, request.output_size, parameters)
            self._forget_run()
            self._announce()
            return self.spec

    async def delete_network(self) -> None:
        """Unload the network. Raises NotFoundError, ConflictError."""
        async with self._lock:
            self.loaded_spec()
            self._check_idle("delete the network")
            self.spec = None
            self._forget_run()
            self._announce()

    async def start(self, request: StartTraining) -> RunRecord:
        """Start a run; it grows a new network, with the parameters of the loaded one unless told otherwise.

        Raises:
            ConflictError: a run is active.
            UnprocessableError: a parameter or the data cannot be.
            UnavailableError: the trainer or the data service is away.
        """
        async with self._lock:
            self._check_allowed("start")
            spec = None if request.start_fresh else self.spec
            parameters = new_run.run_parameters(spec, request)
            self.trainer.check_there()
            found = await self._datasets.find(request, parameters.task)
            n_inputs, n_outputs = found.data.x.shape[1], found.data.y.shape[1]
            new_run.check_shape(spec, n_inputs, n_outputs)
            new_run.check_classes(parameters, found)
            record = new_run.new_record(parameters, request.params, found)
            self._store.add(record)
            self.spec = replace(spec, parameters=parameters) if spec else NetworkSpec(n_inputs, n_outputs, parameters)
            self._forget_run()
            self.run = ForegroundRun(record, found, parameters)
            try:
                self._apply(Asked("start", record.id))
            except UnavailableError as error:
                self._apply(Ended(record.id, error=error.message))
                raise
            return record

    async def command(self, command: Command) -> State:
        """Pause, resume, stop or reset; when this returns, the trainer has obeyed.

        Raises:
            ConflictError: the state does not allow it, or the run ended by itself meanwhile.
        """
        async with self._lock:
            self._check_allowed(command)
            self._apply(Asked(command))
            if command != "reset":
                await self.trainer.obeyed()
            expected = {"pause": "PAUSED", "resume": "STARTED", "stop": "STOPPED", "reset": "STOPPED"}[command]
            if self.state.status != expected:
                raise ConflictError(f"cannot {command}: the run has just ended as {self.state.status}")
            return self.state

    async def change(self, request: ChangeParameters) -> None:
        """Change parameters: of the active run from its next phase on, its pace at once; else of the loaded network.

        Raises:
            NotFoundError: no network is loaded.
            UnprocessableError: a value is out of bounds.
        """
        async with self._lock:
            spec = self.loaded_spec()
            parameters = network_spec.changed(spec.parameters, request)
            self.spec = replace(spec, parameters=parameters)
            if self.run is None or not self.state.is_active:
                return
            given = request.model_dump(exclude_unset=True)
            fields: dict[str, JsonValue] = {"pace": given.pop("pace")} if "pace" in given else {}
            self.trainer.tell(Message("change", {**fields, "parameters": given, "run_id": self.state.run_id}))
            await self.trainer.obeyed()
            pace = request.pace if "pace" in fields else self.run.record.pace
            self.run.parameters = parameters
            self.run.record = self.run.record.model_copy(
                update={"pace": pace, "params": network_spec.as_json(parameters)}
            )
            self._store.update(self.run.record)
            self._announce()

    def loaded_spec(self) -> NetworkSpec:
        """The loaded network's shape and parameters. Raises NotFoundError."""
        if self.spec is None:
            raise NotFoundError("no network is loaded: create one, or start training")
        return self.spec

    def loaded_network(self) -> Network:
        """The network as it has grown so far. Raises NotFoundError."""
        return self.network or self.loaded_spec().untrained()

    def loaded_run(self) -> ForegroundRun:
        """The run in the foreground. Raises NotFoundError."""
        if self.run is None:
            raise NotFoundError("no run is in the foreground: start training")
        return self.run

    def status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        state, run = self.state, self.run
        return TrainingStatus(
            state_machine=StateMachine(
                status=state.status,
                phase=state.phase,
                paused_phase=state.paused_phase,
                has_candidate_state=state.is_active and state.phase == "CANDIDATE",
            ),
            monitor=Monitor(
                is_training=state.status == "STARTED",
                current_epoch=self._epoch,
                current_hidden_units=self.network.n_hidden_units if self.network else 0,
                current_phase=state.phase,
                total_metrics=len(self.history),
            ),
            training_state=TrainingState(
                outcome=state.outcome,
                reason=state.reason,
                started_at=run.record.created_at if run else None,
                ended_at=run.record.ended_at if run else None,
            ),
            network_loaded=self.spec is not None,
            training_active=state.is_active,
            run_id=state.run_id,
            dataset_id=run.dataset.dataset_id if run else None,
            seed=run.record.seed if run else None,
            pace=run.record.pace if run else None,
            params=network_spec.as_json(self.spec.parameters) if self.spec else {},
        )

    # What the trainer reports

    def _heard(self, message: Message) -> None:
        run_id = message.text("run_id")
        if run_id != self.state.run_id:
            return
        if message.kind == "progress":
            self._progressed(message)
        elif message.kind == "heartbeat":
            self._fanout.publish("heartbeat", Heartbeat(epoch=message.integer("epoch")), run_id)
        elif message.kind == "finished":
            self._apply(Ended(run_id, outcome=message.text("outcome")))
        elif message.kind == "failed":
            self._apply(Ended(run_id, error=message.text("reason")))
        elif message.kind == "obeyed":
            command = message.text("command")
            if command in ("pause", "resume", "stop"):
                self._apply(Obeyed(run_id, command))  # type: ignore[arg-type] # narrowed by the line above

    def _died(self, reason: str) -> None:
        self._apply(TrainerDied(reason))

    def _progressed(self, message: Message) -> None:
        run_id = message.text("run_id")
        self._epoch = message.integer("epoch")
        rows: Rows = message.arrays["rows"].view(ROW)
        self.history.append(rows)
        grown = self.network.n_hidden_units if self.network else -1
        self.network = Network.from_arrays(message.arrays, message.text("task"))
        phase: PhaseName = "CANDIDATE" if message.text("phase") == "candidate" else "OUTPUT"
        self._apply(PhaseEntered(run_id, phase))
        if len(rows):
            newest = metric_row(rows[-1])
            columns = points(thinned(rows, POINTS_PER_MESSAGE))
            metrics = MetricsMessage.model_construct(**newest.__dict__, points=columns)
            self._fanout.publish("metrics", metrics, run_id)
        scores = message.arrays["scores"].tolist()
        if scores:
            best = max(scores)
            self._fanout.publish(
                "candidate_progress", CandidateProgress(epoch=self._epoch, scores=scores, best_score=best), run_id
            )
        installed = message.fields["installed"]
        if isinstance(installed, list):
            for unit in installed:
                self._publish_installed(unit, run_id)
        if self.network.n_hidden_units != grown:
            self._fanout.publish("topology", topology(self.network), run_id)

    def _publish_installed(self, unit: JsonValue, run_id: str) -> None:
        fields = _Installed.model_validate(unit)
        self._fanout.publish(
            "cascade_add",
            CascadeAdd(
                hidden_unit_index=fields.index,
                correlation=fields.score,
                total_hidden_units=fields.index + 1,
                epoch=fields.epoch,
            ),
            run_id,
        )

    # Carrying out

    def _apply(self, event: machine.Event) -> None:
        self.state, instructions = machine.transition(self.state, event)
        for instruction in instructions:
            self._carry_out(instruction)

    def _carry_out(self, instruction: machine.Instruction) -> None:
        match instruction:
            case machine.TellTrainer("train"):
                self.trainer.tell(self._job().message())
            case machine.TellTrainer(command):
                self.trainer.tell(Message(command, {"run_id": self.state.run_id}))
            case machine.RecordRun():
                self._record()
            case machine.Forget():
                self.spec = None
                self._forget_run()
            case machine.Announce():
                self._announce()
            case machine.AnnounceEnd():
                is_failure = self.state.status == "FAILED"
                event = TrainingEvent(
                    event="training_failed" if is_failure else "training_complete",
                    outcome=self.state.outcome,
                    reason=self.state.reason,
                )
                self._fanout.publish("event", event, self.state.run_id)

    def _record(self) -> None:
        run = self.loaded_run()
        run.record = run.record.model_copy(
            update={
                "status": self.state.status,
                "ended_at": None if self.state.is_active else time.time(),
                "epochs": self._epoch,
                "hidden_units": self.network.n_hidden_units if self.network else 0,
                "outcome": self.state.outcome,
                "reason": self.state.reason,
            }
        )
        token = logs.run_id.set(run.record.id)
        log.info("run is %s %s", self.state.status, self.state.outcome or self.state.reason or "")
        try:
            self._store.update(run.record)
        except StoreError as error:
            # The run itself goes on; the next change of its state writes the whole record.
            log.error("the run's record is out of date: %s", error)
        logs.run_id.reset(token)

    def _announce(self) -> None:
        self._fanout.publish("state", self.status(), self.state.run_id)

    def _forget_run(self) -> None:
        self.state = State()
        self.run = None
        self.network = None
        self._epoch = 0
        self.history.clear()

    def _job(self) -> Job:
        run = self.loaded_run()
        return Job(
            run_id=run.record.id,
            data_path=run.dataset.path,
            snapshot_folder=self._snapshots,
            parameters=run.record.params,
            seed=run.record.seed,
            pace=run.record.pace,
            dataset_id=run.record.dataset_id,
            dataset_checksum=run.record.dataset_checksum,
            backend=run.record.backend,
            versions=run.record.versions,
        )

    def _check_allowed(self, command: Command) -> None:
        try:
            machine.check_allowed(self.state, command)
        except machine.CommandNotAllowedError as error:
            raise ConflictError(str(error)) from error

    def _check_idle(self, what: str) -> None:
        if self.state.is_active:
            raise ConflictError(f"cannot {what}: training is {self.state.status}; stop it first")


class _Installed(BaseModel):
    index: int
    score: float
    epoch: int
