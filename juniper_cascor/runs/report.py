"""What the trainer process tells the service of a training: at most twenty times a second, whatever a chunk takes."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from juniper_cascor.engine.events import Progress
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.history import ROW, Rows
from juniper_cascor.runs.pacing import SLICE_S

HEARTBEAT_S = 1.0

Send = Callable[[Message], None]


class Report:
    """Collects what chunks did and sends it; sends a heartbeat when there is nothing.

    Args:
        run_id: of the run that is reported on.
        send: to the service.
        clock: monotonic seconds.
    """

    def __init__(self, run_id: str, send: Send, clock: Callable[[], float]) -> None:
        self._run_id = run_id
        self._send = send
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
            self._send(Message("heartbeat", {"run_id": self._run_id, "epoch": training.epoch}))
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
        self._send(Message("progress", fields, arrays))
        self._rows, self._installed, self._scores = [], [], np.empty(0, np.float32)
        self._sent_at = self._clock()


def rows_of(progress: Progress, parameters: Parameters) -> Rows:
    """The epochs of a chunk as rows of the history."""
    rows = np.empty(len(progress.rows), ROW)
    for name in ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "score"):
        rows[name] = getattr(progress.rows, name)
    rows["time"] = time.time()
    rows["learning_rate"] = parameters.rate(progress.phase)
    rows["hidden_units"] = progress.n_hidden_units
    rows["phase"] = progress.phase == "candidate"
    return rows
