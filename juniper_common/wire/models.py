"""Predictions and named models on the wire.

A named model is a snapshot that was promoted to a name; each promotion makes the next version. Times are Unix seconds.
"""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from juniper_common.wire.rows import RowsRequest
from juniper_common.wire.runs import Notes

MODEL_NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""No separator of paths, no leading dot."""

MAX_ROWS = 100_000

Task = Literal["classification", "regression"]
Label = str | int | float | bool
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]

# Strict: "1.5" and true are no measurements. The first wrong value is named, not millions of them.
Value = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Row = Annotated[list[Value], FailFast()]
Rows = Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS), FailFast()]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictRows(RowsRequest):
    """The body of `POST /v1/models/{name}/predict`."""

    rows: Rows = Field(description="A row for each pattern: its inputs as they were measured, in the network's order.")


class PredictRequest(PredictRows):
    """The body of `POST /v1/predict`: without an id, the network in the foreground is asked."""

    run_id: Id | None = Field(default=None, description="Ask this run's newest network.")
    snapshot_id: Id | None = Field(default=None, description="Ask this snapshot's network.")

    @field_validator("snapshot_id")
    @classmethod
    def _asks_one(cls, snapshot_id: str | None, others: ValidationInfo) -> str | None:
        if snapshot_id is not None and others.data.get("run_id") is not None:
            raise ValueError("give run_id or snapshot_id, not both")
        return snapshot_id


class AnsweredBy(BaseModel):
    """What has answered."""

    task: Task
    hidden_units: int
    model: str = Field(description="NAME/VERSION of a named model, else the id of the run or snapshot.")


class Prediction(AnsweredBy):
    """The answer of both predictions: lists as long as the rows asked about."""

    predictions: list[Label] | list[list[float]] = Field(
        description="Classes, by their labels where the network has some, else by their indices; "
        "of a regression the values, in a list each where the network has several outputs."
    )
    class_indices: list[int] | None = Field(description="Places among the classes; null for a regression.")
    scores: list[list[float]] = Field(
        description="What each output unit says: for classes in (0, 1), one unit for two classes or one for each."
    )


class PromoteModel(_Request):
    """The body of `POST /v1/models/{name}`: exactly one of the two ids."""

    run_id: Id | None = Field(default=None, description="The run's newest snapshot.")
    snapshot_id: Id | None = Field(default=None, validate_default=True)
    notes: Notes = ""

    @field_validator("snapshot_id")
    @classmethod
    def _names_one(cls, snapshot_id: str | None, others: ValidationInfo) -> str | None:
        if "run_id" in others.data and (snapshot_id is None) == (others.data["run_id"] is None):
            raise ValueError(f"give snapshot_id or run_id, {'one of them' if snapshot_id is None else 'not both'}")
        return snapshot_id


class ModelCard(BaseModel):
    """All that is known of one version of a named model."""

    name: str
    version: int
    is_current: bool = Field(description="It is the version that answers.")
    created_at: float = Field(description="When it was promoted.")
    trained_at: float = Field(description="When its snapshot was written.")
    snapshot_id: str | None
    run_id: str | None
    notes: str
    task: Task
    n_inputs: int
    n_outputs: int
    hidden_units: int
    activations: list[str] = Field(description="Of each hidden unit.")
    labels: list[Label] | None
    feature_names: list[str] | None
    dataset_id: str | None
    dataset_checksum: str | None
    seed: int
    parameters: dict[str, JsonValue]
    backend: str
    versions: dict[str, str]
    epoch: int
    outcome: str | None = Field(description="Why growth ended; null: it had not when the snapshot was written.")
    metrics: dict[str, float] = Field(description="The last value of each metric that is defined.")


class ModelVersion(BaseModel):
    """One version, by what is noted beside its file, which is not opened."""

    version: int
    is_current: bool
    created_at: float | None
    snapshot_id: str | None
    notes: str
    size_bytes: int
    problem: str | None = Field(description="Why that is not known: a damaged or missing note.")


class ModelInfo(BaseModel):
    """The answer of `GET /v1/models/{name}`. Either the card or the problem is null."""

    name: str
    card: ModelCard | None = Field(description="Of the version that answers.")
    problem: str | None = Field(description="Why it cannot answer: a damaged or missing file.")
    versions: list[ModelVersion] = Field(description="Newest first; those that went before are kept for a rollback.")


class ModelList(BaseModel):
    """The answer of `GET /v1/models`, by name."""

    models: list[ModelInfo]


class ModelDeleted(BaseModel):
    """The answer of `DELETE /v1/models/{name}`."""

    status: Literal["deleted"] = "deleted"
    name: str
