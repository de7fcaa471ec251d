"""One run from its place in the queue to its end: carries out what the state machine says, answers for the run."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import dataset_file, network_spec, new_run, progress_news, recording, snapshot_folder
from juniper_cascor.runs import state_machine as machine
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.datasets import FoundDataset
from juniper_cascor.runs.fanout import Fanout
from juniper_cascor.runs.history import History, rows_of
from juniper_cascor.runs.job import Change, Job
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.recorder import Recorder
from juniper_cascor.runs.state_machine import (
    Asked,
    Begun,
    Command,
    Ended,
    Obeyed,
    Progressed,
    Short,
    State,
    TrainerDied,
)
from juniper_cascor.runs.trainer_keeper import LOAD_TIMEOUT_S, OBEY_TIMEOUT_S, TrainerKeeper
from juniper_common import logs
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunChange, RunRecord
from juniper_common.wire.training import (
    ChangeParameters,
    Heartbeat,
    Monitor,
    PhaseName,
    StateMachine,
    TrainingEvent,
    TrainingState,
    TrainingStatus,
)

KEPT_DATA_BYTES = 64 << 20
"""A dataset up to this size stays in memory while its run is looked at; a larger one is read each time."""

BEGIN_TIMEOUT_S = 5.0
"""So long a change waits for a trainer that starts, or reads its data."""

BEGIN_POLL_S = 0.01

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What all runs of the service share."""

    snapshots: Path
    datasets: Path
    recorder: Recorder
    fanout: Fanout
    history_rows: int
    deadline_s: float
    checkpoint_s: float
    is_in_foreground: Callable[["Session"], bool]
    enqueue: Callable[["Session"], None]
    let_go: Callable[["Session"], None]
    """The run is over: its trainer is free for the next."""


