"""Which runs a list shows: the SQL that answers a query."""

from juniper_common.wire.run_queries import RunQuery
from juniper_common.wire.runs import RunOrder

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

_LAST_VALUE = """(
    SELECT value FROM metric_points
    WHERE run = runs.number AND name = (SELECT number FROM metric_names WHERE name = '{name}')
    ORDER BY step DESC LIMIT 1
)"""
_SORTED_BY: dict[RunOrder, str] = {
    "created_at": "created_at",
    "status": "status",
    "dataset_id": "dataset_id",
    "seed": "seed",
    "epochs": "epochs",
    "hidden_units": "hidden_units",
    "duration": "ended_at - started_at",
    "train_loss": _LAST_VALUE.format(name="train_loss"),
    "train_accuracy": _LAST_VALUE.format(name="train_accuracy"),
    "val_loss": _LAST_VALUE.format(name="val_loss"),
    "val_accuracy": _LAST_VALUE.format(name="val_accuracy"),
}


def condition(query: RunQuery) -> tuple[str, dict[str, object]]:
    """What follows WHERE, and the values of its parameters."""
    given = query.model_dump(include=set(_CONDITIONS), exclude_none=True)
    if query.text is not None:
        given["text"] = f"%{_escaped(query.text)}%"
    return " AND ".join(_CONDITIONS[name] for name in given) or "TRUE", given


def order(query: RunQuery) -> str:
    """What follows ORDER BY."""
    direction = "ASC" if query.ascending else "DESC"
    return f"{_SORTED_BY[query.sort_by]} {direction} NULLS LAST, number DESC"


def _escaped(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return text
