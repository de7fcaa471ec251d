"""Many datasets on the wire: found, counted, and changed in one call."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from juniper_common.wire.datasets import CreateDatasetResponse, DatasetId, DatasetMeta, Tag
from juniper_common.wire.errors import FieldProblem

AskedId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An id as somebody asks for it: one that cannot be is one that is not found."""


def _no_number(value: object) -> object:
    # Pydantic takes seconds since 1970 too.
    if isinstance(value, str) and ":" not in value:
        raise ValueError("is no time with its date and zone, as in 2026-01-01T12:00:00Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class DatasetFilter(BaseModel):
    """Which datasets to find, newest first. A page goes on where the `cursor` of the last one says, or at an offset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: str | None = Field(None, max_length=64)
    tags: str | None = Field(
        None, max_length=10_000, pattern=r"^[^,]*(,[^,]*){0,9}$", description="Separated by commas; 10 at most"
    )
    tags_match: Literal["any", "all"] = "any"
    created_after: Time | None = Field(None, description="Left out is what was made at this time or before")
    created_before: Time | None = Field(None, description="Left out is what was made at this time or later")
    min_samples: int | None = Field(None, ge=0, le=2**53)
    max_samples: int | None = Field(None, ge=0, le=2**53)
    include_expired: bool = False
    dataset_name: str | None = Field(None, max_length=200)
    dataset_version: int | None = Field(
        None, ge=1, le=2**53, description="Of that name; without one: of the name that a dataset was last given"
    )
    parent_dataset_id: DatasetId | None = None
    limit: int = Field(100, ge=1, le=1000, description="A page of datasets with very many features is shorter")
    offset: int = Field(0, ge=0, le=2**53)
    cursor: str | None = Field(None, max_length=300)


class FoundDatasets(BaseModel):
    """One page of what was found; `total` counts all of it. Profiles are left out."""

    model_config = ConfigDict(frozen=True)

    datasets: tuple[DatasetMeta, ...]
    total: int
    limit: int
    offset: int
    next_cursor: str | None = Field(description="null: this page is the last")


class DatasetStats(BaseModel):
    """The store in figures; expired datasets count until they are removed."""

    model_config = ConfigDict(frozen=True)

    total_datasets: int
    total_samples: int
    total_bytes: int
    by_generator: dict[str, int]
    by_tag: dict[str, int]
    oldest_created_at: datetime | None
    newest_created_at: datetime | None
    expired_count: int
    max_datasets: int | None = Field(None, description="How many the store takes; null: no such limit")
    max_bytes: int | None = None


class DatasetVersions(BaseModel):
    """The versions of a name, oldest first."""

    model_config = ConfigDict(frozen=True)

    dataset_name: str
    versions: tuple[DatasetMeta, ...]
    total: int
    latest_version: int | None


class NameQuery(BaseModel):
    """Which name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)


class DatasetAccess(BaseModel):
    """How often a dataset was read, and when last."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    access_count: int
    last_accessed_at: datetime | None


class DatasetLineage(BaseModel):
    """Where a dataset comes from, nearest first, and what was made of it."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    ancestors: tuple[str, ...]
    children: tuple[str, ...] = Field(description="The newest thousand at most")


class ChangeTags(BaseModel):
    """Tags to take away, then tags to add."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add_tags: tuple[Tag, ...] = Field((), max_length=100)
    remove_tags: tuple[Tag, ...] = Field((), max_length=100)


class BatchIds(BaseModel):
    """Some datasets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset_ids: tuple[AskedId, ...] = Field(min_length=1, max_length=100)


class ExportIds(BatchIds):
    """Datasets to export."""

    dataset_ids: tuple[AskedId, ...] = Field(min_length=1, max_length=50)


class BatchTags(BatchIds, ChangeTags):
    """Datasets, and what to do to the tags of each."""


class ExportManifest(BaseModel):
    """What is in an export, and what of it that was asked for is not. Profiles are left out."""

    model_config = ConfigDict(frozen=True)

    datasets: tuple[DatasetMeta, ...]
    not_found: tuple[str, ...]
    damaged: tuple[str, ...]


class BatchCreate(BaseModel):
    """Requests, each answered by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[JsonValue, ...] = Field(
        min_length=1, max_length=50, description="Each a CreateDatasetRequest; what is none fails alone"
    )


class BatchDeleted(BaseModel):
    """What is gone now, and what was not there."""

    model_config = ConfigDict(frozen=True)

    deleted: tuple[str, ...]
    not_found: tuple[str, ...]
    total_deleted: int


class BatchFailure(BaseModel):
    """A dataset that could not be changed."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    error: str


class BatchTagged(BaseModel):
    """Whose tags are as asked for now, what was not there, and what was refused."""

    model_config = ConfigDict(frozen=True)

    updated: tuple[str, ...]
    not_found: tuple[str, ...]
    failed: tuple[BatchFailure, ...] = ()
    total_updated: int


class BatchItem(BaseModel):
    """What became of one request of a batch."""

    model_config = ConfigDict(frozen=True)

    index: int
    outcome: Literal["created", "existing", "pending", "failed"]
    success: bool = Field(description="Whether it has not failed")
    generator: str | None = None
    dataset_id: str | None = None
    artifact_url: str | None = None
    job_url: str | None = Field(None, description="Where to ask for what is still being made")
    result: CreateDatasetResponse | None = Field(None, description="Without the profile")
    error: str | None = None
    problems: tuple[FieldProblem, ...] = Field((), description="Where an error is about fields: each of them")


class BatchCreated(BaseModel):
    """What became of each request, in their order."""

    model_config = ConfigDict(frozen=True)

    results: tuple[BatchItem, ...]
    total_created: int = Field(description="Those with success")
    total_existing: int = Field(description="Of these, those that were there before")
    total_pending: int = Field(0, description="Of these, those that are still being made")
    total_failed: int


class CleanedUp(BaseModel):
    """The expired datasets that are gone now."""

    model_config = ConfigDict(frozen=True)

    deleted: tuple[str, ...]
    total_deleted: int
