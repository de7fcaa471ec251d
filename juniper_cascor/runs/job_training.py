"""One job in the trainer process: train a chunk, report, keep snapshots, look for commands."""

import errno
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from juniper_cascor import resuming, snapshots, versions
from juniper_cascor.engine import backends
from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.errors import EngineError
from juniper_cascor.engine.events import Outcome
from juniper_cascor.engine.training import Training
from juniper_cascor.runs import dataset_file, network_spec, snapshot_folder
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.job import Change, Job
from juniper_cascor.runs.pacing import Pacer
from juniper_cascor.runs.recording import Curve
from juniper_cascor.runs.report import HEARTBEAT_S, Report, rows_of
from juniper_cascor.runs.snapshot_writer import SnapshotWriter
from juniper_cascor.snapshots import Card, Snapshot
from juniper_common import logs

RETRY_S = 1.0
"""How often a disk that had no room is tried again."""

log = logging.getLogger("juniper_cascor.trainer")

Write = Callable[[Path, Snapshot], Path]


class Port(Protocol):
    """How the trainer process and the service talk."""

    def receive(self, timeout_s: float | None) -> Message | None:
        """The next message, or None after the timeout."""
        ...

    def send(self, message: Message) -> None:
        """Send; waits while the service does not read."""
        ...


def on_cpu(job: Job) -> BackendName:
    """The back end that trains a job where no GPU does. Raises DatasetFileError."""
    x, parameters = dataset_file.read(job.data_path(job.dataset_checksum)).x, network_spec.from_json(job.parameters)
    return backends.on_cpu(len(x), x.shape[1], parameters.candidate_pool_size, parameters.max_hidden_units)


