"""The state of training as this process knows it, and what of it has changed since it was last told.

Updates go in, a `Delta` comes out. It knows nothing of sockets; the clock is an argument.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from juniper_canopy.backend.protocol import Mode
from juniper_canopy.backend.updates import (
    TRAINER_UPDATES,
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
from juniper_canopy.state.columns import MetricColumns
from juniper_canopy.state.history import Installation, RunHistory
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture
from juniper_common.wire.training import CandidateProgress, Topology, TrainingStatus

RUNS_KEPT = 4
HISTORY_ROWS = 4_000
"""What a page gets of a run when it opens: more than any screen has columns."""

FRAME_ROWS = 100
"""What a page gets of one tick, however fast the trainer is."""


@dataclass(slots=True)
class Delta:
    """What changed. `reset` says that the points are all there are, not more of them."""

    reset: bool = False
    points: MetricColumns | None = None
    installations: list[Installation] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    """Which of state, candidates, topology, boundary, dataset and link to tell anew."""

    def __bool__(self) -> bool:
        return self.reset or self.points is not None or bool(self.installations) or bool(self.parts)


PARTS = frozenset({"state", "candidates", "topology", "boundary", "dataset", "link"})


class LiveState:
    """What is known now. `clock` tells seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.mode: Mode = "service"
        self.status: TrainingStatus | None = None
        self.candidates: CandidateProgress | None = None
        self.topology: Topology | None = None
        self.boundary: BoundaryPicture | None = None
        self.dataset: DatasetPicture | None = None
        self.link_up = False
        self.link_problem = "not connected yet"
        self._clock = clock
        self._trainer_heard_at: float | None = None
        self._runs: OrderedDict[str | None, RunHistory] = OrderedDict()
        self._run_id: str | None = None
        self._delta = Delta()
        self._told_rows = 0

    @property
    def run_id(self) -> str | None:
        """The run that is shown."""
        return self._run_id

    @property
    def run(self) -> RunHistory | None:
        """The points of the run that is shown, or of the one that a loaded network came from."""
        return self._runs.get(self._run_id)

    @property
    def runs_held(self) -> int:
        """How many runs' points are kept."""
        return len(self._runs)

    def turn_to(self, mode: Mode) -> None:
        """What comes from now on is of real services, or of recordings: nothing of the others is kept."""
        if mode == self.mode:
            return
        self.mode = mode
        self.status = None
        self._trainer_heard_at = None
        self._show_nothing()
        self._runs.clear()
        self._delta.parts |= PARTS

    def data_age_s(self) -> float | None:
        """How long ago the trainer itself was heard, or None. No other message makes data young."""
        return None if self._trainer_heard_at is None else self._clock() - self._trainer_heard_at

    def apply(self, update: Update) -> None:
        """Take in one update."""
        if isinstance(update, TRAINER_UPDATES):
            self._trainer_heard_at = self._clock()
        match update:
            case Connected():
                self._set_link(up=True, problem="")
            case Disconnected(reason=reason):
                self._set_link(up=False, problem=reason)
            case Reported(status=status):
                self.report(status)
            case Measured(run_id=run_id, seq=seq, metrics=metrics):
                self._measure(run_id, seq, MetricColumns.of_points(metrics.points, metrics.timestamp))
            case Scored(run_id=run_id, progress=progress):
                self.show_run(run_id)
                self.candidates = progress
                self._delta.parts.add("candidates")
            case Installed(run_id=run_id, unit=unit):
                self._install(
                    run_id,
                    Installation(unit.hidden_unit_index, unit.total_hidden_units, unit.epoch, unit.correlation),
                )
            case Grown(run_id=run_id, topology=topology):
                self.show_run(run_id)
                self.set_topology(topology)
            case Alive():
                pass

    def show_run(self, run_id: str) -> None:
        """Turn to a run. Its rows and those of another are never mixed."""
        if run_id == self._run_id:
            return
        self._run_id = run_id
        if run_id not in self._runs:
            self._runs[run_id] = RunHistory(run_id)
            while len(self._runs) > RUNS_KEPT:
                self._runs.popitem(last=False)
        self._forget_network()
        self._rewrite()

    def load(
        self, run_id: str | None, rows: MetricColumns, scores: Mapping[int, float] | None = None, units: int = 0
    ) -> None:
        """Hold the fetched history of a run in place of what was there; without an id, that of a loaded network.

        Arguments as RunHistory.replace's.
        """
        if run_id is None or self._is_replaying:
            self._runs[run_id] = RunHistory(run_id)  # a training goes on where it was; these begin anew
        if run_id is not None:
            self.show_run(run_id)
        self._runs[run_id].replace(rows, scores, units)
        self._rewrite()

    def report(self, status: TrainingStatus) -> None:
        """The training service's own words about its state."""
        self.status = status
        if status.run_id is None:
            self._show_nothing()
        else:
            self.show_run(status.run_id)
        self._delta.parts.add("state")

    def set_topology(self, topology: Topology | None) -> None:
        """The network."""
        self.topology = topology
        self._delta.parts.add("topology")

    def set_boundary(self, boundary: BoundaryPicture | None) -> None:
        """What the network decides."""
        self.boundary = boundary
        self._delta.parts.add("boundary")

    def set_dataset(self, dataset: DatasetPicture | None) -> None:
        """The patterns."""
        self.dataset = dataset
        self._delta.parts |= {"dataset", "topology", "boundary"}  # it has the names of their inputs

    @property
    def has_news(self) -> bool:
        """Whether `take` would return anything."""
        return bool(self._delta)

    def take(self) -> Delta:
        """What changed since this was last called."""
        delta, self._delta = self._delta, Delta()
        run = self.run
        if run is not None:
            if delta.reset:
                delta.points = run.columns.thinned(HISTORY_ROWS)
                delta.installations = list(run.installations)
            elif delta.points is not None:
                delta.points = delta.points.thinned(FRAME_ROWS)
        return delta

    def everything(self) -> Delta:
        """All there is to tell, for a page that opens."""
        points = self.run.columns.thinned(HISTORY_ROWS) if self.run else None
        installations = list(self.run.installations) if self.run else []
        return Delta(reset=True, points=points, installations=installations, parts=set(PARTS))

    @property
    def _is_replaying(self) -> bool:
        return self.status is not None and self.status.state_machine.status == "REPLAYING"

    def _show_nothing(self) -> None:
        if self._run_id is None:
            return
        self._run_id = None
        self._runs.pop(None, None)
        self._forget_network()
        self.set_dataset(None)
        self._rewrite()

    def _forget_network(self) -> None:
        self.candidates = None
        self.topology = None
        self.boundary = None
        self._delta.parts |= {"candidates", "topology", "boundary"}

    def _set_link(self, *, up: bool, problem: str) -> None:
        self.link_up = up
        self.link_problem = problem
        self._delta.parts.add("link")

    def _measure(self, run_id: str, seq: int, rows: MetricColumns) -> None:
        self.show_run(run_id)
        run = self._runs[run_id]
        before = run.last_epoch
        match run.append(rows, seq):
            case "appended":
                fresh = rows.take(rows.epoch > before) if before >= 0 else rows
                self._delta.points = fresh if self._delta.points is None else _joined(self._delta.points, fresh)
            case "rewritten":
                self._rewrite()
            case "nothing":
                pass

    def _install(self, run_id: str, installation: Installation) -> None:
        self.show_run(run_id)
        if self._runs[run_id].install(installation):
            self._delta.installations.append(installation)

    def _rewrite(self) -> None:
        self._delta.reset = True
        self._delta.points = None
        self._delta.installations = []


def _joined(first: MetricColumns, second: MetricColumns) -> MetricColumns:
    both = MetricColumns.empty(len(first) + len(second))
    both.write(0, first)
    both.write(len(first), second)
    return both
