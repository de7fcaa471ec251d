"""The trainer process: warm, waiting for runs, training one at a time between looks at what it is told.

It reads commands on standard input and reports on what was its standard output. When the input ends, the service is
gone and so is the trainer. It knows the engine and the snapshots; it knows nothing of HTTP, records or watchers.
"""

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from juniper_cascor import versions
from juniper_cascor.engine.errors import EngineError
from juniper_cascor.engine.events import Outcome, Progress
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training, warm_up
from juniper_cascor.runs import channel, dataset_file, network_spec, snapshot_folder
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.history import ROW, Curve, Rows
from juniper_cascor.runs.job import Job
from juniper_cascor.runs.pacing import SLICE_S, Pacer
from juniper_cascor.snapshots import Card, Snapshot
from juniper_common import logs

HEARTBEAT_S = 1.0

SNAPSHOT_ROWS = 4_000
"""Of the metrics so far a snapshot keeps up to twice as many rows: 45 bytes each, beside weights of about as much."""

log = logging.getLogger("juniper_cascor.trainer")


class ServiceGoneError(Exception):
    """The input ended."""


class Port:
    """Both directions of the channel, seen from the trainer."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd

    def receive(self, timeout_s: float | None) -> Message | None:
        """The next message, or None after the timeout. Raises ServiceGoneError at the end of the input."""
        if not select.select([self._read_fd], [], [], timeout_s)[0]:
            return None
        prefix = self._read(channel.PREFIX_BYTES)
        return channel.decode(prefix, self._read(channel.body_length(prefix)))

    def send(self, message: Message) -> None:
        """Send; waits while the service does not read."""
        frame = memoryview(channel.encode(message))
        while frame:
            frame = frame[os.write(self._write_fd, frame) :]

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = os.read(self._read_fd, count - len(parts))
            if not part:
                raise ServiceGoneError
            parts += part
        return bytes(parts)


class Trainer:
    """Trains what the port asks for.

    Args:
        port: where commands come from and reports go.
        clock: monotonic seconds, for pace and heartbeats.
    """

    def __init__(self, port: Port, clock: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._clock = clock

    def run(self) -> None:
        """Obey until the service is gone."""
        log.info("warming up: where no compiled code is cached yet this takes some seconds")
        log.info("warm after %.2f s", warm_up())
        self._port.send(Message("ready"))
        while True:
            message = self._port.receive(None)
            if message is None:
                continue
            if message.kind == "train":
                self._train(Job.model_validate(dict(message.fields)))
            else:
                # It was meant for a run that has just ended by itself.
                self._port.send(Message("obeyed", {"command": message.kind, "run_id": message.fields.get("run_id")}))

    def _train(self, job: Job) -> None:
        token = logs.run_id.set(job.run_id)
        try:
            JobTraining(job, self._port, self._clock).run()
        except (EngineError, dataset_file.DatasetFileError, OSError, MemoryError) as error:
            log.error("the run failed: %s", error)
            reason = "out of memory" if isinstance(error, MemoryError) else str(error)
            self._port.send(Message("failed", {"run_id": job.run_id, "reason": reason}))
        finally:
            logs.run_id.reset(token)


class JobTraining:
    """One job: the loop of chunk, report, look for commands."""

    def __init__(self, job: Job, port: Port, clock: Callable[[], float]) -> None:
        data = dataset_file.read(job.data_path)
        parameters = network_spec.from_json(job.parameters)
        self._job = job
        self._port = port
        self._clock = clock
        self._training = Training.start(
            data.x,
            data.y,
            parameters,
            seed=job.seed,
            x_val=data.x_val,
            y_val=data.y_val,
            backend=job.backend,
        )
        self._pacer = Pacer(job.pace, clock())
        self._report = Report(job.run_id, port, clock)
        self._curve = Curve(SNAPSHOT_ROWS)
        self._is_paused = False
        self._is_stopped = False

    def run(self) -> None:
        """Train to the end, or until told to stop."""
        training = self._training
        name = self._job.dataset_id or f"inline data {self._job.dataset_checksum[:16]}"
        log.info("training on %s with %s", name, training.backend)
        self._report.send(training)
        while training.finished is None and not self._is_stopped:
            self._report.send_if_due(training)
            message = self._port.receive(self._idle_s())
            if message is not None:
                self._obey(message)
            elif not self._is_paused and (allowance := self._pacer.allowance(self._clock())) != 0:
                self._advance(allowance)
        if training.finished is not None:
            self._finish(training.finished)

    def _idle_s(self) -> float:
        """How long to wait for a command: no CPU burns while paused, or while the pace lets nothing be done."""
        if self._is_paused:
            return HEARTBEAT_S
        return min(self._pacer.wait_s(self._clock()), HEARTBEAT_S)

    def _advance(self, allowance: int | None) -> None:
        progress = self._training.advance(allowance)
        self._pacer.spend(len(progress.rows))
        rows = _rows(progress, self._training.parameters)
        self._report.add(progress, rows)
        self._curve.append(rows)
        if (unit := progress.installed) is not None:
            log.info("installed unit %d at epoch %d, score %.4f", unit.index, unit.epoch, unit.score)
            self._snapshot()

    def _finish(self, outcome: Outcome) -> None:
        self._snapshot()
        self._report.send(self._training)
        units = self._training.network.n_hidden_units
        log.info("%s after %d epochs with %d hidden units", outcome, self._training.epoch, units)
        self._port.send(Message("finished", {"run_id": self._job.run_id, "outcome": outcome}))

    def _obey(self, message: Message) -> None:
        if message.kind == "change":
            self._change(message)
        elif message.kind in ("pause", "resume"):
            self._is_paused = message.kind == "pause"
            # What was saved up while paused is not caught up.
            self._pacer.change(self._pacer.pace, self._clock())
        elif message.kind == "stop":
            self._is_stopped = True
            self._snapshot()
        log.info("%s at epoch %d", message.kind, self._training.epoch)
        self._report.send(self._training)
        self._port.send(Message("obeyed", {"command": message.kind, "run_id": self._job.run_id}))

    def _change(self, message: Message) -> None:
        parameters = message.fields.get("parameters")
        if isinstance(parameters, dict) and parameters:
            self._training.set_parameters(network_spec.replaced(self._training.parameters, parameters))
        if "pace" in message.fields:
            pace = message.fields["pace"]
            self._pacer.change(float(pace) if isinstance(pace, int | float) else None, self._clock())

    def _snapshot(self) -> None:
        training, job = self._training, self._job
        network = training.network
        card = Card(
            run_id=job.run_id,
            epoch=training.epoch,
            hidden_units=network.n_hidden_units,
            created_at=time.time(),
            seed=job.seed,
            task=network.task,
            parameters=network_spec.as_json(training.parameters),
            dataset_id=job.dataset_id,
            dataset_checksum=job.dataset_checksum,
            backend=training.backend,
            versions={**job.versions, **versions.of_machine()},
            outcome=training.finished,
        )
        snapshot_folder.write(job.snapshot_folder, Snapshot(card, network, training.state(), self._curve.columns()))


class Report:
    """Collects what chunks did and sends it at most twenty times a second; sends a heartbeat when there is nothing."""

    def __init__(self, run_id: str, port: Port, clock: Callable[[], float]) -> None:
        self._run_id = run_id
        self._port = port
        self._clock = clock
        self._sent_at = float("-inf")
        self._rows: list[Rows] = []
        self._installed: list[dict[str, JsonValue]] = []
        self._scores = np.empty(0, np.float32)

    def add(self, progress: Progress, rows: Rows) -> None:
        """Take what one chunk did, and its rows."""
        self._rows.append(rows)
        if progress.candidate_scores is not None:
            self._scores = progress.candidate_scores
        if (unit := progress.installed) is not None:
            self._installed.append({"index": unit.index, "score": unit.score, "epoch": unit.epoch})

    def send_if_due(self, training: Training) -> None:
        """Send when a slice has passed since the last report, a heartbeat when a second has."""
        silent_s = self._clock() - self._sent_at
        if self._rows and silent_s >= SLICE_S:
            self.send(training)
        elif silent_s >= HEARTBEAT_S:
            self._port.send(Message("heartbeat", {"run_id": self._run_id, "epoch": training.epoch}))
            self._sent_at = self._clock()

    def send(self, training: Training) -> None:
        """Send what was collected, with the network as it stands."""
        network = training.network
        rows = np.concatenate([np.empty(0, ROW), *self._rows])
        fields: dict[str, JsonValue] = {
            "run_id": self._run_id,
            "phase": training.phase,
            "epoch": training.epoch,
            "task": network.task,
            "installed": list(self._installed),
        }
        arrays: dict[str, NDArray[np.generic]] = {
            "rows": rows.view(np.uint8),
            "scores": self._scores,
            **network.arrays(),
        }
        self._port.send(Message("progress", fields, arrays))
        self._rows, self._installed, self._scores = [], [], np.empty(0, np.float32)
        self._sent_at = self._clock()


def _rows(progress: Progress, parameters: Parameters) -> Rows:
    rows = np.empty(len(progress.rows), ROW)
    for name in ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "score"):
        rows[name] = getattr(progress.rows, name)
    rows["time"] = time.time()
    rows["learning_rate"] = parameters.rate(progress.phase)
    rows["hidden_units"] = progress.n_hidden_units
    rows["phase"] = progress.phase == "candidate"
    return rows


def main() -> None:
    """Run the trainer on standard input and output."""
    # Signals may reach the whole group: the service decides when the trainer ends, by ending its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logs.configure(os.environ.get("JUNIPER_CASCOR_LOG_LEVEL", "INFO"))
    # What a library prints must not get between the frames.
    write_fd = os.dup(1)
    os.dup2(2, 1)
    try:
        Trainer(Port(0, write_fd)).run()
    except (ServiceGoneError, BrokenPipeError):
        log.info("the service is gone")
        sys.exit(0)


if __name__ == "__main__":
    main()
