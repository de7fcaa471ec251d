"""One run of the fake service: a recording that goes on as far as somebody lets it.

What it says is what the real service said; what the real service decides is decided by the service's own state machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import BaseModel, JsonValue

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import network_spec, views
from juniper_cascor.runs import state_machine as machine
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.state_machine import CommandNotAllowedError, State
from juniper_cascor.testing.recording import Recording
from juniper_common.errors import ConflictError
from juniper_common.wire.runs import RunChange, RunDetail, RunRecord, Series, StateChange
from juniper_common.wire.training import (
    ChangeParameters,
    MetricRow,
    MetricsMessage,
    Monitor,
    PhaseName,
    Points,
    StateMachine,
    Status,
    TrainingEvent,
    TrainingState,
    TrainingStatus,
)

_NOTHING = Series(step=[], value=[], time=[])

Say = Callable[["FakeRun", str, BaseModel], None]
"""Tells the watchers: of what run, the message's type and its data."""


class FakeRun:
    """A run as the service knows it.

    Args:
        record: what is kept of it.
        recording: what it does.
        spec: the network that it grows.
        say: tells its watchers.
        clock: Unix seconds.
        epoch: where it begins.
    """

    def __init__(
        self,
        record: RunRecord,
        recording: Recording,
        spec: NetworkSpec,
        *,
        say: Say,
        clock: Callable[[], float],
        epoch: int = 0,
    ) -> None:
        self.record = record
        self.recording = recording
        self.state = State(epoch=epoch)
        self.changes: list[RunChange] = []
        self.parameters = spec.parameters
        self.dataset_id, self.dataset_checksum = record.dataset_id, record.dataset_checksum
        self._spec = spec
        self._say = say
        self._clock = clock
        self._state_changes = [StateChange(time=record.created_at, status=record.status)]

    @property
    def run_id(self) -> str:
        """The run."""
        return self.record.id

    # What happens

    def begin(self) -> None:
        """It is the run's turn."""
        self.record = self.record.model_copy(update={"started_at": self.record.started_at or self._clock()})
        self._apply(machine.Begun())

    def command(self, command: machine.Command) -> None:
        """Pause, resume or stop. Raises ConflictError from a state that does not allow it."""
        try:
            self._apply(machine.Asked(command))
        except CommandNotAllowedError as error:
            raise ConflictError(str(error)) from error
        if self.state.is_active:
            self._apply(machine.Obeyed(command))

    def change(self, request: ChangeParameters) -> None:
        """Set parameters, and the pace. Raises UnprocessableError, ConflictError where it is not trained."""
        wanted = network_spec.changed(self.parameters, request)
        if not self.state.is_active:
            raise ConflictError(f"cannot change what is not trained: training is {self.state.status}")
        old, new = network_spec.as_json(self.parameters), network_spec.as_json(wanted)
        if different := {name: value for name, value in new.items() if value != old[name]}:
            self.changes.append(RunChange(epoch=self.state.epoch, time=self._clock(), params=different))
        self.parameters = wanted
        self.record = self.record.model_copy(update=request.model_dump(include={"pace"}, exclude_unset=True))
        self.announce()

    def swap(self, dataset_id: str | None, checksum: str) -> None:
        """Train on other data, as far as anybody can tell: the recording goes on."""
        self.dataset_id, self.dataset_checksum = dataset_id, checksum
        self.changes.append(
            RunChange(epoch=self.state.epoch, time=self._clock(), dataset_id=dataset_id, dataset_checksum=checksum)
        )
        self.announce()

    def force(self, status: Status, phase: PhaseName | None, reason: str | None) -> None:
        """Put it into any state, whether the service could get there or not."""
        is_held = status == "PAUSED"
        phase = phase or (self.state.phase if status in ("STARTED", "PAUSED") else "IDLE")
        self.state = replace(
            self.state,
            status=status,
            phase=phase,
            is_held=is_held,
            paused_phase=phase if is_held else None,
            reason=reason,
        )
        self._note()
        self.announce()

    def advance(self, n: int) -> None:
        """Train so many epochs, if it trains; at the end of what was recorded it ends as that run did."""
        if self.state.status != "STARTED":
            return
        before = self.state.epoch
        last, outcome = self._end()
        epoch = max(before, min(before + n, last))
        rows = self.rows(before, epoch)
        if rows:
            phase: PhaseName = "CANDIDATE" if rows[-1].phase == "candidate" else "OUTPUT"
            self._apply(machine.Progressed(phase, epoch))
            for kind, data in self._news(before, rows):
                self._say(self, kind, data)
        if epoch == last:
            self._apply(machine.Ended(outcome=outcome))

    def announce(self) -> None:
        """Tell the watchers where the run stands."""
        self._say(self, "state", self.status())

    # What may be asked

    def loaded_spec(self) -> NetworkSpec:
        """The network's shape, and the run's parameters."""
        return replace(self._spec, parameters=self.parameters)

    def loaded_network(self) -> Network:
        """The network as it has grown so far."""
        return self.recording.networks[self.hidden_units] if self.state.epoch else self._spec.untrained()

    def data(self) -> TrainingData:
        """What it trains on."""
        return self.recording.training_data

    @property
    def hidden_units(self) -> int:
        """As many as it has now."""
        return self.recording.hidden_units(self.state.epoch)

    def rows(self, after: int = -1, up_to: int | None = None) -> list[MetricRow]:
        """The metric rows so far, at their times in this run."""
        later_s = self.record.created_at - self.recording.run.created_at
        rows = self.recording.rows(after, self.state.epoch if up_to is None else up_to)
        return [row.model_copy(update={"timestamp": row.timestamp + later_s}) for row in rows] if later_s else rows

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
                current_hidden_units=self.hidden_units,
                current_phase=state.phase,
                total_metrics=len(self.rows()),
            ),
            training_state=TrainingState(
                outcome=state.outcome, reason=state.reason, started_at=record.started_at, ended_at=record.ended_at
            ),
            network_loaded=True,
            training_active=state.is_active,
            run_id=record.id,
            dataset_id=self.dataset_id,
            seed=record.seed,
            pace=record.pace,
            params=network_spec.as_json(self.parameters),
        )

    def detail(self) -> RunDetail:
        """The record with all that happened to the run."""
        last = {name: series.value[-1] for name, series in self.series(None, -1, 1 << 20).items() if series.value}
        return RunDetail(
            **self.record.model_dump(), state_changes=self._state_changes, changes=self.changes, metrics=last
        )

    def series(self, names: Sequence[str] | None, after: int, limit: int) -> dict[str, Series]:
        """Of each metric the first points after an epoch."""
        recorded = self.recording.metrics.series
        chosen = {name: recorded.get(name, _NOTHING) for name in names or recorded}
        cut = {name: self._cut(series, after, limit) for name, series in chosen.items()}
        return {name: series for name, series in cut.items() if series.step or names}

    def _cut(self, series: Series, after: int, limit: int) -> Series:
        later_s = self.record.created_at - self.recording.run.created_at
        points = zip(series.step, series.value, series.time, strict=True)
        kept = [point for point in points if after < point[0] <= self.state.epoch][:limit]
        return Series(
            step=[step for step, _, _ in kept],
            value=[value for _, value, _ in kept],
            time=[time + later_s for _, _, time in kept],
        )

    # Carrying out

    def _apply(self, event: machine.Event) -> None:
        self.state, instructions = machine.transition(self.state, event)
        for instruction in instructions:
            match instruction:
                case machine.RecordRun():
                    self._note()
                case machine.Announce():
                    self.announce()
                case machine.AnnounceEnd():
                    outcome, reason = self.state.outcome, self.state.reason
                    self._say(self, "event", TrainingEvent(event="training_complete", outcome=outcome, reason=reason))

    def _note(self) -> None:
        """Bring the record up to date."""
        state, now = self.state, self._clock()
        self.record = self.record.model_copy(
            update={
                "status": state.status,
                "ended_at": now if state.is_over else None,
                "epochs": state.epoch,
                "hidden_units": self.hidden_units,
                "outcome": state.outcome,
                "reason": state.reason,
            }
        )
        self._state_changes.append(StateChange(time=now, status=state.status, reason=state.reason))

    def _end(self) -> tuple[int, str | None]:
        """The epoch at which it ends, and as what: the budget and the units that it was given may be less than were."""
        recording = self.recording
        ends = [(recording.epochs, recording.run.outcome)]
        if self.parameters.max_epochs is not None:
            ends.append((self.parameters.max_epochs, "max_epochs"))
        full = (row for row in recording.history if row.hidden_units == self.parameters.max_hidden_units)
        if first_without_room := next((row for row in full if row.phase == "candidate"), None):
            ends.append((first_without_room.epoch - 1, "max_hidden_units"))
        return min(ends, key=lambda end: end[0])

    def _news(self, before: int, rows: Sequence[MetricRow]) -> list[tuple[str, BaseModel]]:
        """What a report of these epochs is for the watchers, as `runs.progress_news` makes it of a trainer's."""
        epoch = rows[-1].epoch
        news: list[tuple[str, BaseModel]] = [("metrics", metrics_message(rows))]
        news += [("candidate_progress", score) for score in self.recording.scores if before < score.epoch <= epoch][-1:]
        installed = [unit for unit in self.recording.installs if before < unit.epoch <= epoch]
        news += [("cascade_add", unit) for unit in installed]
        if installed or before <= 0:
            news.append(("topology", views.topology(self.loaded_network())))
        return news


def metrics_message(rows: Sequence[MetricRow]) -> MetricsMessage:
    """What a watcher is told of these epochs."""
    columns: dict[str, list[JsonValue]] = {name: [getattr(row, name) for row in rows] for name in Points.model_fields}
    return MetricsMessage(**dict(rows[-1]), points=Points.model_validate(columns))
