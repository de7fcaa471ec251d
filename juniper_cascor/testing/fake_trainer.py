"""What would train a run of the fake service: a recording, at the times of the run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs.channel import Message
from juniper_cascor.runs.history import Rows
from juniper_cascor.testing.recording import Recording
from juniper_common.wire.runs import Series

_NOTHING = Series(step=[], value=[], time=[])


@dataclass(frozen=True)
class FakeTrainer:
    """What a run does, epoch by epoch."""

    recording: Recording
    created_at: float  # the run's time, Unix seconds

    @property
    def later_s(self) -> float:
        """By so much the run is later than what was recorded."""
        return self.created_at - self.recording.run.created_at

    def end(self, parameters: Parameters) -> tuple[int, str | None]:
        """The epoch at which it ends, and as what: the budget and the units that it was given may be less than were."""
        rows = self.recording.rows
        ends = [(self.recording.epochs, self.recording.run.outcome)]
        if parameters.max_epochs is not None:
            ends.append((parameters.max_epochs, "max_epochs"))
        without_room = rows["epoch"][(rows["hidden_units"] == parameters.max_hidden_units) & (rows["phase"] == 1)]
        if len(without_room):
            ends.append((int(without_room[0]) - 1, "max_hidden_units"))
        return min(ends, key=lambda end: end[0])

    def report(self, before: int, epoch: int) -> Message:
        """What a trainer says when it has come from one epoch to another."""
        network = self.network(epoch)
        scores = [score.scores for score in self.recording.scores if before < score.epoch <= epoch]
        installed: list[JsonValue] = [
            {"index": unit.hidden_unit_index, "score": unit.correlation, "epoch": unit.epoch}
            for unit in self.recording.installs
            if before < unit.epoch <= epoch
        ]
        arrays = {"rows": self.rows(before, epoch), "scores": np.array(scores[-1] if scores else ())}
        fields: dict[str, JsonValue] = {"epoch": epoch, "task": network.task, "installed": installed}
        return Message("progress", fields, {**arrays, **network.arrays()})

    def network(self, epoch: int) -> Network:
        """The network at an epoch, 1 or later."""
        return self.recording.networks[self.recording.hidden_units(epoch)]

    def rows(self, after: int, up_to: int) -> Rows:
        """The epochs between two, the second included."""
        start, stop = np.searchsorted(self.recording.rows["epoch"], (after, up_to), side="right")
        rows = self.recording.rows[start:stop].copy()
        rows["time"] += self.later_s
        return rows

    def series(self, names: Sequence[str] | None, after: int, up_to: int, limit: int) -> dict[str, Series]:
        """Of each metric the first points between two epochs, the second included."""
        recorded = self.recording.metrics.series
        chosen = {name: recorded.get(name, _NOTHING) for name in names or recorded}
        cut = {name: self._cut(series, after, up_to, limit) for name, series in chosen.items()}
        return {name: series for name, series in cut.items() if series.step or names}

    def _cut(self, series: Series, after: int, up_to: int, limit: int) -> Series:
        points = zip(series.step, series.value, series.time, strict=True)
        kept = [point for point in points if after < point[0] <= up_to][:limit]
        return Series(
            step=[step for step, _, _ in kept],
            value=[value for _, value, _ in kept],
            time=[time + self.later_s for _, _, time in kept],
        )
