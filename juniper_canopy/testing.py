"""A backend in this process that grows a made-up cascade: what a page shows can be tested without any service."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from typing import Literal

from juniper_canopy.backend.protocol import StoredDataset
from juniper_canopy.backend.updates import (
    Alive,
    Connected,
    Disconnected,
    Grown,
    Installed,
    Measured,
    Reported,
    Scored,
    Update,
)
from juniper_common.health import Probe
from juniper_common.http import ConflictError
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    ChangeParameters,
    Commanded,
    DatasetData,
    DecisionBoundary,
    HiddenUnit,
    MetricRow,
    MetricsMessage,
    Monitor,
    NetworkStats,
    PhaseName,
    Points,
    StartTraining,
    StateMachine,
    Status,
    Topology,
    TrainingStarted,
    TrainingState,
    TrainingStatus,
)

EPOCHS_PER_PHASE = 12
POOL = 8


class GrowingBackend:
    """Fulfils BackendProtocol. Nothing happens by itself: `advance` trains some epochs, tests say when."""

    mode: Literal["service"] = "service"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.started: list[StartTraining] = []
        self.changes: list[ChangeParameters] = []
        self.closed = False
        self._status: Status = "STOPPED"
        self._updates: asyncio.Queue[Update] = asyncio.Queue()
        self._runs = 0
        self._seq = 0
        self._rows: list[MetricRow] = []
        self._pace: float | None = 50.0

    # What a test does

    def connect(self, *, resumed: bool = False) -> None:
        """The stream comes up."""
        self.tell(Connected(resumed))

    def disconnect(self, reason: str = "refused") -> None:
        """The stream breaks."""
        self.tell(Disconnected(reason))

    def tell(self, update: Update) -> None:
        """Say anything."""
        self._updates.put_nowait(update)

    def beat(self) -> None:
        """The trainer's heart beats."""
        self.tell(Alive(self.run_id))

    def advance(self, epochs: int) -> None:
        """Train, and tell of it as the training service does: rows, scores, installations."""
        for _ in range(epochs):
            before = self.units
            self._train_epoch()
            self._tell_metrics()
            if self._phase == "CANDIDATE":
                self.tell(Scored(self._known_run(), self._progress()))
            if self.units > before:
                self.tell(Installed(self._known_run(), self._installation()))
                self.tell(Grown(self._known_run(), self._network()))

    def complete(self) -> None:
        """The run ends by itself."""
        self._set_status("COMPLETED")

    @property
    def untold(self) -> int:
        """How many updates wait for whoever follows."""
        return self._updates.qsize()

    def forget_untold(self) -> None:
        """Nobody was there to hear them."""
        while not self._updates.empty():
            self._updates.get_nowait()

    @property
    def run_id(self) -> str | None:
        """The run in the foreground."""
        return self._known_run() if self._runs else None

    @property
    def epoch(self) -> int:
        """The last epoch."""
        return self._rows[-1].epoch if self._rows else 0

    @property
    def units(self) -> int:
        """Installed units: one after each candidate phase."""
        return self.epoch // (2 * EPOCHS_PER_PHASE)

    # BackendProtocol

    async def updates(self) -> AsyncIterator[Update]:
        """What was told, in order."""
        while True:
            yield await self._updates.get()

    async def status(self) -> TrainingStatus:
        """The state as it stands."""
        return self._report()

    async def history(self, count: int) -> list[MetricRow]:
        """The last rows."""
        return self._rows[-count:]

    async def topology(self) -> Topology | None:
        """The network."""
        return self._network() if self._runs else None

    async def statistics(self) -> NetworkStats | None:
        """Figures of the weights."""
        if not self._runs:
            return None
        return NetworkStats(
            total_hidden_units=self.units,
            output_weight_mean=0.0,
            output_weight_std=1.0,
            output_weight_min=-2.0,
            output_weight_max=2.0,
        )

    async def dataset(self) -> DatasetData | None:
        """Two spirals."""
        if not self._runs:
            return None
        rows = [[*_spiral(k / 100, arm)] for k in range(100) for arm in (0, 1)]
        classes = [arm for _ in range(100) for arm in (0, 1)]
        return DatasetData(
            dataset_id="spiral-1.0-0123456789abcdef",
            train_x=rows[:160],
            train_y=classes[:160],
            val_x=rows[160:],
            val_y=classes[160:],
        )

    async def decision_boundary(self, resolution: int) -> DecisionBoundary | None:
        """A field that takes the spirals' form as units come."""
        if not self._runs:
            return None
        ticks = [-12 + 24 * k / (resolution - 1) for k in range(resolution)]
        return DecisionBoundary(
            x_range=(-12, 12),
            y_range=(-12, 12),
            resolution=resolution,
            grid_x=[ticks for _ in ticks],
            grid_y=[[y for _ in ticks] for y in ticks],
            predictions=[[_side(x, y, self.units) for x in ticks] for y in ticks],
            features=(0, 1),
            held_at=[0.0, 0.0],
            run_id=self.run_id,
            hidden_units=self.units,
        )

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Begin a run."""
        self.calls.append("start")
        self.started.append(request)
        self._demand("STOPPED", "COMPLETED", "FAILED")
        self._runs += 1
        self._rows = []
        self._pace = request.params.pace
        self._set_status("STARTED")
        return TrainingStarted(timestamp=0.0, run_id=self._known_run())

    async def pause(self) -> Commanded:
        """Halt."""
        self._demand("STARTED")
        return self._command("pause", "PAUSED")

    async def resume(self) -> Commanded:
        """Go on."""
        self._demand("PAUSED")
        return self._command("resume", "STARTED")

    async def stop(self) -> Commanded:
        """End."""
        self._demand("STARTED", "PAUSED")
        return self._command("stop", "STOPPED")

    async def reset(self) -> Commanded:
        """Forget."""
        self._runs = 0
        self._rows = []
        return self._command("reset", "STOPPED")

    async def set_params(self, change: ChangeParameters) -> None:
        """Note the change."""
        self.changes.append(change)
        self._pace = change.pace
        self.tell(Reported(self._report()))

    async def stored_datasets(self) -> list[StoredDataset]:
        """One dataset."""
        return [StoredDataset("moon-1.0-feedbeefdeadcafe", "moon, 200 patterns (feedbe)")]

    def probes(self) -> Mapping[str, Probe]:
        """Nothing to ask."""
        return {}

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    # The made-up training

    @property
    def _phase(self) -> PhaseName:
        return "CANDIDATE" if (self.epoch // EPOCHS_PER_PHASE) % 2 else "OUTPUT"

    def _known_run(self) -> str:
        return f"run-{self._runs}"

    def _demand(self, *states: Status) -> None:
        if self._status not in states:
            raise ConflictError(409, f"not in state {self._status}")

    def _command(self, name: str, status: Status) -> Commanded:
        self.calls.append(name)
        self._set_status(status)
        return Commanded(status=status, timestamp=0.0, run_id=self.run_id)

    def _set_status(self, status: Status) -> None:
        self._status = status
        self.tell(Reported(self._report()))

    def _report(self) -> TrainingStatus:
        active = self._status in ("STARTED", "PAUSED")
        phase: PhaseName = self._phase if active else "IDLE"
        return TrainingStatus(
            state_machine=StateMachine(status=self._status, phase=phase),
            monitor=Monitor(
                is_training=self._status == "STARTED",
                current_epoch=self.epoch,
                current_hidden_units=self.units,
                current_phase=phase,
                total_metrics=len(self._rows),
            ),
            training_state=TrainingState(outcome="solved" if self._status == "COMPLETED" else None),
            network_loaded=self._runs > 0,
            training_active=active,
            run_id=self.run_id,
            dataset_id="spiral-1.0-0123456789abcdef" if self._runs else None,
            seed=7 if self._runs else None,
            pace=self._pace,
        )

    def _train_epoch(self) -> None:
        epoch = self.epoch + 1
        units = epoch // (2 * EPOCHS_PER_PHASE)
        phase: Literal["output", "candidate"] = "candidate" if (epoch // EPOCHS_PER_PHASE) % 2 else "output"
        settled = epoch if phase == "output" else epoch - epoch % EPOCHS_PER_PHASE
        loss = 0.25 * math.exp(-0.1 * units) * (1 + 0.08 * math.exp(-(settled % EPOCHS_PER_PHASE)))
        accuracy = 1 - 2 * loss
        self._rows.append(
            MetricRow(
                epoch=epoch,
                train_loss=loss,
                train_accuracy=accuracy,
                val_loss=1.1 * loss,
                val_accuracy=accuracy - 0.02,
                loss=loss,
                accuracy=accuracy,
                validation_loss=1.1 * loss,
                validation_accuracy=accuracy - 0.02,
                hidden_units=units,
                phase=phase,
                learning_rate=0.05,
                score=0.1 if phase == "candidate" else None,
                timestamp=1000.0 + epoch,
            )
        )

    def _tell_metrics(self) -> None:
        row = self._rows[-1]
        self._seq += 1
        points = Points(
            epoch=[row.epoch],
            train_loss=[row.train_loss],
            train_accuracy=[row.train_accuracy],
            val_loss=[row.val_loss],
            val_accuracy=[row.val_accuracy],
            hidden_units=[row.hidden_units],
        )
        self.tell(Measured(self._known_run(), self._seq, MetricsMessage(**row.model_dump(), points=points)))

    def _progress(self) -> CandidateProgress:
        scores: list[float | None] = [0.05 * (k + 1) + 0.03 * math.sin(self.epoch / 3 + k) for k in range(POOL)]
        return CandidateProgress(epoch=self.epoch, scores=scores, best_score=max(s for s in scores if s is not None))

    def _installation(self) -> CascadeAdd:
        return CascadeAdd(
            hidden_unit_index=self.units - 1, correlation=0.4, total_hidden_units=self.units, epoch=self.epoch
        )

    def _network(self) -> Topology:
        units = [
            HiddenUnit(id=k, weights=[_weight(k, j) for j in range(2 + k)], bias=_weight(k, 99), activation="tanh")
            for k in range(self.units)
        ]
        return Topology(
            input_size=2,
            output_size=2,
            hidden_units=units,
            output_weights=[[_weight(o + 50, j) for j in range(2 + self.units)] for o in (0, 1)],
            output_bias=[0.3, -0.3],
        )


def _weight(unit: int, source: int) -> float:
    return 2 * math.sin(7.3 * unit + 3.1 * source)


def _spiral(share: float, arm: int) -> tuple[float, float]:
    angle = 6 * math.pi * share + math.pi * arm
    return 10 * share * math.cos(angle), 10 * share * math.sin(angle)


def _side(x: float, y: float, units: int) -> int:
    turn = math.atan2(y, x) / math.pi - 0.6 * math.hypot(x, y) * min(units, 20) / 20
    return int(turn % 2 > 1)
