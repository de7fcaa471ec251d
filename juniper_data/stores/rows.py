"""A dataset as rows of the index: written, read, named and tagged, each within the transaction of its caller."""

import re
import sqlite3
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from juniper_common.wire.datasets import DATASET_ID_PATTERN, DatasetMeta
from juniper_common.wire.profiles import DatasetProfile
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, VersionTakenError
from juniper_data.stores.limits import Row
from juniper_data.stores.protocol import Accesses
from juniper_data.stores.query import NAME, microseconds, moment_at

META_COLUMNS = "number, id, created_at, access_count, last_accessed_at, meta"
"""The columns that a meta without its profile is read from."""

_ID = re.compile(DATASET_ID_PATTERN)
# What `details` does not say of a dataset: it has a column of its own.
_APART = {"profile", "access_count", "last_accessed_at"}

_INSERT = """
    INSERT INTO datasets (
        id, generator, created_at, expires_at, n_samples, size_bytes, parent, names, tags, location, checksum,
        access_count, last_accessed_at
    ) VALUES (
        :id, :generator, :created_at, :expires_at, :n_samples, :size_bytes, :parent, '', :tags, :location, :checksum,
        :access_count, :last_accessed_at
    ) RETURNING number
"""
_ACCESSED = """
    UPDATE datasets SET
        access_count = access_count + :count,
        last_accessed_at = max(coalesce(last_accessed_at, :last_at), :last_at)
    WHERE id = :id
"""


def checked(dataset_id: str) -> str:
    """The id; DatasetNotFoundError where it is malformed."""
    # fullmatch: $ would let a line break through.
    if not _ID.fullmatch(dataset_id):
        raise DatasetNotFoundError(dataset_id)
    return dataset_id


def read_dataset(connection: sqlite3.Connection, dataset_id: str) -> tuple[int, DatasetMeta]:
    """A dataset's number, and all that is known of it."""
    row = connection.execute(
        f"SELECT {META_COLUMNS}, profile FROM datasets JOIN details ON dataset = number WHERE id = ?",  # noqa: S608
        (checked(dataset_id),),
    ).fetchone()
    if row is None:
        raise DatasetNotFoundError(dataset_id)
    return row["number"], whole_meta(row)


def whole_meta(row: Row) -> DatasetMeta:
    """A row's meta with its profile."""
    meta = _told(row)
    if row["profile"] is None:
        return meta
    try:
        return meta.model_copy(update={"profile": DatasetProfile.model_validate_json(row["profile"])})
    except ValidationError as error:
        raise DatasetDamagedError(row["id"], "its profile cannot be read") from error


def listed_meta(row: Row) -> DatasetMeta:
    """A row's meta in a list; under the name that was asked for, if any was."""
    meta = _told(row)
    return meta if row["as_version"] is None else named(meta, row["as_name"], row["as_version"])


def _told(row: Row) -> DatasetMeta:
    """A row's meta, but for the profile."""
    try:
        meta = DatasetMeta.model_validate_json(row["meta"])
    except ValidationError as error:
        raise DatasetDamagedError(row["id"], "its meta cannot be read") from error
    if row["last_accessed_at"] is None:
        return meta
    accessed = {"access_count": row["access_count"], "last_accessed_at": moment_at(row["last_accessed_at"])}
    return meta.model_copy(update=accessed)


def add_dataset(connection: sqlite3.Connection, meta: DatasetMeta, location: str) -> DatasetMeta:
    """Write a dataset that is not there; where it has a name, it becomes the name's next version."""
    number = insert_dataset(connection, meta, location)
    return meta if meta.dataset_name is None else add_name(connection, number, meta, meta.dataset_name)


def insert_dataset(connection: sqlite3.Connection, meta: DatasetMeta, location: str) -> int:
    """Write a dataset that is not there, but for its names; returns its number."""
    row = {
        "id": meta.dataset_id,
        "generator": meta.generator,
        "created_at": microseconds(meta.created_at),
        "expires_at": None if meta.expires_at is None else microseconds(meta.expires_at),
        "n_samples": meta.n_samples,
        "size_bytes": meta.size_bytes,
        "parent": meta.parent_dataset_id,
        "tags": _tag_list(connection, meta.tags),
        "location": location,
        "checksum": meta.checksum,
        "access_count": meta.access_count,
        "last_accessed_at": None if meta.last_accessed_at is None else microseconds(meta.last_accessed_at),
    }
    number = int(connection.execute(_INSERT, row).fetchone()["number"])
    profile = None if meta.profile is None else meta.profile.model_dump_json()
    connection.execute("INSERT INTO details VALUES (?, ?, ?)", (number, written(meta), profile))
    return number


