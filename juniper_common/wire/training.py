"""What the training service says of a network and its training, and what it is told.

The field names are those of the published clients. Losses are mean squared errors over patterns and outputs,
accuracies are shares in [0, 1]; None stands where a value is not defined.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from juniper_common.wire.rows import Matrix, RowsRequest, Targets
from juniper_common.wire.titles import title_of

MAX_WEIGHTS = 1_000_000
"""From inputs to outputs: a topology of more would fill the memory of whoever asks for it."""

Status = Literal["QUEUED", "STARTED", "PAUSED", "RESUME_READY", "REPLAYING", "STOPPED", "COMPLETED", "FAILED"]
"""QUEUED: waits for its turn. RESUME_READY: can be resumed from a snapshot. REPLAYING: shows a growth that was."""

OnRestart = Literal["resume", "hold"]
"""What becomes of a run that a crash or a restart interrupted: it goes on by itself, or waits for a `resume`."""

DatasetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$")]
"""One segment of a path: whatever the data service calls its datasets, nothing else is asked for under such a name."""

PhaseName = Literal["IDLE", "OUTPUT", "CANDIDATE", "INFERENCE"]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EngineParameters(_Request):
    """The engine's parameters by their own names; what is left out keeps its measured default.

    The bounds stand with the engine's own `Parameters`, which documents each field's source and effect. A title is
    what forms and tables call the field.
    """

    model_config = ConfigDict(field_title_generator=title_of)

    preset: Literal["default", "quality", "compact", "regression"] | None = Field(
        default=None, description="What the parameters that are left out are taken from, instead of the loaded network."
    )
    task: Literal["classification", "regression"] | None = None
    activation_function_name: str | None = Field(default=None, title="Activation function")
    optimizer_type: str | None = Field(default=None, title="Output optimizer")
    max_hidden_units: int | None = Field(default=None, title="Most hidden units")
    candidate_pool_size: int | None = Field(default=None, title="Candidate pool")
    candidate_objective: str | None = None
    candidate_placement: str | None = None
    candidate_optimizer_type: str | None = Field(default=None, title="Candidate optimizer")
    descendant_factor: float | None = None
    quickprop_mu: float | None = None
    output_ridge: float | None = None
    class_weights: list[float] | Literal["balanced"] | None = None
    candidate_epochs: int | None = None
    candidate_patience: int | None = None
    candidate_change_threshold: float | None = None
    candidate_learning_rate: float | None = None
    output_epochs: int | None = None
    output_patience: int | None = None
    output_change_threshold: float | None = None
    learning_rate: float | None = Field(default=None, title="Output learning rate")
    correlation_threshold: float | None = None
    error_threshold: float | None = None
    max_epochs: int | None = Field(default=None, title="Most epochs")
    max_iterations: int | None = Field(default=None, title="Most grow steps")
    patience: int | None = None
    validation_patience: int | None = None
    epochs_max: int | None = Field(default=None, description="The published clients' word for max_epochs.")


class CreateNetwork(EngineParameters):
    """The body of `POST /v1/network`."""

    input_size: int = Field(default=2, ge=1, le=100_000)
    output_size: int = Field(default=2, ge=1, le=10_000)
    init_output_weights: str | None = Field(default=None, description="Accepted from published clients.")

    @model_validator(mode="after")
    def _is_of_a_size_that_can_be_shown(self) -> Self:
        if self.input_size * self.output_size > MAX_WEIGHTS:
            raise ValueError(f"input_size times output_size is more than {MAX_WEIGHTS} weights")
        return self


class NetworkSummary(BaseModel):
    """The answer of `POST` and `GET /v1/network`."""

    input_size: int
    output_size: int
    hidden_units: int
    max_hidden_units: int
    learning_rate: float
    uuid: str
    warnings: list[str] = []


class HiddenUnit(BaseModel):
    """One installed unit: its weights see all inputs, then the units before it (a sibling: those before its layer)."""

    id: int
    weights: list[float]
    bias: float
    activation: str


class Topology(BaseModel):
    """The network as it stands: `output_weights` is one row per output, inputs first, then units."""

    input_size: int
    output_size: int
    hidden_units: list[HiddenUnit]
    output_weights: list[list[float]]
    output_bias: list[float]


class NetworkStats(BaseModel):
    """The answer of `GET /v1/network/stats`."""

    total_hidden_units: int
    output_weight_mean: float
    output_weight_std: float
    output_weight_min: float
    output_weight_max: float


class DatasetSource(_Request):
    """Where the training data comes from: the data service, by id or by generator. `inline` stands in `inline_data`."""

    source: Literal["inline", "generator", "url"] = "generator"
    url: str | None = Field(default=None, description="Of a dataset of the data service, with source url.")
    generator: str | None = None
    params: dict[str, JsonValue] = {}
    dataset_id: DatasetName | None = None


class InlineData(_Request):
    """Rows in the request: `train_y` one-hot rows, rows of one 0/1 value, or values for regression."""

    train_x: Matrix
    train_y: Targets
    val_x: Matrix | None = None
    val_y: Targets | None = None


class RunParameters(EngineParameters):
    """Engine parameters with the two that belong to the run."""

    seed: int | None = Field(default=None, ge=0, lt=2**63, description="None: one is drawn, and recorded.")
    pace: float | None = Field(default=None, gt=0, le=1e6, description="Epochs a second; None: full speed.")


class StartTraining(RowsRequest):
    """The body of `POST /v1/training/start`."""

    epochs: int | None = Field(default=None, ge=1, description="A budget over both phases: max_epochs.")
    dataset: DatasetSource | None = None
    inline_data: InlineData | None = None
    params: RunParameters = RunParameters()
    start_fresh: bool = Field(default=False, description="Forget the loaded network: its shape and parameters too.")
    grow_on: bool = Field(default=False, description="Grow on from the loaded network, not from nothing.")
    on_restart: OnRestart | None = Field(default=None, description="null: as the service is set.")

    @model_validator(mode="after")
    def _grows_from_one_place(self) -> Self:
        if self.start_fresh and self.grow_on:
            raise ValueError("start_fresh and grow_on exclude each other")
        return self


class TrainingStarted(BaseModel):
    """The answer of `POST /v1/training/start`."""

    status: Literal["training_started"] = "training_started"
    timestamp: float
    run_id: str


class Commanded(BaseModel):
    """The answer of stop, pause, resume and reset: what was done, and the state that follows."""

    status: str
    timestamp: float
    run_id: str | None


class RunParametersAnswer(BaseModel):
    """The answer of `GET` and `PATCH /v1/training/params`: every engine parameter, and the run's own two."""

    params: dict[str, JsonValue]
    seed: int | None
    pace: float | None