class JobTraining:
    """One job, from its beginning or its checkpoint to its end.

    Args:
        job: what to train.
        port: where commands come from and reports go.
        clock: monotonic seconds, for pace, heartbeats and checkpoints.

    Raises:
        EngineError, DatasetFileError, SnapshotError: it cannot be trained.
    """

    def __init__(self, job: Job, port: Port, clock: Callable[[], float]) -> None:
        self._job = job
        self._port = port
        self._clock = clock
        self._dataset = Change(dataset_id=job.dataset_id, dataset_checksum=job.dataset_checksum)
        self._next_dataset: Change | None = None
        self._curve = Curve()
        self._training = self._begun() if job.resume_from is None else self._taken_up(job.resume_from)
        # What was changed at the very epoch of the snapshot may be in it or not: done again it changes nothing.
        self._ahead = deque(change for change in job.changes if (change.epoch or 0) >= self._training.epoch)
        self._pacer = Pacer(job.pace, clock())
        self._report = Report(job.run_id, port.send, clock)
        self._report.catch_up(self._curve.after(job.seen_epoch))
        self._is_paused = job.is_paused
        self._is_over = False
        self._kept_at = clock()
        self._writer = SnapshotWriter()
        self._owed: Write | None = None  # what could not be given to the writer, since an older one has no room
        self._is_short = False  # the disk takes no snapshot, and the service knows it

    def run(self) -> None:
        """Train to the end, or until told to stop."""
        with self._writer:
            if not self._was_stopped_while_it_loaded():
                self._work()

    def _was_stopped_while_it_loaded(self) -> bool:
        """Obey what came before the first epoch. A run that is stopped by then leaves nothing behind."""
        while (message := self._port.receive(0)) is not None:
            if message.kind == "stop":
                self._answer(message, self._training.epoch)
                return True
            self._obey(message)
        return False

    def _work(self) -> None:
        name = self._job.dataset_id or f"inline data {self._job.dataset_checksum[:16]}"
        log.info("training on %s with %s from epoch %d", name, self._training.backend, self._training.epoch)
        self._tell_phase()
        self._report.send(self._training)
        while not self._is_over:
            self._report.send_if_due(self._training)
            if self._training.finished is not None and not self._must_wait():
                # What comes now is for a run that has ended by itself.
                self._finish(self._training.finished)
                continue
            message = self._port.receive(self._idle_s())
            if message is not None:
                self._obey(message)
            elif self._must_wait():
                self._retry()
            elif not self._is_paused:
                self._advance()

    def _begun(self) -> Training:
        job = self._job
        data = dataset_file.read(job.data_path(job.dataset_checksum))
        return Training.start(
            data.x,
            data.y,
            network_spec.from_json(job.parameters),
            seed=job.seed,
            x_val=data.x_val,
            y_val=data.y_val,
            network=None if job.grow_from is None else snapshots.read(job.grow_from).network,
            backend=job.backend,
        )

    def _taken_up(self, path: Path) -> Training:
        snapshot = snapshots.read(path)
        self._curve = Curve(snapshot.metrics)
        card = snapshot.card
        checksum = card.dataset_checksum or self._job.dataset_checksum
        self._dataset = Change(dataset_id=card.dataset_id, dataset_checksum=checksum)
        data = dataset_file.read(self._job.data_path(checksum))
        training = resuming.resume(
            snapshot, data.x, data.y, x_val=data.x_val, y_val=data.y_val, backend=self._job.backend
        )
        # A swap that had not taken effect yet is not in the state.
        swaps = [c for c in self._job.changes if c.dataset_checksum and (c.epoch or 0) < training.epoch]
        if swaps and swaps[-1].dataset_checksum != checksum and training.finished is None:
            self._swap(training, swaps[-1])
        return training

    def _idle_s(self) -> float:
        """How long to wait for a command: no CPU burns while paused, or while the pace lets nothing be done."""
        if self._is_short:
            return RETRY_S
        if self._is_paused:
            return HEARTBEAT_S
        return min(self._pacer.wait_s(self._clock()), HEARTBEAT_S)

    def _advance(self) -> None:
        training = self._training
        while self._ahead and (self._ahead[0].epoch or 0) <= training.epoch:
            self._apply(self._ahead.popleft())
        allowance = self._pacer.allowance(self._clock())
        if allowance == 0:
            return
        if self._ahead:
            until = (self._ahead[0].epoch or 0) - training.epoch
            allowance = until if allowance is None else min(until, allowance)
        progress = training.advance(allowance)
        self._pacer.spend(len(progress.rows))
        if progress.has_new_data and self._next_dataset is not None:
            self._dataset, self._next_dataset = self._next_dataset, None
            logs.dataset_id.set(self._dataset.dataset_id)
            log.info("trains on %s from epoch %d on", self._dataset.dataset_checksum, training.epoch)
        rows = rows_of(progress, training.parameters)
        self._report.add(progress, rows)
        self._curve.append(rows)
        if (unit := progress.installed) is not None:
            log.info("installed unit %d at epoch %d, score %.4f", unit.index, unit.epoch, unit.score)
        self._tell_phase()
        if progress.installed is not None or training.finished is not None:
            self._keep(snapshot_folder.write)
        elif self._clock() - self._kept_at >= self._job.checkpoint_s:
            self._keep(snapshot_folder.write_checkpoint)

    def _tell_phase(self) -> None:
        """Log a phase that has begun; from now on each line names it."""
        training = self._training
        if training.finished is None and training.phase != logs.phase.get():
            logs.phase.set(training.phase)
            log.info("%s phase from epoch %d", training.phase, training.epoch)

    def _finish(self, outcome: Outcome) -> None:
        if self._writer.flush() is not None:
            return  # The end is not told before it is kept.
        self._report.send(self._training)
        units = self._training.network.n_hidden_units
        log.info("%s after %d epochs with %d hidden units", outcome, self._training.epoch, units)
        self._port.send(Message("finished", {"run_id": self._job.run_id, "outcome": outcome}))
        self._is_over = True

    def _obey(self, message: Message) -> None:
        error = None
        epoch = self._training.epoch
        if message.kind == "change":
            # What the record has of these epochs stays true: a change comes after all that is trained again.
            epoch = max(epoch, self._job.recorded_epoch)
            error = self._change(message, epoch)
        elif message.kind in ("pause", "resume"):
            self._is_paused = message.kind == "pause"
            # What was saved up while paused is not caught up.
            self._pacer.change(self._pacer.pace, self._clock())
        elif message.kind in ("stop", "snapshot", "release"):
            self._keep(snapshot_folder.write_checkpoint if message.kind == "release" else snapshot_folder.write)
            self._writer.flush()
            self._must_wait()
            self._is_over = message.kind != "snapshot"
        log.info("%s at epoch %d", message.kind, self._training.epoch)
        self._report.send(self._training)
        self._answer(message, epoch, error)
        if message.kind == "pause":
            # A pause may be long: what it costs to be killed in it is nothing.
            self._keep(snapshot_folder.write_checkpoint)

    def _answer(self, message: Message, epoch: int, error: str | None = None) -> None:
        answer: dict[str, JsonValue] = {
            "command": message.kind,
            "run_id": self._job.run_id,
            "number": message.fields.get("number"),
            "epoch": epoch,
            "error": error,
        }
        if message.kind == "snapshot":
            path = snapshot_folder.path_of(self._job.snapshot_folder, self._card())
            answer["snapshot_id"] = f"{self._job.run_id}.{path.stem}"
        self._port.send(Message("obeyed", answer))

    def _change(self, message: Message, epoch: int) -> str | None:
        """Set what the message says, now or at that later epoch; why that cannot be, where it cannot."""
        if self._training.finished is not None:
            return f"the training has ended: {self._training.finished}"
        change = Change.model_validate(message.fields["change"])
        try:
            if epoch == self._training.epoch and not self._ahead:
                self._apply(change)
            else:
                self._data_of(change)  # Its error is to be known now.
                self._ahead.append(change.model_copy(update={"epoch": epoch}))
        except (EngineError, dataset_file.DatasetFileError) as error:
            return str(error)
        if "pace" in message.fields:
            pace = message.fields["pace"]
            self._pacer.change(float(pace) if isinstance(pace, int | float) else None, self._clock())
        return None

    def _apply(self, change: Change) -> None:
        training = self._training
        if change.parameters:
            training.set_parameters(network_spec.replaced(training.parameters, change.parameters))
        if change.dataset_checksum is not None:
            self._swap(training, change)

    def _swap(self, training: Training, change: Change) -> None:
        if change.dataset_checksum == self._dataset.dataset_checksum:
            training.cancel_data()
            self._next_dataset = None
            return
        if (data := self._data_of(change)) is not None:
            training.set_data(data.x, data.y, x_val=data.x_val, y_val=data.y_val)
            self._next_dataset = change

    def _data_of(self, change: Change) -> dataset_file.TrainingData | None:
        if change.dataset_checksum is None:
            return None
        return dataset_file.read(self._job.data_path(change.dataset_checksum))

    def _keep(self, write: Write) -> None:
        """Have a snapshot written. Until the disk has taken those before it, this one is owed and the run waits."""
        snapshot, folder = self._snapshot(), self._job.snapshot_folder
        if self._writer.put(lambda: write(folder, snapshot)):
            self._kept_at = self._clock()
        elif self._owed is not snapshot_folder.write:  # A checkpoint is worth less than a snapshot that is owed.
            self._owed = write

    def _must_wait(self) -> bool:
        """Whether the disk takes no snapshot, so that the run must not go on; the service is told when it begins."""
        error = self._writer.error
        if error is None:
            return False
        if error.errno == errno.EFBIG:
            raise error  # It will not become smaller by waiting.
        if not self._is_short:
            self._tell_short(f"no snapshot can be written, so the run waits: {error.strerror or error}")
        return True

    def _retry(self) -> None:
        if self._writer.retry() is not None:
            return
        if self._owed is not None:
            owed, self._owed = self._owed, None
            self._keep(owed)
        self._tell_short(None)

    def _tell_short(self, reason: str | None) -> None:
        self._is_short = reason is not None
        log.log(logging.ERROR if reason else logging.INFO, "%s", reason or "the disk takes snapshots again")
        self._port.send(Message("short", {"run_id": self._job.run_id, "reason": reason}))

    def _snapshot(self) -> Snapshot:
        training = self._training
        return Snapshot(self._card(), training.network, training.state(), self._curve.columns())

    def _card(self) -> Card:
        training, job = self._training, self._job
        network = training.network
        return Card(
            run_id=job.run_id,
            epoch=training.epoch,
            hidden_units=network.n_hidden_units,
            created_at=time.time(),
            seed=job.seed,
            task=network.task,
            parameters=network_spec.as_json(training.parameters),
            dataset_id=self._dataset.dataset_id,
            dataset_checksum=self._dataset.dataset_checksum,
            backend=training.backend,
            versions=versions.here(training.backend),
            outcome=training.finished,
        )
