"""Runs on the wire: the record of every training ever started, and how many are asked for at once.

Times are Unix seconds. A run is a function of its record: the dataset's checksum, `params`, `seed`, `backend`,
`versions`, and `changes`, each of which took effect in the first phase that began after its epoch.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from juniper_common.wire.rows import RowsRequest
from juniper_common.wire.training import DatasetSource, InlineData, OnRestart, RunParameters, Status

MAX_RUNS_POSTED = 1_000

Origin = Literal["fresh", "grow_on", "resume"]
"""Grown from nothing, from a network that was there, or from the middle of another run."""

RunOrder = Literal[
    "created_at",
    "status",
    "dataset_id",
    "seed",
    "epochs",
    "hidden_units",
    "duration",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
]
"""What a list of runs can be sorted by: fields of the record, how long it trained, the last value of a metric."""

Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Notes = Annotated[str, StringConstraints(max_length=10_000)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunRecord(BaseModel):
    """What is kept of every training ever started."""

    id: str
    status: Status
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    seed: int
    params: dict[str, JsonValue] = Field(description="Every engine parameter, as the run began.")
    pace: float | None
    dataset_id: str | None
    dataset_checksum: str = Field(description="SHA-256 of the NPZ file that the run began on.")
    backend: str
    versions: dict[str, str]
    host: str = ""
    epochs: int = 0
    hidden_units: int = 0
    outcome: str | None = Field(default=None, description="Why growth ended, where it ended by itself.")
    reason: str | None = Field(default=None, description="Why it was ended, failed, or waits.")
    on_restart: OnRestart = "resume"
    origin: Origin = "fresh"
    parent_snapshot_id: str | None = Field(default=None, description="What it was grown on from, or resumed from.")
    sweep_id: str | None = Field(default=None, description="The same for all runs that were posted together.")
    notes: str = ""
    tags: list[str] = []


class StateChange(BaseModel):
    """A run's status from this moment on."""

    time: float
    status: Status
    reason: str | None = None


class RunChange(BaseModel):
    """What was changed while the run trained; phases that began after this epoch have it."""

    epoch: int
    time: float
    params: dict[str, JsonValue] = Field(default={}, description="The engine parameters that were set.")
    dataset_id: str | None = None
    dataset_checksum: str | None = Field(default=None, description="Of the dataset swapped in; null: the same data.")


class RunDetail(RunRecord):
    """The answer of `GET /v1/runs/{id}`."""

    state_changes: list[StateChange]
    changes: list[RunChange]
    metrics: dict[str, float] = Field(description="The last value of each metric.")


class RunList(BaseModel):
    """The answer of `GET /v1/runs`."""

    runs: list[RunRecord]
    total: int = Field(default=0, description="How many there are in all that match.")
    metrics: dict[str, dict[str, float]] = Field(
        default={}, description="By the id of each of these runs, the last value of each of its metrics."
    )


class StartRuns(RowsRequest):
    """The body of `POST /v1/runs`: one run, or one for each combination of `sweep` and `seeds`."""

    dataset: DatasetSource | None = None
    inline_data: InlineData | None = None
    params: RunParameters = RunParameters()
    epochs: int | None = Field(default=None, ge=1, description="A budget over both phases: max_epochs.")
    sweep: dict[str, list[JsonValue]] = Field(
        default={}, description="Values of parameters; every combination of them is a run."
    )
    seeds: list[Annotated[int, Field(ge=0, lt=2**63)]] = Field(default=[], description="One run for each of them.")
    on_restart: OnRestart | None = Field(default=None, description="null: as the service is set.")
    notes: Notes = ""
    tags: list[Tag] = Field(default=[], max_length=100)


class RunsQueued(BaseModel):
    """The answer of `POST /v1/runs`: the runs in the order in which they will be trained."""

    runs: list[RunRecord]
    sweep_id: str | None = Field(description="Null for a single run.")


class AnnotateRun(_Request):
    """The body of `PATCH /v1/runs/{id}`: what is left out stays."""

    notes: Notes | None = None
    tags: list[Tag] | None = Field(default=None, max_length=100)


class Series(BaseModel):
    """One metric as columns of equal length."""

    step: list[int] = Field(description="Epochs, counted through the run.")
    value: list[float]
    time: list[float]


class RunMetrics(BaseModel):
    """The answer of `GET /v1/runs/{id}/metrics`."""

    run_id: str
    series: dict[str, Series]


class RunComparison(BaseModel):
    """The answer of `GET /v1/runs/compare`."""

    runs: list[RunRecord]
    differing: dict[str, dict[str, JsonValue]] = Field(
        description="Each field or parameter (`params.NAME`) in which the runs differ: its value by run id."
    )
    metrics: dict[str, dict[str, Series]] = Field(description="By metric, then by run id.")
