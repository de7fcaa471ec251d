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
from pathlib import Path

from pydantic import JsonValue

from juniper_cascor.engine.errors import DeviceError, EngineError
from juniper_cascor.engine.training import warm_up
from juniper_cascor.runs import channel, dataset_file, warming
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.job import Job
from juniper_cascor.runs.job_training import JobTraining, on_cpu
from juniper_cascor.snapshots import SnapshotError
from juniper_common import logs

CPUS = "JUNIPER_CASCOR_TRAINER_CPUS"
"""The processors that this trainer may use, where several train side by side: comma-separated numbers."""

_OOM_SCORE = 500
_NICENESS = 10
"""The service answers while its trainers take every processor. A trainer that warms up takes one, and is waited for."""

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
        self._port.send(Message("ready"))
        while True:
            message = self._port.receive(None)
            if message is None:
                continue
            if message.kind == "train":
                self._train(Job.model_validate(dict(message.fields)))
            else:
                # It was meant for a run that has just ended by itself.
                told = {name: message.fields.get(name) for name in ("run_id", "number")}
                self._port.send(Message("obeyed", {"command": message.kind, **told}))

    def _train(self, job: Job) -> None:
        with logs.about(job.run_id, job.dataset_id):
            self._train_or_tell(job)

    def _train_or_tell(self, job: Job) -> None:
        try:
            JobTraining(job, self._port, self._clock).run()
        except DeviceError as error:
            log.error("the GPU is lost to this run: %s", error)
            told: dict[str, JsonValue] = {"run_id": job.run_id, "reason": str(error), "backend": on_cpu(job)}
            self._port.send(Message("device_lost", told))
            # An error of CUDA stays with the process that met it.
            sys.exit(1)
        except (EngineError, SnapshotError, dataset_file.DatasetFileError, OSError, MemoryError) as error:
            log.error("the run failed: %s", error)
            reason = "out of memory" if isinstance(error, MemoryError) else str(error)
            self._port.send(Message("failed", {"run_id": job.run_id, "reason": reason}))


def _warm_up(port: Port) -> None:
    """Have all loaded that the first run would wait for; the service hears meanwhile that this goes on."""
    log.info("warming up: where no compiled code is cached yet this takes some seconds")
    with warming.told(port.send):
        seconds = warm_up()
        import h5py  # noqa: F401 - for the first snapshot; a service that imports this module must not load it
    log.info("warm after %.2f s", seconds)


def main() -> None:
    """Run the trainer on standard input and output."""
    # Signals may reach the whole group: the service decides when the trainer ends, by ending its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logs.configure(os.environ.get("JUNIPER_CASCOR_LOG_LEVEL", "INFO"), "juniper-cascor")
    if cpus := os.environ.get(CPUS):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    # Short of memory the kernel takes the trainer, whose run can be taken up again, and not the service.
    Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    # What a library prints must not get between the frames.
    write_fd = os.dup(1)
    os.dup2(2, 1)
    port = Port(0, write_fd)
    try:
        _warm_up(port)
        os.nice(_NICENESS)
        Trainer(port).run()
    except (ServiceGoneError, BrokenPipeError):
        log.info("the service is gone")
        sys.exit(0)


if __name__ == "__main__":
    main()
