"""Calls about predictions and named models."""

from collections.abc import Sequence

from pydantic import JsonValue

from juniper_cascor.calls.asking import Ask, asked, told
from juniper_common.http import segment
from juniper_common.wire.models import (
    ModelCard,
    ModelDeleted,
    ModelInfo,
    ModelList,
    Prediction,
    PromoteModel,
)


def predict(
    rows: Sequence[Sequence[float]], *, run_id: str | None = None, snapshot_id: str | None = None
) -> Ask[Prediction]:
    """Ask the network in the foreground, or that of a run or a snapshot. Raises NotFoundError."""
    ids = {"run_id": run_id, "snapshot_id": snapshot_id}
    return _predict("/v1/predict", {"rows": _rows(rows), **{name: value for name, value in ids.items() if value}})


def models() -> Ask[ModelList]:
    """Every named model with its card."""
    return asked("/v1/models", ModelList)


def model(name: str) -> Ask[ModelInfo]:
    """A named model, and its versions. Raises NotFoundError."""
    return asked(_model(name), ModelInfo)


def model_version(name: str, version: int) -> Ask[ModelCard]:
    """The card of one version. Raises NotFoundError."""
    return asked(f"{_model(name)}/versions/{version}", ModelCard)


def promote_model(name: str, source: PromoteModel) -> Ask[ModelCard]:
    """Promote a snapshot, or a run's newest one, to a name. Raises NotFoundError, ConflictError."""
    return told("POST", _model(name), ModelCard, source)


def predict_by_model(name: str, rows: Sequence[Sequence[float]]) -> Ask[Prediction]:
    """Ask a named model. Raises NotFoundError."""
    return _predict(f"{_model(name)}/predict", {"rows": _rows(rows)})


def roll_back_model(name: str) -> Ask[ModelCard]:
    """Let the version that answered before this one answer again. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_model(name)}/rollback", ModelCard)


def delete_model(name: str) -> Ask[ModelDeleted]:
    """Delete a named model with all its versions. Raises NotFoundError."""
    return told("DELETE", _model(name), ModelDeleted)


def _predict(path: str, body: dict[str, JsonValue]) -> Ask[Prediction]:
    # As it stands: a hundred thousand rows are checked once, by the service.
    return told("POST", path, Prediction, body, idempotent=True)


def _rows(rows: Sequence[Sequence[float]]) -> list[JsonValue]:
    return [list(map(float, row)) for row in rows]


def _model(name: str) -> str:
    return f"/v1/models/{segment(name)}"
