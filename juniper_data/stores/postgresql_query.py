"""Which datasets a list shows: what finds them in PostgreSQL."""

from collections.abc import Mapping
from datetime import datetime

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.stores.query import microseconds

NAME = "(SELECT number FROM names WHERE name = %(dataset_name)s)"
"""The number of the name that is asked for; NULL where there is none."""

_CONDITIONS = {
    "generator": "generator = %(generator)s",
    "created_after": "created_at > %(created_after)s",
    "created_before": "created_at < %(created_before)s",
    "min_samples": "n_samples >= %(min_samples)s",
    "max_samples": "n_samples <= %(max_samples)s",
    "parent_dataset_id": "parent = %(parent_dataset_id)s",
}
_VERSION = "version = %(dataset_version)s"
_NAME = f"number IN (SELECT dataset FROM versions WHERE versions.name = {NAME})"  # noqa: S608
_VERSION_OF_NAME = f"number = (SELECT dataset FROM versions WHERE name = {NAME} AND version = %(dataset_version)s)"  # noqa: S608

Values = dict[str, str | int | list[str] | None]


def is_narrow(query: DatasetFilter) -> bool:
    """Whether it asks for more than tags and what has not expired."""
    return bool(query.model_dump(include={*_CONDITIONS, "dataset_name", "dataset_version"}, exclude_none=True))


def condition(query: DatasetFilter, at: datetime) -> tuple[str, Values]:
    """What follows WHERE of `datasets`, and the values of its parameters.

    Args:
        query: what is asked for; its tags, cursor, limit and offset are another matter.
        at: what has expired by then is left out, unless the query includes it.
    """
    given: Mapping[str, object] = query.model_dump(include=set(_CONDITIONS), exclude_none=True)
    values: Values = {name: _stored(value) for name, value in given.items()}
    conditions = [_CONDITIONS[name] for name in given]
    if not query.include_expired:
        conditions.append("expires_at > %(at)s")
        values["at"] = microseconds(at)
    match query.dataset_name, query.dataset_version:
        case str(), int():
            conditions.append(_VERSION_OF_NAME)
        case str(), None:
            conditions.append(_NAME)
        case None, int():
            conditions.append(_VERSION)
    values["dataset_name"] = None if query.dataset_name is None else escaped(query.dataset_name)
    values["dataset_version"] = query.dataset_version
    return " AND ".join(conditions) or "TRUE", values


def escaped(text: str) -> str:
    r"""A text as PostgreSQL takes it, which knows no NUL: that is \0 then, and a backslash two."""
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def unescaped(text: str) -> str:
    """What was escaped."""
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))


def _stored(value: object) -> str | int:
    match value:
        case datetime():
            return microseconds(value)
        case int():
            return value
    return escaped(str(value))
