"""Which runs a list shows: what may be asked, and the SQL that answers it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from juniper_common.wire.training import Status

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UnixSeconds = Annotated[float, Field(allow_inf_nan=False)]


class RunQuery(BaseModel):
    """The query of `GET /v1/runs`: runs for which all holds that is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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


_CONDITIONS = {
    "status": "status = :status",
    "tag": "CASE WHEN json_valid(tags) THEN EXISTS (SELECT 1 FROM json_each(tags) WHERE value = :tag) ELSE FALSE END",
    "dataset_id": "dataset_id = :dataset_id",
    "sweep_id": "sweep_id = :sweep_id",
    "outcome": "outcome = :outcome",
    "created_after": "created_at > :created_after",
    "created_before": "created_at < :created_before",
    "text": r"(id LIKE :text ESCAPE '\' OR notes LIKE :text ESCAPE '\')",
}


def condition(query: RunQuery) -> tuple[str, dict[str, object]]:
    """What follows WHERE, and the values of its parameters."""
    given = query.model_dump(include=set(_CONDITIONS), exclude_none=True)
    if query.text is not None:
        given["text"] = f"%{_escaped(query.text)}%"
    return " AND ".join(_CONDITIONS[name] for name in given) or "TRUE", given


def _escaped(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return text
