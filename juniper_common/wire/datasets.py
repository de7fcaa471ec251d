"""Datasets on the wire: what juniper_data says and hears.

Requests refuse unknown fields. Responses ignore them, so that an older client reads a newer service.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.profiles import Constraints, DatasetProfile
from juniper_common.wire.titles import title_of

# A generator's name, its version, and 16 hex digits. No separator of paths, no leading dot.
DATASET_ID_PATTERN = r"^[a-z][a-z0-9_]{0,63}-[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}-[0-9a-f]{16}$"

DatasetId = Annotated[str, StringConstraints(pattern=DATASET_ID_PATTERN)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
TaskType = Literal["classification", "regression"]
SplitName = Literal["train", "test", "val"]
SplitDistributions = dict[SplitName, dict[str, int]]
"""Samples per class index in each split."""

JsonObject = dict[str, JsonValue]

MAX_PREVIEWED_SAMPLES = 5000
"""More are not shown."""


class CreateDatasetRequest(BaseModel):
    """What to make, and what to note beside it. The notes are no part of the dataset's id."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    generator: str = Field(max_length=64, examples=["spiral", "xor"])
    params: JsonObject = Field(default_factory=dict, description="As the generator's schema says")
    persist: bool = Field(True, description="false: make and describe it, but do not keep it")
    tags: tuple[Tag, ...] = Field((), max_length=100)
    ttl_seconds: int | None = Field(None, ge=1, le=10**9, description="Keep it for so long; null: for good")
    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=10_000)
    created_by: str | None = Field(None, max_length=200)
    parent_dataset_id: DatasetId | None = None
    constraints: Constraints | None = Field(None, description="What the data must be like; else nothing is kept")


class DatasetMeta(BaseModel):
    """All that is known of a dataset but its samples."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    generator: str
    generator_version: str
    params: JsonObject
    n_samples: int
    n_features: int
    n_classes: int
    n_train: int
    n_test: int
    n_val: int = 0
    class_distribution: dict[str, int] = Field(description="Samples per class index")
    split_distributions: SplitDistributions | None = Field(
        None, description="The same in each split; null: the dataset is older than this field"
    )
    artifact_formats: tuple[Literal["npz"], ...] = ("npz",)
    created_at: datetime
    checksum: str = Field(description="SHA-256 of the artifact, in hex")
    size_bytes: int = Field(0, description="Size of the artifact")
    tags: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    expires_at: datetime | None = None
    last_accessed_at: datetime | None = None
    access_count: int = 0
    dataset_name: str | None = None
    dataset_version: int | None = None
    description: str | None = None
    created_by: str | None = None
    parent_dataset_id: str | None = None
    task_type: TaskType = "classification"
    feature_names: tuple[str, ...] | None = Field(None, description="Where the features have names")
    class_names: tuple[str, ...] | None = Field(None, description="Where the classes have names, by their index")
    profile: DatasetProfile | None = Field(None, description="Left out where many datasets are listed")


class CreateDatasetResponse(BaseModel):
    """The dataset that was made or was there already. Without `persist` there is no artifact to fetch."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    generator: str
    meta: DatasetMeta
    artifact_url: str | None


class DatasetJob(BaseModel):
    """A dataset that takes long to make: what to poll until it is there."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    status: Literal["running", "succeeded", "failed"]
    dataset_id: str
    generator: str
    created_at: datetime
    finished_at: datetime | None = None
    job_url: str = Field(description="Where to ask again")
    artifact_url: str | None = Field(None, description="Where the data will be")
    result: CreateDatasetResponse | None = Field(None, description="What the request would have been answered with")
    error: str | list[FieldProblem] | None = None
    error_status: int | None = Field(None, description="What the request would have been refused with")


class GeneratorInfo(BaseModel):
    """A generator and the JSON Schema of its parameters."""

    # serialize_by_alias: the field cannot be called what the wire calls it, since BaseModel has a `schema`.
    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)

    name: str
    version: str
    description: str
    parameter_schema: JsonObject = Field(alias="schema")
    available: bool
    install_hint: str | None = None


class DatasetPreview(BaseModel):
    """Some samples of the whole set, in its order; of very wide ones fewer than were asked for."""

    model_config = ConfigDict(frozen=True)

    n_samples: int = Field(description="Samples in this preview")
    X_sample: list[list[float]]
    y_sample: list[list[float]]


class PreviewGenerator(BaseModel):
    """What to make, only to look at it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    params: JsonObject = Field(default_factory=dict, description="As the generator's schema says")
    n: int = Field(100, ge=1, le=MAX_PREVIEWED_SAMPLES, description="How many samples to show")


class GeneratorPreview(BaseModel):
    """What a generator would make: figures of the whole set, and samples of it, evenly of each class."""

    model_config = ConfigDict(frozen=True)

    generator: str
    params: JsonObject = Field(description="With all defaults, and the seed that was drawn where it was null")
    n_samples: int = Field(description="Samples of the whole set")
    n_features: int
    n_classes: int
    n_train: int
    n_test: int
    n_val: int
    class_distribution: dict[str, int] = Field(description="Samples per class index")
    split_distributions: SplitDistributions = Field(description="The same in each split")
    task_type: TaskType
    feature_names: tuple[str, ...] | None
    class_names: tuple[str, ...] | None
    profile: DatasetProfile
    X_sample: list[list[float]] = Field(description="As DatasetPreview's")
    y_sample: list[list[float]]


class UploadQuery(BaseModel):
    """What an uploaded file is, and what to note beside it. Lists are separated by commas."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, field_title_generator=title_of)

    format: Literal["auto", "csv", "json", "parquet", "npz"] = Field("auto", description="auto: by its first bytes")
    label_column: str = Field("label", min_length=1, max_length=200)
    feature_columns: str | None = Field(
        None, max_length=10_000, description="Names of columns with commas between them; none: all but the label's"
    )
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between two cells of a CSV")
    header: bool = Field(True, description="Whether the first line of a CSV names its columns; else they are c0, c1, …")
    one_hot_labels: bool = Field(True, description="false: the label is a number to predict")
    normalize_features: bool = Field(
        False, description="Shift and scale each feature to mean 0 and deviation 1 over the samples to train on"
    )
    missing_values: Literal["refuse", "drop"] = Field("refuse", description="What to do about a row with an empty cell")
    seed: int = Field(42, ge=0, le=2**53 - 1, description="Of the order of the samples")
    train_ratio: float = Field(0.8, gt=0, le=1, description="Share of the samples to train on")
    test_ratio: float = Field(0.2, ge=0, lt=1, description="Share of the samples to test on")
    val_ratio: float = Field(0.0, ge=0, lt=1, description="Share of the samples to validate on")
    shuffle: bool = Field(True, description="Draw the order of the samples before they are split")
    name: str | None = Field(None, min_length=1, max_length=200)
    tags: str | None = Field(None, max_length=10_000, description="With commas between them")
    ttl_seconds: int | None = Field(
        None, ge=1, le=10**9, title="Seconds to live", description="After which the set is removed; none: never"
    )
    description: str | None = Field(None, max_length=10_000)
    created_by: str | None = Field(None, max_length=200)
    parent_dataset_id: DatasetId | None = Field(None, title="Made from", description="The id of another dataset")
    constraints: str | None = Field(None, max_length=2_000, description="What the data must be like, as JSON")
