"""One run of the fake service: a recording that goes on as far as somebody lets it.

What it says is what the real service said; what the real service decides is decided by the service's own state machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.runs import network_spec, new_run, progress_news
from juniper_cascor.runs import state_machine as machine
from juniper_cascor.runs.history import History
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.run_status import status_of
from juniper_cascor.runs.state_machine import CommandNotAllowedError, State
from juniper_cascor.testing.fake_datasets import FakeDataset
from juniper_cascor.testing.fake_trainer import FakeTrainer
from juniper_common.errors import ConflictError
from juniper_common.wire.runs import RunChange, RunDetail, RunRecord, Series, StateChange
from juniper_common.wire.training import (
    ChangeParameters,
    Heartbeat,
    PhaseName,
    Status,
    TrainingEvent,
    TrainingStatus,
)

FULL_SPEED = 2_000.0
"""Epochs a second, where no pace is set."""

HEARTBEAT_S = 1.0
"""A trainer that has had nothing to tell for so long says that it is alive."""

Say = Callable[["FakeRun", str, BaseModel], None]
"""Tells the watchers: of what run, the message's type and its data."""


class FakeRun:
    """A run as the service knows it.

    Args:
        record: what is kept of it, and where it begins.
        dataset: what it trains on, and so what it does.
        spec: the network that it grows.
        say: tells its watchers.
        clock: Unix seconds.
        changes: made before it began.
    """

    def __init__(
        self,
        record: RunRecord,
        dataset: FakeDataset,
        spec: NetworkSpec,
        *,
        say: Say,
        clock: Callable[[], float],
        changes: Sequence[RunChange] = (),
    ) -> None:
        self.record = record
        self.dataset = dataset
        self.trainer = FakeTrainer(dataset.recording, record.created_at)
        self.state = State(epoch=record.epochs)
        self.changes = list(changes)
        self._spec = spec
        self._say = say
        self._clock = clock
        self._due_epochs = 0.0
        self._silent_s = 0.0
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
        self.changes += new_run.changes_between(self.parameters, wanted, self.state.epoch)
        self.record = self.record.model_copy(update=request.model_dump(include={"pace"}, exclude_unset=True))
        self.announce()

    def swap(self, dataset: FakeDataset) -> None:
        """Train on other data, as far as anybody can tell: the recording goes on. Raises UnprocessableError."""
        new_run.check_shape(self.loaded_spec(), dataset.found, "a swap keeps the network")
        new_run.check_classes(self.parameters, dataset.found)
        self.dataset = dataset
        change = {"dataset_id": self.dataset_id, "dataset_checksum": self.dataset_checksum}
        self.changes.append(RunChange(epoch=self.state.epoch, time=self._clock(), **change))
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
        before, known = self.state.epoch, self.loaded_network() if self.state.epoch else None
        last, outcome = self.trainer.end(self.parameters)
        epoch = max(before, min(before + n, last))
        if epoch > before:
            news = progress_news.of(self.trainer.report(before, epoch), before, known)
            phase: PhaseName = "CANDIDATE" if news.rows[-1]["phase"] else "OUTPUT"
            self._apply(machine.Progressed(phase, epoch))
            self.record = self.record.model_copy(update={"epochs": epoch, "hidden_units": self.hidden_units})
            for kind, data in news.messages:
                self._say(self, kind, data)
        if epoch == last:
            self._apply(machine.Ended(outcome=outcome))

    def advance_time(self, passed_s: float) -> None:
        """Train for so long at the run's pace."""
        if not self.state.is_active:
            return
        before = self.state.epoch
        if self.state.status == "STARTED":
            self._due_epochs += passed_s * (self.record.pace or FULL_SPEED)
            whole = int(self._due_epochs)
            self._due_epochs -= whole
            self.advance(whole)
        self._silent_s = 0.0 if self.state.epoch > before else self._silent_s + passed_s
        if self._silent_s >= HEARTBEAT_S and self.state.is_active:
            self._silent_s = 0.0
            self._say(self, "heartbeat", Heartbeat(epoch=self.state.epoch))

    def announce(self) -> None:
        """Tell the watchers where the run stands."""
        self._say(self, "state", self.status())

    # What may be asked

    @property
    def dataset_id(self) -> str | None:
        """What it trains on, as the data service names it."""
        return self.dataset.found.dataset_id

    @property
    def dataset_checksum(self) -> str:
        """What it trains on."""
        return self.dataset.found.checksum

    @property
    def parameters(self) -> Parameters:
        """As they are now."""
        return self.parameters_at(self.state.epoch)

    def parameters_at(self, epoch: int) -> Parameters:
        """As they were at an epoch."""
        parameters = network_spec.from_json(self.record.params)
        for change in self.changes:
            if change.epoch <= epoch:
                parameters = network_spec.replaced(parameters, change.params)
        return parameters

    def loaded_spec(self) -> NetworkSpec:
        """The network's shape, and the run's parameters."""
        return replace(self._spec, parameters=self.parameters)

    def loaded_network(self) -> Network:
        """The network as it has grown so far."""
        return self.trainer.network(self.state.epoch) if self.state.epoch else self._spec.untrained()

    @property
    def hidden_units(self) -> int:
        """As many as it has now."""
        return self.trainer.recording.hidden_units(self.state.epoch)

    @property
    def history(self) -> History:
        """The epochs so far."""
        return History.of(self.trainer.rows(-1, self.state.epoch))

    def status(self) -> TrainingStatus:
        """All that is to be said of the run."""
        return status_of(
            self.record,
            self.state,
            self.parameters,
            dataset_id=self.dataset_id,
            hidden_units=self.hidden_units,
            total_metrics=len(self.history),
            network_loaded=True,
        )

    def detail(self) -> RunDetail:
        """The record with all that happened to the run."""
        series = self.series(None, -1, 1 << 20)
        last = {name: own.value[-1] for name, own in series.items() if own.value}
        return RunDetail(
            **self.record.model_dump(), state_changes=self._state_changes, changes=self.changes, metrics=last
        )

    def series(self, names: Sequence[str] | None, after: int, limit: int) -> dict[str, Series]:
        """Of each metric the first points after an epoch."""
        return self.trainer.series(names, after, self.state.epoch, limit)

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
