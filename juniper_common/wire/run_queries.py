"""What may be asked about runs and their snapshots: the query strings of the training service, and of the dashboard.

Times are Unix seconds.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from juniper_common.wire.runs import RunOrder
from juniper_common.wire.snapshots import SnapshotState
from juniper_common.wire.training import Status

MOST_COMPARED = 20

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UnixSeconds = Annotated[float, Field(allow_inf_nan=False)]


def split(words: str) -> list[str]:
    """The different words between commas, in their order."""
    return list(dict.fromkeys(words.split(",")))


def _checked_words(words: str) -> str:
    if "" in split(words):
        raise ValueError("a name between commas is empty")
    return words


def _checked_ids(ids: str) -> str:
    if not 2 <= len(split(ids)) <= MOST_COMPARED:
        raise ValueError(f"name 2 to {MOST_COMPARED} different runs")
    return ids


# The patterns are for the document alone: the checks say better what is wrong.
Words = Annotated[
    str, Field(max_length=4_000, json_schema_extra={"pattern": "^[^,]+(,[^,]+)*$"}), AfterValidator(_checked_words)
]
Ids = Annotated[
    str,
    Field(max_length=4_000, json_schema_extra={"pattern": f"^[^,]+(,[^,]+){{1,{MOST_COMPARED - 1}}}$"}),
    AfterValidator(_checked_words),
    AfterValidator(_checked_ids),
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunQuery(_Query):
    """Which runs a list shows: those for which all holds that is given."""

    limit: int = Field(default=100, ge=1, le=1_000)
    offset: int = Field(default=0, ge=0, lt=2**63)
    status: Status | None = None
    tag: Text | None = None
    dataset_id: Text | None = None
    sweep_id: Text | None = None
    outcome: Text | None = None
    created_after: UnixSeconds | None = Field(default=None, description="Unix seconds; a run at this time is left out.")
    created_before: UnixSeconds | None = Field(default=None, description="Unix seconds, as created_after.")
    text: Text | None = Field(default=None, description="A part of the id or the notes.")
    sort_by: RunOrder = Field(default="created_at", description="Runs without it come last; of equals the newer first.")
    ascending: bool = Field(default=False, description="The least first.")


class MetricsQuery(_Query):
    """Which points of a run."""

    names: Words | None = Field(
        default=None, description="Metrics, with commas between them; null: all that there are."
    )
    after: int = Field(default=-1, ge=-1, lt=2**63, description="Only points of later epochs than this.")
    limit: int = Field(default=10_000, ge=1, le=200_000, description="The first so many points of each metric.")


class ComparisonQuery(_Query):
    """Which runs to compare."""

    ids: Ids = Field(description="2 to 20 ids, with commas between them.")
    names: Words | None = Field(
        default=None, description="Metrics, with commas between them; null: all that there are."
    )
    limit: int = Field(default=1_000, ge=2, le=10_000, description="So many points, evenly chosen, of each curve.")


class SnapshotQuery(_Query):
    """Which files of the snapshot folder."""

    limit: int = Field(default=100, ge=1, le=1_000)
    offset: int = Field(default=0, ge=0)
    run_id: str | None = None
    state: SnapshotState | None = Field(default=None, description="Every file is read to tell, once.")