class Session:
    """One run while the service knows it.

    Args:
        record: what is kept of it.
        around: what it shares with the others.
        spec: of its network, where that is known before the network is.
        state: where it stands.
        changes: what was changed while it trained.
        recorded_epoch: as far as its metrics are recorded.
    """

    def __init__(
        self,
        record: RunRecord,
        around: Surroundings,
        *,
        spec: NetworkSpec | None = None,
        state: State | None = None,
        changes: Sequence[RunChange] = (),
        recorded_epoch: int = 0,
    ) -> None:
        self.record = record
        self.state = state or State()
        self.parameters = network_spec.from_json(record.params)
        self.dataset_id, self.dataset_checksum = record.dataset_id, record.dataset_checksum
        self.network: Network | None = None
        self.history = History(around.history_rows)
        self.trainer: TrainerKeeper | None = None
        self._spec = spec
        self._around = around
        self._recorded_epoch = recorded_epoch
        self._changes: list[RunChange] = []
        self._has_job = False
        self._has_begun = False  # its trainer has read the data, and trains
        self._progressed_at = time.monotonic()
        self._data: TrainingData | None = None
        self._lock = asyncio.Lock()
        for change in changes:
            self._note(change)

    @property
    def run_id(self) -> str:
        """The run."""
        return self.record.id

    # What may be asked

    def begin(self, trainer: TrainerKeeper) -> None:
        """It is the run's turn."""
        self.trainer = trainer
        trainer.user = self
        self.record = self.record.model_copy(update={"started_at": self.record.started_at or time.time()})
        self._apply(Begun())

    def hold(self, reason: str) -> None:
        """It was interrupted, and does not go on by itself."""
        self._apply(machine.Held(reason))

    async def command(self, command: Command) -> State:
        """Pause, resume or stop; when this returns, the trainer has obeyed and the record says so.

        Raises:
            ConflictError: the state does not allow it, or the run ended by itself meanwhile.
            UnavailableError: the trainer did not obey, and was killed; the run goes on from its checkpoint.
        """
        async with self._lock:
            is_worked_on = self._has_begun
            try:
                self._apply(Asked(command))
            except machine.CommandNotAllowedError as error:
                raise ConflictError(str(error)) from error
            if is_worked_on:
                await self._answered()
            if self.state.is_active and not self._has_begun:
                # Nobody trains it yet. A trainer that still reads its data obeys before it trains.
                self._apply(Obeyed(command))
            await self._around.recorder.flush()
            expected = {"pause": ("PAUSED",), "resume": ("STARTED", "QUEUED", "PAUSED"), "stop": ("STOPPED",)}[command]
            if self.state.status not in expected:
                raise ConflictError(f"cannot {command}: the run has just ended as {self.state.status}")
            if command == "resume" and self.state.shortage:
                raise ConflictError(f"cannot resume: {self.state.shortage}")
            return self.state

    async def change_parameters(self, request: ChangeParameters) -> None:
        """Set parameters from the next phase on, and the pace at once.

        Raises:
            UnprocessableError: a value cannot be.
            ConflictError: the run is not trained.
            UnavailableError: the trainer is away.
        """
        await self._at_work()
        async with self._lock:
            wanted = network_spec.as_json(network_spec.changed(self.parameters, request))
            now = network_spec.as_json(self.parameters)
            different = {name: value for name, value in wanted.items() if value != now[name]}
            pace = request.model_dump(include={"pace"}, exclude_unset=True)
            await self._change(Change(parameters=different), pace)

    async def swap(self, found: FoundDataset) -> None:
        """Train on other data from the next phase on. Raises as `change_parameters`."""
        await self._at_work()
        async with self._lock:
            new_run.check_shape(self.loaded_spec(), found, "a swap keeps the network")
            new_run.check_classes(self.parameters, found)
            change = Change(dataset_id=found.dataset_id, dataset_checksum=found.checksum)
            await self._change(change, {}, LOAD_TIMEOUT_S)

    async def _change(self, change: Change, pace: dict[str, JsonValue], timeout_s: float = OBEY_TIMEOUT_S) -> None:
        if not self.state.is_active:
            raise ConflictError(f"cannot change what is not trained: training is {self.state.status}")
        if not self._has_begun or self.trainer is None:
            raise UnavailableError("the trainer is not at work on it yet; try in a moment")
        told = {"change": change.model_dump(mode="json"), "run_id": self.run_id, **pace}
        self.trainer.tell(Message("change", told))
        if (answer := await self._answered(timeout_s)) is None:
            raise UnavailableError("the trainer has just died; try in a moment")
        if "epoch" not in answer.fields:
            raise ConflictError(f"cannot change what is not trained: the run has just ended as {self.state.status}")
        if error := answer.fields["error"]:
            field = "dataset" if change.dataset_checksum else "params"
            raise UnprocessableError(str(error), (FieldProblem(loc=[field], msg=str(error)),))
        if change.parameters or change.dataset_checksum:
            made = RunChange(
                epoch=answer.integer("epoch"),
                time=time.time(),
                params=change.parameters,
                dataset_id=change.dataset_id,
                dataset_checksum=change.dataset_checksum,
            )
            self._note(made)
            self._around.recorder.change(self.run_id, made)
        if pace:
            self.record = self.record.model_copy(update=pace)
            self._around.recorder.record(self.record)
        await self._around.recorder.flush()
        self.announce()

    async def _at_work(self) -> None:
        """Return when the trainer is at work on the run, or it is not worth waiting for that any longer.

        Without the lock: a pause and a stop need not wait for it.
        """
        until = time.monotonic() + BEGIN_TIMEOUT_S
        while self.state.is_active and not self._has_begun and time.monotonic() < until:
            await asyncio.sleep(BEGIN_POLL_S)

    async def take_snapshot(self) -> str:
        """Have the trainer write a snapshot now; its id. Raises UnavailableError, ConflictError."""
        await self._at_work()
        async with self._lock:
            if self.trainer is None or not self._has_begun:
                raise UnavailableError("the trainer is not at work on it yet; try in a moment")
            self.trainer.tell(Message("snapshot", {"run_id": self.run_id}))
            answer = await self._answered()
            if answer is None:
                raise UnavailableError("the trainer has just died; try in a moment")
            if self.state.shortage:
                raise UnavailableError(self.state.shortage)
            if "snapshot_id" not in answer.fields:
                raise ConflictError(f"cannot take a snapshot: the run has just ended as {self.state.status}")
            return answer.text("snapshot_id")

    async def release(self) -> None:
        """The service ends: have a checkpoint written, from which the run goes on the next time."""
        async with self._lock:
            if self.trainer is None or not self._has_begun or not self.state.is_active:
                return
            try:
                self.trainer.tell(Message("release", {"run_id": self.run_id}))
                await self._answered()
            except UnavailableError as error:
                log.warning("run %s goes on from an earlier checkpoint: %s", self.run_id, error)
            self._record()

    async def recall(self) -> None:
        """Read network and metrics from the newest snapshot: of a run that this process has not trained."""
        snapshot = await asyncio.to_thread(snapshot_folder.newest, self._around.snapshots, self.run_id)
        epoch = 0
        if snapshot is not None:
            self._has_grown_to(snapshot.network)
            epoch = snapshot.card.epoch
            self.history.append(rows_of(snapshot.metrics))
        if not self.state.is_over:  # What came after the snapshot is trained again, and seen anew.
            self.state = replace(self.state, epoch=epoch)

    def record_history(self) -> None:
        """Record again what is known: between the last record and the last checkpoint a kill left a gap."""
        rows = self.history.newest(len(self.history)).copy()
        self._around.recorder.rows(self.run_id, recording.chosen(rows, rows[:0]))

    def loaded_spec(self) -> NetworkSpec:
        """The network's shape, and the parameters of its next phase. Raises NotFoundError before they are known."""
        if self._spec is None:
            raise NotFoundError(f"run {self.run_id} has no network yet")
        return replace(self._spec, parameters=self.parameters)

    def loaded_network(self) -> Network:
        """The network as it has grown so far. Raises NotFoundError before it is known."""
        return self.network or self.loaded_spec().untrained()

    async def data(self) -> TrainingData:
        """What the run trains on. Raises DatasetFileError."""
        if self._data is None:
            data = await asyncio.to_thread(dataset_file.read, self._around.datasets / f"{self.dataset_checksum}.npz")
            if data.x.nbytes > KEPT_DATA_BYTES:
                return data
            self._data = data
        return self._data

    def status(self) -> TrainingStatus:
        """All that is to be said of the run."""
        state, record = self.state, self.record
        return TrainingStatus(
            state_machine=StateMachine(
                status=state.status,
                phase=state.phase,
                paused_phase=state.paused_phase,
                has_candidate_state=state.is_active and state.phase == "CANDIDATE",
            ),
            monitor=Monitor(
                is_training=state.status == "STARTED",
                current_epoch=state.epoch,
                current_hidden_units=self.network.n_hidden_units if self.network else 0,
                current_phase=state.phase,
                total_metrics=len(self.history),
            ),
            training_state=TrainingState(
                outcome=state.outcome,
                reason=state.reason,
                started_at=record.started_at,
                ended_at=record.ended_at,
            ),
            network_loaded=self._spec is not None,
            training_active=state.is_active,
            run_id=record.id,
            dataset_id=self.dataset_id,
            seed=record.seed,
            pace=record.pace,
            params=network_spec.as_json(self.parameters),
        )

    def announce(self) -> None:
        """Tell the watchers where the run stands."""
        self._publish("state", self.status())

    def check_progress(self) -> None:
        """Kill a trainer that talks but does not come further. Called every second."""
        if self.state.status != "STARTED" or not self._has_begun or self.trainer is None:
            return
        pace = self.record.pace
        allowed_s = self._around.deadline_s + (3 / pace if pace else 0)
        if time.monotonic() - self._progressed_at > allowed_s:
            self._progressed_at = time.monotonic()
            self.trainer.kill(f"run {self.run_id} has not come further for {allowed_s:.0f} s")

    # What the trainer reports

    def heard(self, message: Message) -> None:
        """The trainer reports."""
        if message.fields.get("run_id") != self.run_id:
            return
        match message.kind:
            case "progress":
                self._progressed(message)
            case "heartbeat":
                self._publish("heartbeat", Heartbeat(epoch=message.integer("epoch")))
            case "short":
                reason = message.fields["reason"]
                self._progressed_at = time.monotonic()  # While it waited for the disk it could not come further.
                self._apply(Short(None if reason is None else str(reason)))
            case "finished":
                self._apply(Ended(outcome=message.text("outcome")))
            case "failed":
                self._apply(Ended(error=message.text("reason")))
            case "obeyed" if (command := message.text("command")) in ("pause", "resume", "stop"):
                self._progressed_at = time.monotonic()
                self._apply(Obeyed(command))  # type: ignore[arg-type] # narrowed by the line above

    def trainer_is_warm(self) -> None:
        """There is a new process, which waits for its job."""
        if self.state.is_active:
            self._tell_job()

    def trainer_died(self, reason: str, is_final: bool) -> None:
        """The process is gone."""
        self._has_job = self._has_begun = False
        self._apply(TrainerDied(reason, is_final))

    def silence_s(self) -> float:
        """For how long the trainer may say nothing."""
        return self._around.deadline_s if self._has_begun or not self._has_job else LOAD_TIMEOUT_S

    def _progressed(self, message: Message) -> None:
        epoch = message.integer("epoch")
        self._has_begun = True
        phase: PhaseName = "CANDIDATE" if message.text("phase") == "candidate" else "OUTPUT"
        seen, is_new = self.state.epoch, epoch > self.state.epoch or self.network is None
        if is_new:
            self._progressed_at = time.monotonic()
        self._apply(Progressed(phase, epoch))
        if epoch < seen:
            return  # Taken up from a checkpoint, it does again what was seen already.
        before = self.history.newest(1)
        news = progress_news.of(message, seen, self.network)
        self._has_grown_to(news.network)
        if len(news.rows):
            self._around.recorder.rows(self.run_id, recording.chosen(news.rows, before))
            self.history.append(news.rows)
        for kind, data in news.messages:
            self._publish(kind, data)

    # Carrying out

    def _apply(self, event: machine.Event) -> None:
        self.state, instructions = machine.transition(self.state, event)
        for instruction in instructions:
            self._carry_out(instruction)

    def _carry_out(self, instruction: machine.Instruction) -> None:
        match instruction:
            case machine.TellTrainer("train"):
                if self.trainer is not None and self.trainer.is_warm:
                    self._tell_job()
            case machine.TellTrainer(command):
                if self._has_job and self.trainer is not None:
                    self.trainer.tell(Message(command, {"run_id": self.run_id}))
            case machine.Enqueue():
                self._around.enqueue(self)
            case machine.RecordRun():
                self._record()
            case machine.Announce():
                self.announce()
            case machine.AnnounceEnd():
                self._end()

    def _tell_job(self) -> None:
        assert self.trainer is not None  # noqa: S101 - only a run whose turn it is has a job
        try:
            self.trainer.tell(self._job().message())
        except UnavailableError as error:
            log.warning("%s", error)  # It has just died, so another one starts, and is told.
            return
        self._has_job = True
        self._progressed_at = time.monotonic()

    def _end(self) -> None:
        is_failure = self.state.status == "FAILED"
        event = TrainingEvent(
            event="training_failed" if is_failure else "training_complete",
            outcome=self.state.outcome,
            reason=self.state.reason,
        )
        self._publish("event", event)
        self._has_job = self._has_begun = False
        self._around.recorder.rows(self.run_id, self.history.newest(1).copy())  # the run's last values
        self._around.let_go(self)

    def _record(self) -> None:
        state = self.state
        self.record = self.record.model_copy(
            update={
                "status": state.status,
                "ended_at": time.time() if state.is_over else None,
                "epochs": state.epoch,
                "hidden_units": self.network.n_hidden_units if self.network else 0,
                "outcome": state.outcome,
                "reason": state.reason,
            }
        )
        token = logs.run_id.set(self.run_id)
        log.info("run is %s %s", state.status, state.outcome or state.reason or "")
        logs.run_id.reset(token)
        self._around.recorder.record(self.record)

    def _has_grown_to(self, network: Network) -> None:
        self.network = network
        self._spec = self._spec or NetworkSpec(network.n_inputs, network.n_outputs, self.parameters)

    def _note(self, change: RunChange) -> None:
        self._changes.append(change)
        self.parameters = network_spec.replaced(self.parameters, change.params)
        if change.dataset_checksum is not None:
            self.dataset_id, self.dataset_checksum = change.dataset_id, change.dataset_checksum
            self._data = None

    def _job(self) -> Job:
        record, folder = self.record, self._around.snapshots
        parent = snapshot_folder.parent_path(folder, self.run_id)
        newest, _ = snapshot_folder.newest_path(folder, self.run_id) or (None, None)
        return Job(
            run_id=record.id,
            data_folder=self._around.datasets,
            snapshot_folder=folder,
            parameters=record.params,
            seed=record.seed,
            pace=record.pace,
            dataset_id=record.dataset_id,
            dataset_checksum=record.dataset_checksum,
            backend=record.backend,
            versions=record.versions,
            changes=[
                Change(
                    epoch=change.epoch,
                    parameters=change.params,
                    dataset_id=change.dataset_id,
                    dataset_checksum=change.dataset_checksum,
                )
                for change in self._changes
            ],
            grow_from=parent if record.origin == "grow_on" and newest is None else None,
            resume_from=newest or (parent if record.origin == "resume" else None),
            seen_epoch=self.state.epoch,
            recorded_epoch=max(self.state.epoch, self._recorded_epoch, *(change.epoch for change in self._changes)),
            is_paused=self.state.is_held,
            checkpoint_s=self._around.checkpoint_s,
        )

    async def _answered(self, timeout_s: float = OBEY_TIMEOUT_S) -> Message | None:
        if self.trainer is None:
            return None
        return await self.trainer.answer(timeout_s)

    def _publish(self, kind: str, data: BaseModel) -> None:
        self._around.fanout.publish(kind, data, self.run_id, is_foreground=self._around.is_in_foreground(self))
