"""Datasets on the wire: what juniper_data says and hears.

Requests refuse unknown fields. Responses ignore them, so that an older client reads a newer service.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

# A generator's name, its version, and 16 hex digits. No separator of paths, no leading dot.
DATASET_ID_PATTERN = r"^[a-z][a-z0-9_]{0,63}-[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}-[0-9a-f]{16}$"

DatasetId = Annotated[str, StringConstraints(pattern=DATASET_ID_PATTERN)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
JsonObject = dict[str, JsonValue]


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
    artifact_formats: tuple[Literal["npz"], ...] = ("npz",)
    created_at: datetime
    checksum: str = Field(description="SHA-256 of the artifact, in hex")
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
    task_type: Literal["classification", "regression"] = "classification"


class CreateDatasetResponse(BaseModel):
    """The dataset that was made or was there already. Without `persist` there is no artifact to fetch."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    generator: str
    meta: DatasetMeta
    artifact_url: str | None


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
    """The first samples of the whole set, shuffled if the dataset is."""

    model_config = ConfigDict(frozen=True)

    n_samples: int = Field(description="Samples in this preview")
    X_sample: list[list[float]]
    y_sample: list[list[float]]
