"""A dataset as rows of PostgreSQL: written, read, named and tagged, each within the transaction of its caller."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from psycopg import Connection

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetNotFoundError, VersionTakenError
from juniper_data.stores.postgresql_query import NAME, escaped
from juniper_data.stores.query import microseconds
from juniper_data.stores.rows import META_COLUMNS, checked, named, whole_meta, written

NEVER = 2**63 - 1
"""When what has no time to live expires."""

Row: TypeAlias = dict[str, Any]

_READ = f"SELECT {META_COLUMNS}, profile FROM datasets JOIN details ON dataset = number WHERE id = %s"  # noqa: S608
# Nothing comes back where the id is there: another one has just written it.
_INSERT = """
    INSERT INTO datasets (
        id, generator, created_at, expires_at, n_samples, size_bytes, parent, tags, location, checksum,
        access_count, last_accessed_at
    ) VALUES (
        %(id)s, %(generator)s, %(created_at)s, %(expires_at)s, %(n_samples)s, %(size_bytes)s, %(parent)s,
        %(tags)s, %(location)s, %(checksum)s, %(access_count)s, %(last_accessed_at)s
    ) ON CONFLICT (id) DO NOTHING RETURNING number
"""
_NEW_VERSION = """
    INSERT INTO names (name, last_version) VALUES (%(name)s, coalesce(%(wanted)s::bigint, 1))
    ON CONFLICT (name) DO UPDATE
        SET last_version = greatest(names.last_version, coalesce(%(wanted)s::bigint, names.last_version + 1))
    RETURNING number, last_version
"""


def read_dataset(connection: Connection[Row], dataset_id: str, *, to_change: bool = False) -> tuple[int, DatasetMeta]:
    """A dataset's number, and all that is known of it; who reads it to change it has it for himself from then on."""
    checked(dataset_id)
    if to_change:
        # First, by itself: what is read while others are waited for is what was there before them.
        connection.execute("SELECT FROM datasets WHERE id = %s FOR UPDATE", (dataset_id,))
    row = connection.execute(_READ, (dataset_id,)).fetchone()
    if row is None:
        raise DatasetNotFoundError(dataset_id)
    return row["number"], whole_meta(row)


def add_dataset(connection: Connection[Row], meta: DatasetMeta, location: str) -> DatasetMeta | None:
    """Write a dataset; where it has a name, it becomes the name's next version. None: the id is there."""
    row = {
        "id": meta.dataset_id,
        "generator": escaped(meta.generator),
        "created_at": microseconds(meta.created_at),
        "expires_at": NEVER if meta.expires_at is None else microseconds(meta.expires_at),
        "n_samples": meta.n_samples,
        "size_bytes": meta.size_bytes,
        "parent": None if meta.parent_dataset_id is None else escaped(meta.parent_dataset_id),
        "tags": [escaped(tag) for tag in meta.tags],
        "location": location,
        "checksum": meta.checksum,
        "access_count": meta.access_count,
        "last_accessed_at": None if meta.last_accessed_at is None else microseconds(meta.last_accessed_at),
    }
    inserted = connection.execute(_INSERT, row).fetchone()
    if inserted is None:
        return None
    number = inserted["number"]
    profile = None if meta.profile is None else meta.profile.model_dump_json()
    connection.execute("INSERT INTO details VALUES (%s, %s, %s)", (number, written(meta), profile))
    return meta if meta.dataset_name is None else add_name(connection, number, meta, meta.dataset_name)


def add_name(
    connection: Connection[Row], number: int, meta: DatasetMeta, name: str, version: int | None = None
) -> DatasetMeta:
    """Make a dataset, whose row is the caller's now, the next version of a name, or the one that is given.

    It stays the one that it is already.
    """
    row = connection.execute(
        f"SELECT version FROM versions WHERE dataset = %(number)s AND name = {NAME}",  # noqa: S608
        {"number": number, "dataset_name": escaped(name)},
    ).fetchone()
    version = _new_version(connection, number, name, version) if row is None else row["version"]
    connection.execute("UPDATE datasets SET version = %s WHERE number = %s", (version, number))
    return _rewritten(connection, number, named(meta, name, version))


def _new_version(connection: Connection[Row], number: int, name: str, wanted: int | None) -> int:
    (row,) = connection.execute(_NEW_VERSION, {"name": escaped(name), "wanted": wanted}).fetchall()
    version: int = row["last_version"] if wanted is None else wanted
    query = "INSERT INTO versions VALUES (%s, %s, %s) ON CONFLICT (name, version) DO NOTHING"
    if not connection.execute(query, (row["number"], version, number)).rowcount:
        raise VersionTakenError(name, version)
    return version


def set_tags(connection: Connection[Row], number: int, meta: DatasetMeta, tags: Sequence[str]) -> DatasetMeta:
    """Give a dataset, whose row is the caller's now, these tags in place of those that it has."""
    query = "UPDATE datasets SET tags = %s WHERE number = %s"
    connection.execute(query, ([escaped(tag) for tag in tags], number))
    return _rewritten(connection, number, meta.model_copy(update={"tags": tuple(tags)}))


def _rewritten(connection: Connection[Row], number: int, meta: DatasetMeta) -> DatasetMeta:
    connection.execute("UPDATE details SET meta = %s WHERE dataset = %s", (written(meta), number))
    return meta