class ChangeParameters(_Request):
    """The body of `PATCH /v1/training/params`: what may change while a run trains, from its next phase on."""

    pace: float | None = Field(default=None, gt=0, le=1e6, description="Epochs a second; null: full speed.")
    max_hidden_units: int | None = None
    candidate_epochs: int | None = None
    candidate_patience: int | None = None
    candidate_learning_rate: float | None = None
    output_epochs: int | None = None
    output_patience: int | None = None
    learning_rate: float | None = None
    max_epochs: int | None = None
    epochs_max: int | None = Field(default=None, description="The published clients' word for max_epochs.")
    candidate_pool_size: int | None = None
    correlation_threshold: float | None = None
    error_threshold: float | None = None
    max_iterations: int | None = None
    patience: int | None = None
    validation_patience: int | None = None


class SwapDataset(RowsRequest):
    """The body of `PUT /v1/dataset`: what the run trains on from its next phase on."""

    dataset: DatasetSource | None = None
    inline_data: InlineData | None = None


class StateMachine(BaseModel):
    """The part of the status that the published clients call state_machine."""

    status: Status
    phase: PhaseName
    paused_phase: PhaseName | None = None
    has_candidate_state: bool = False


class Monitor(BaseModel):
    """The part of the status that the published clients call monitor."""

    is_training: bool
    current_epoch: int
    current_hidden_units: int
    current_phase: PhaseName
    total_metrics: int


