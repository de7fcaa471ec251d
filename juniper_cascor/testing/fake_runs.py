"""The fake service's runs, and the queue in which they wait for its one trainer, which is none."""

import itertools
import time
from collections.abc import Callable, Sequence

from juniper_cascor.runs import network_spec
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.testing import fake_datasets, recording
from juniper_cascor.testing.fake_datasets import FakeDataset
from juniper_cascor.testing.fake_foreground import FakeForeground
from juniper_cascor.testing.fake_run import FakeRun, Say
from juniper_cascor.testing.recording import RecordingName
from juniper_common.errors import ConflictError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunChange, RunRecord
from juniper_common.wire.training import OnRestart

ON_RESTART: OnRestart = "resume"
"""What a run's record says where nothing was asked for; the fake is never started again."""


class FakeRuns:
    """Every run there is.

    Args:
        foreground: where a run is shown.
        say: tells the watchers.
        clock: Unix seconds.
    """

    def __init__(self, foreground: FakeForeground, say: Say, clock: Callable[[], float]) -> None:
        self.by_id: dict[str, FakeRun] = {}
        self.waiting: list[FakeRun] = []
        self._foreground = foreground
        self._say = say
        self._clock = clock
        self._ids = itertools.count(1)

    @property
    def active(self) -> FakeRun | None:
        """The one that has the trainer."""
        return next((run for run in self.by_id.values() if run.state.is_active), None)

    def find(self, run_id: str, field: str = "run_id") -> FakeRun:
        """A run, whose id the request has in this field. Raises NotFoundError."""
        if run_id not in self.by_id:
            raise no_such_run(run_id, field)
        return self.by_id[run_id]

    def new_id(self) -> str:
        """An id that sorts by time, and is the same in each run of a test that gives the clock."""
        return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(self._clock()))}-{next(self._ids):08x}"

    def advance(self, n: int) -> None:
        """Train so many epochs, and let the next begin where one ended."""
        for run in list(self.by_id.values()):
            run.advance(n)
        self.begin_next()

    def advance_time(self, passed_s: float) -> None:
        """The same for so long, each at its pace."""
        for run in list(self.by_id.values()):
            run.advance_time(passed_s)
        self.begin_next()

    def check_free(self) -> None:
        """Raise ConflictError where a run that came now would have to wait."""
        if self.active is not None:
            raise ConflictError(f"1 runs train and {len(self.waiting)} wait; POST /v1/runs queues another one")

    def add(
        self,
        record: RunRecord,
        dataset: FakeDataset,
        spec: NetworkSpec,
        changes: Sequence[RunChange] = (),
    ) -> FakeRun:
        """A new run, which does not wait yet.

        Args:
            record: what is kept of it, but for its id and time.
            dataset: what it trains on.
            spec: the network that it grows.
            changes: made before it began.
        """
        own = record.model_copy(update={"id": self.new_id(), "created_at": self._clock()})
        run = FakeRun(own, dataset, spec, say=self._say, clock=self._clock, changes=changes)
        self.by_id[run.run_id] = run
        return run

    def add_recorded(self, name: RecordingName, epoch: int | None = None) -> FakeRun:
        """A recorded run itself, so far; None: to its end."""
        told = recording.load(name)
        detail = told.run
        record = RunRecord.model_validate(dict(detail)).model_copy(
            update={"status": "QUEUED", "ended_at": None, "epochs": 0, "hidden_units": 0, "outcome": None}
        )
        parameters = network_spec.from_json(detail.params)
        spec = NetworkSpec(told.network.input_size, told.network.output_size, parameters, told.network.uuid)
        dataset = fake_datasets.of(told, detail.dataset_id)
        run = FakeRun(record, dataset, spec, say=self._say, clock=lambda: detail.ended_at or detail.created_at)
        self.by_id[run.run_id] = run
        run.begin()
        run.advance(told.epochs if epoch is None else epoch)
        return run

    def launch(self, run: FakeRun) -> FakeRun:
        """Show a run, and let it begin."""
        self._foreground.show(run)
        self.enqueue(run)
        return run

    def enqueue(self, *runs: FakeRun) -> None:
        """Let runs begin when it is their turn."""
        self.waiting += [run for run in runs if run not in self.waiting]
        self.begin_next()

    def begin_next(self) -> None:
        """Let the next run begin, if none trains."""
        self.waiting = [run for run in self.waiting if run.state.status == "QUEUED"]
        while self.waiting and self.active is None:
            run = self.waiting.pop(0)
            self._foreground.offer(run)
            run.begin()

    def delete(self, run_id: str) -> None:
        """Forget a run. Raises NotFoundError, ConflictError."""
        run = self.find(run_id)
        if not run.state.is_over:
            problem = f"the run is {run.state.status}; stop it first"
            raise ConflictError(problem, (FieldProblem(loc=["run_id"], msg=problem),))
        del self.by_id[run_id]
        self._foreground.forget(run)
