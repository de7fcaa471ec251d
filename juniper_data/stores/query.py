"""Which datasets a list shows: the SQL that finds them, and the cursor that its pages go on from."""

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import InvalidParametersError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The place that a page ends at: when the dataset was made, in no more digits than years have, and its id.
_PLACE = re.compile(r"(-?[0-9]{1,18}) ([a-z0-9_.-]{1,120})", re.ASCII)

NAME = "(SELECT number FROM names WHERE name = :dataset_name)"
"""The number of the name that is asked for; NULL where there is none."""

_CONDITIONS = {
    "generator": "generator = :generator",
    "created_after": "created_at > :created_after",
    "created_before": "created_at < :created_before",
    "min_samples": "n_samples >= :min_samples",
    "max_samples": "n_samples <= :max_samples",
    "parent_dataset_id": "parent = :parent_dataset_id",
}
_VERSION = "version = :dataset_version"
_NAME = "instr(names, (SELECT ' ' || number || ' ' FROM names WHERE name = :dataset_name))"
_VERSION_OF_NAME = f"number = (SELECT dataset FROM versions WHERE name = {NAME} AND version = :dataset_version)"  # noqa: S608

Values = dict[str, str | int | None]


def asked_tags(query: DatasetFilter) -> list[str]:
    """Each once; two commas with nothing between them ask for none."""
    return [tag for tag in dict.fromkeys((query.tags or "").split(",")) if tag]


def condition(query: DatasetFilter, at: datetime, tag_numbers: Mapping[str, int]) -> tuple[str, Values]:
    """What follows WHERE of `datasets`, and the values of its parameters.

    Args:
        query: what is asked for; its cursor, limit and offset are another matter.
        at: what has expired by then is left out, unless the query includes it.
        tag_numbers: of those tags asked for that datasets have or had. SQLite would look them up for every dataset.
    """
    given = query.model_dump(include=set(_CONDITIONS), exclude_none=True)
    values: Values = {"dataset_name": query.dataset_name, "dataset_version": query.dataset_version} | {
        name: microseconds(value) if isinstance(value, datetime) else value for name, value in given.items()
    }
    conditions = [_CONDITIONS[name] for name in given]
    if not query.include_expired:
        conditions.append("(expires_at IS NULL OR expires_at > :at)")
        values["at"] = microseconds(at)
    match query.dataset_name, query.dataset_version:
        case str(), int():
            conditions.append(_VERSION_OF_NAME)
        case str(), None:
            conditions.append(_NAME)
        case None, int():
            conditions.append(_VERSION)
    if tags := asked_tags(query):
        sought = {
            f"tag_{place}": f" {tag_numbers[tag]} " if tag in tag_numbers else None for place, tag in enumerate(tags)
        }
        values |= sought
        has = [f"instr(tags, :{name})" for name in sought]
        conditions.append(f"({(' AND ' if query.tags_match == 'all' else ' OR ').join(has)})")
    return " AND ".join(conditions) or "TRUE", values


def cursor_at(created_at: int, dataset_id: str) -> str:
    """Where the page after this dataset goes on."""
    return base64.urlsafe_b64encode(f"{created_at} {dataset_id}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[int, str]:
    """When the dataset was made that a page ended at, and its id.

    Raises:
        InvalidParametersError: no page ends with such a cursor.
    """
    try:
        padded = f"{cursor}{'=' * (-len(cursor) % 4)}".encode()
        match = _PLACE.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, UnicodeError):
        match = None
    if match is None:
        problem = FieldProblem(loc=["cursor"], msg="no page ends with such a cursor")
        raise InvalidParametersError((problem,))
    return int(match[1]), match[2]


def microseconds(moment: datetime) -> int:
    """Since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_at(us: int) -> datetime:
    """So many microseconds since the epoch, in UTC."""
    return _EPOCH + timedelta(microseconds=us)