class TrainingState(BaseModel):
    """What the run came to: `outcome` when it ended by itself, `reason` when it was ended or failed."""

    outcome: str | None = None
    reason: str | None = None
    started_at: float | None = None
    ended_at: float | None = None


class TrainingStatus(BaseModel):
    """The answer of `GET /v1/training/status`, and the data of the `state` message."""

    state_machine: StateMachine
    monitor: Monitor
    training_state: TrainingState
    network_loaded: bool
    training_active: bool
    run_id: str | None = None
    dataset_id: str | None = None
    seed: int | None = None
    pace: float | None = None
    params: dict[str, JsonValue] = {}


class MetricRow(BaseModel):
    """One epoch. The doubled names are those of two generations of published clients."""

    epoch: int
    train_loss: float | None
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    loss: float | None
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    hidden_units: int
    phase: Literal["output", "candidate"]
    learning_rate: float
    score: float | None = Field(description="The best candidate's correlation score so far in this candidate phase.")
    timestamp: float


class Points(BaseModel):
    """Epochs as columns of equal length."""

    epoch: list[int]
    train_loss: list[float | None]
    train_accuracy: list[float | None]
    val_loss: list[float | None]
    val_accuracy: list[float | None]
    hidden_units: list[int]

    @model_validator(mode="after")
    def _columns_are_of_equal_length(self) -> Self:
        if len({len(getattr(self, name)) for name in Points.model_fields}) > 1:
            raise ValueError("the columns are not of equal length")
        return self


class MetricsMessage(MetricRow):
    """The data of the `metrics` message: the newest row, and the epochs since the last message as columns.

    Of more than 500 epochs those that draw the curve: the least and the greatest loss of each stretch, and installs.
    """

    points: Points


class CandidateProgress(BaseModel):
    """The data of the `candidate_progress` message."""

    epoch: int
    scores: list[float | None]
    best_score: float | None


class CascadeAdd(BaseModel):
    """The data of the `cascade_add` message: a unit was installed."""

    hidden_unit_index: int
    correlation: float
    total_hidden_units: int
    epoch: int


class TrainingEvent(BaseModel):
    """The data of the `event` message."""

    event: Literal["training_complete", "training_failed", "backend_changed"]
    outcome: str | None = None
    reason: str | None = None


class Heartbeat(BaseModel):
    """The data of the `heartbeat` message: the trainer itself said that it is there."""

    trainer: Literal["alive"] = "alive"
    epoch: int


class DatasetSummary(BaseModel):
    """The answer of `GET /v1/dataset`."""

    dataset_id: str | None
    n_samples: int
    n_features: int
    n_classes: int
    n_train: int
    n_val: int


class DatasetData(BaseModel):
    """The answer of `GET /v1/dataset/data`: rows, and classes as indices."""

    dataset_id: str | None
    train_x: list[list[float]]
    train_y: list[int] | list[list[float]]
    val_x: list[list[float]]
    val_y: list[int] | list[list[float]]


class DecisionBoundary(BaseModel):
    """The answer of `GET /v1/decision-boundary`, and of a snapshot's: `predictions[row][column]`.

    It is at (grid_x, grid_y)[row][column].
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    resolution: int
    grid_x: list[list[float]]
    grid_y: list[list[float]]
    predictions: list[list[int]] | list[list[float]]
    features: tuple[int, int] = Field(description="The two inputs shown.")
    held_at: list[float] = Field(description="What every input is held at where it is not shown: its mean.")
    run_id: str | None = None
    hidden_units: int = 0
