"""One run from its place in the queue to its end: carries out what the state machine says, answers for the run."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from pydantic import BaseModel, JsonValue

from juniper_cascor.runs import network_spec, new_run, progress_news, recording
from juniper_cascor.runs import state_machine as machine
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.datasets import FoundDataset
from juniper_cascor.runs.growth import Growth
from juniper_cascor.runs.job import Change, Job
from juniper_cascor.runs.job_of_run import job_of
from juniper_cascor.runs.network_spec import NetworkSpec
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
from juniper_cascor.runs.surroundings import Surroundings
from juniper_cascor.runs.trainer_keeper import LOAD_TIMEOUT_S, OBEY_TIMEOUT_S, TrainerKeeper
from juniper_common import logs
from juniper_common.errors import ConflictError, UnavailableError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunChange, RunRecord
from juniper_common.wire.training import (
    ChangeParameters,
    Heartbeat,
    PhaseName,
    Status,
    TrainingEvent,
)

BEGIN_TIMEOUT_S = 5.0
"""So long a change waits for a trainer that starts, or reads its data."""

BEGIN_POLL_S = 0.01

SLOWEST_READ = 4 << 20
"""Bytes a second: so slowly a trainer may take in its data without being taken for hung."""

_OBEYED: dict[Command, tuple[Status, ...]] = {
    "pause": ("PAUSED",),
    "resume": ("QUEUED", "STARTED", "PAUSED", "COMPLETED"),
    "stop": ("STOPPED",),
}
"""Where a run stands after a command; one that was resumed may have come to its end since."""

log = logging.getLogger(__name__)


class Session(Growth):
    """One run while the service knows it, and who works on it.

    Args:
        record: what is kept of it.
        around: what it shares with the others.
        spec: of its network, where that is known before the network is.
        state: where it stands.
        changes: what was changed while it trained.
        recorded_epoch: as far as an earlier process has recorded its metrics.
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
        super().__init__(record, state or State(), around.datasets, around.history_rows, spec, changes, recorded_epoch)
        self.trainer: TrainerKeeper | None = None
        self._around = around
        self._has_job = False
        self._has_begun = False  # its trainer has read the data, and trains
        self._device_lost: str | None = None  # why its trainer ends, where it is for that
        self._progressed_at = time.monotonic()
        self._lock = asyncio.Lock()

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
        """Pause, resume or stop; when this returns, the trainer has obeyed, or was killed for not obeying.

        The record says so too, unless the disk takes nothing.

        Raises:
            ConflictError: the state does not allow it, or the run ended by itself meanwhile.
        """
        async with self._lock:
            is_worked_on = self._has_begun
            try:
                self._apply(Asked(command))
            except machine.CommandNotAllowedError as error:
                raise ConflictError(str(error)) from error
            if is_worked_on:
                await self._answered_or_killed()
            if self.state.is_active and not self._has_begun:
                # Nobody trains it yet. A trainer that still reads its data obeys before it trains.
                self._apply(Obeyed(command))
            await self._around.recorder.flush()
            if self.state.status not in _OBEYED[command]:
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
            self.note(made)
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
            with self.named_in_logs():
                try:
                    self.trainer.tell(Message("release", {"run_id": self.run_id}))
                    await self._answered()
                except UnavailableError as error:
                    log.warning("run %s goes on from an earlier checkpoint: %s", self.run_id, error)
                self._record()

    def record_history(self) -> None:
        """Record again what is known: between the last record and the last checkpoint a kill left a gap."""
        rows = self.history.newest(len(self.history)).copy()
        self._around.recorder.rows(self.run_id, recording.chosen(rows, rows[:0]))

    def job(self) -> Job:
        """What its trainer is told. It reads the newest snapshot."""
        return job_of(self, self._around)

    def named_in_logs(self) -> AbstractContextManager[None]:
        """What is logged in it tells of this run, and of where it stands."""
        phase = self.state.phase.lower() if self.state.phase in ("OUTPUT", "CANDIDATE") else None
        return logs.about(self.run_id, self.dataset_id, phase)

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
            case "device_lost":
                self._lost_its_device(message)
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
        if self._device_lost is not None:
            reason, self._device_lost = self._device_lost, None
        self._apply(TrainerDied(reason, is_final))

    def silence_s(self) -> float:
        """For how long the trainer may say nothing."""
        if self._has_begun or not self._has_job:
            return self._around.deadline_s
        return self._around.deadline_s + self.data_bytes() / SLOWEST_READ

    def _lost_its_device(self, message: Message) -> None:
        """The GPU gave up: the run goes on from its newest checkpoint on the CPU, in the trainer's next process."""
        backend, reason = message.text("backend"), message.text("reason")
        self._device_lost = f"{reason}; so it goes on with {backend}"
        with self.named_in_logs():
            log.error("run %s: %s", self.run_id, self._device_lost)
        self.record = self.record.model_copy(update={"backend": backend})
        self._around.recorder.record(self.record)
        self._publish("event", TrainingEvent(event="backend_changed", reason=self._device_lost))

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
        self.has_grown_to(news.network)
        if len(news.rows):
            self._around.recorder.rows(self.run_id, recording.chosen(news.rows, before))
            self.history.append(news.rows)
        for kind, data in news.messages:
            self._publish(kind, data)

    # Carrying out

    def _apply(self, event: machine.Event) -> None:
        self.state, instructions = machine.transition(self.state, event)
        with self.named_in_logs():
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
            self.trainer.tell(self.job().message())
        except UnavailableError as error:
            with self.named_in_logs():
                log.warning("%s", error)  # It has just died, so another one starts, and is told.
            return
        except OSError as error:
            self._apply(Ended(error=f"its snapshots cannot be read: {error}"))
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
        ended_at = time.time() if state.is_over else None
        self.record = self.record_now().model_copy(update={"ended_at": ended_at})
        log.info("run is %s", " ".join(filter(None, (state.status, state.outcome or state.reason))))
        self._around.recorder.record(self.record)

    async def _answered_or_killed(self) -> None:
        try:
            await self._answered()
        except UnavailableError as error:
            with self.named_in_logs():
                log.warning("run %s: %s", self.run_id, error)
            self._has_job = self._has_begun = False

    async def _answered(self, timeout_s: float = OBEY_TIMEOUT_S) -> Message | None:
        if self.trainer is None:
            return None
        return await self.trainer.answer(timeout_s)

    def _publish(self, kind: str, data: BaseModel) -> None:
        self._around.fanout.publish(kind, data, self.run_id, is_foreground=self._around.is_in_foreground(self))
