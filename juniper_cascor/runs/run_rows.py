"""Runs as rows of the run store, and back. What cannot be read in a row is left empty, and the record says so."""

import logging
import sqlite3
from collections.abc import Iterable
from typing import TypeVar

import orjson
from pydantic import BaseModel, JsonValue, ValidationError

from juniper_common.wire.runs import RunChange, RunRecord, StateChange
from juniper_common.wire.training import Status

COLUMNS = tuple(RunRecord.model_fields)

ENDED: tuple[Status, ...] = ("STOPPED", "COMPLETED", "FAILED")

_JSON_COLUMNS = ("params", "versions", "tags")

_EMPTY: dict[str, JsonValue] = {
    "status": "FAILED",
    "params": {},
    "versions": {},
    "tags": [],
    "on_restart": "resume",
    "origin": "fresh",
}
"""In place of what cannot be read; in the other columns SQLite lets nothing stand that a record could not have."""

Row = TypeVar("Row", bound=BaseModel)

log = logging.getLogger(__name__)


def columns_of(record: RunRecord) -> dict[str, object]:
    """A record's row."""
    columns = record.model_dump(mode="json")
    return columns | {name: orjson.dumps(columns[name]).decode() for name in _JSON_COLUMNS}


def record_of(row: sqlite3.Row) -> RunRecord:
    """A row's record. A run that has not ended, and of which something cannot be read, is shown as FAILED."""
    columns = dict(row) | {name: _value(row[name]) for name in _JSON_COLUMNS}
    try:
        return RunRecord(**columns)
    except ValidationError as error:
        names = sorted({str(problem["loc"][0]) for problem in error.errors()})
        columns |= {name: _EMPTY[name] for name in names} | {"reason": unreadable(names)}
        if columns["status"] not in ENDED:
            columns["status"] = "FAILED"
        return RunRecord(**columns)


def unreadable(names: Iterable[str]) -> str:
    """Why a run has failed of whose record this cannot be read."""
    return f"its record is damaged: {', '.join(names)} cannot be read"


def changes_of(rows: Iterable[sqlite3.Row]) -> list[RunChange]:
    """The changes that these rows tell, but for those that cannot be read: they are logged."""
    return _readable(RunChange, ({**dict(row), "params": _value(row["params"])} for row in rows))


def state_changes_of(rows: Iterable[sqlite3.Row]) -> list[StateChange]:
    """The changes of state that these rows tell, but for those that cannot be read: they are logged."""
    return _readable(StateChange, map(dict, rows))


def _readable(kind: type[Row], values: Iterable[dict[str, object]]) -> list[Row]:
    read = []
    for fields in values:
        try:
            read.append(kind.model_validate(fields))
        except ValidationError:
            log.error("the run store is damaged; passed over: %s", fields)
    return read


def _value(text: str) -> JsonValue:
    """What the JSON says; None, which no column may hold, where it is none."""
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value
