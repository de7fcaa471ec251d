"""The envelope around every answer of the training service; health and OpenAPI come without it."""

from datetime import UTC, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from juniper_common import __version__
from juniper_common.wire.errors import FieldProblem

Data = TypeVar("Data")


class Meta(BaseModel):
    """When and by what the answer was made."""

    timestamp: datetime = Field(default_factory=lambda: datetime.now(UTC))
    version: str = __version__


class Success(BaseModel, Generic[Data]):
    """An answer."""

    status: Literal["success"] = "success"
    data: Data
    meta: Meta = Field(default_factory=Meta)


class ErrorInfo(BaseModel):
    """What was wrong: `code` for programs, `message` for a person, `detail` names each field."""

    code: str
    message: str
    detail: list[FieldProblem] = []


class Failure(BaseModel):
    """A refusal."""

    status: Literal["error"] = "error"
    error: ErrorInfo
    detail: str | None = Field(
        default=None, exclude_if=lambda detail: detail is None, description="The message again, of a 401 alone."
    )
    """Where published clients of an earlier generation look for it."""
    meta: Meta = Field(default_factory=Meta)