def add_name(
    connection: sqlite3.Connection, number: int, meta: DatasetMeta, name: str, version: int | None = None
) -> DatasetMeta:
    """Make a dataset the next version of a name, or the one that is given, unless it is one already."""
    row = connection.execute(
        f"SELECT version FROM versions WHERE dataset = :number AND name = {NAME}",  # noqa: S608
        {"number": number, "dataset_name": name},
    ).fetchone()
    version = _new_version(connection, number, name, version) if row is None else row["version"]
    connection.execute("UPDATE datasets SET version = ? WHERE number = ?", (version, number))
    return _rewritten(connection, number, named(meta, name, version))


def _new_version(connection: sqlite3.Connection, number: int, name: str, wanted: int | None) -> int:
    name_number, last = connection.execute(
        """
        INSERT INTO names (name, last_version) VALUES (:name, coalesce(:wanted, 1))
        ON CONFLICT (name) DO UPDATE SET last_version = max(last_version, coalesce(:wanted, last_version + 1))
        RETURNING number, last_version
        """,
        {"name": name, "wanted": wanted},
    ).fetchone()
    version = int(last) if wanted is None else wanted
    try:
        insert_version(connection, number, name_number, version)
    except sqlite3.IntegrityError as error:
        raise VersionTakenError(name, version) from error
    return version


def insert_version(connection: sqlite3.Connection, number: int, name_number: int, version: int) -> None:
    """Write that a dataset is this version of a name."""
    connection.execute("INSERT INTO versions VALUES (?, ?, ?)", (name_number, version, number))
    connection.execute(
        "UPDATE datasets SET names = rtrim(names) || ' ' || ? || ' ' WHERE number = ?", (name_number, number)
    )


def add_accesses(connection: sqlite3.Connection, accesses: Mapping[str, Accesses]) -> None:
    """Count readings of artifacts; of those that are there."""
    rows = [
        {"id": dataset_id, "count": each.count, "last_at": microseconds(each.last_at)}
        for dataset_id, each in accesses.items()
    ]
    connection.executemany(_ACCESSED, rows)


def set_tags(connection: sqlite3.Connection, number: int, meta: DatasetMeta, tags: Sequence[str]) -> DatasetMeta:
    """Give a dataset these tags in place of those that it has."""
    connection.execute("UPDATE datasets SET tags = ? WHERE number = ?", (_tag_list(connection, tags), number))
    return _rewritten(connection, number, meta.model_copy(update={"tags": tuple(tags)}))


def _tag_list(connection: sqlite3.Connection, tags: Sequence[str]) -> str:
    """Tags as a list of numbers: new ones get some."""
    connection.executemany("INSERT OR IGNORE INTO tags (tag) VALUES (?)", [(tag,) for tag in tags])
    numbers = tag_numbers(connection, tags)
    return f" {' '.join(str(numbers[tag]) for tag in tags)} "


def tag_numbers(connection: sqlite3.Connection, tags: Sequence[str]) -> dict[str, int]:
    """The numbers of those tags that have one."""
    marks = ", ".join("?" * len(tags))
    return dict(connection.execute(f"SELECT tag, number FROM tags WHERE tag IN ({marks})", tags).fetchall())  # noqa: S608


def _rewritten(connection: sqlite3.Connection, number: int, meta: DatasetMeta) -> DatasetMeta:
    connection.execute("UPDATE details SET meta = ? WHERE dataset = ?", (written(meta), number))
    return meta


def named(meta: DatasetMeta, name: str, version: int) -> DatasetMeta:
    """A meta that says this name and version."""
    return meta.model_copy(update={"dataset_name": name, "dataset_version": version})


def written(meta: DatasetMeta) -> str:
    """A meta as it is kept: without what has columns of its own."""
    return meta.model_dump_json(exclude=_APART)
