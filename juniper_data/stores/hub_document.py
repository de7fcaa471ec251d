"""The index of a store on a hub, as the file that lies in its repository: a JSON object a line.

The first says the format. Names follow with the last version that each counted, idempotency keys, and the datasets.
It comes from strangers: each line must be one of these, and what is not ends the reading of it all.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from juniper_common.wire.datasets import DATASET_ID_PATTERN, DatasetMeta
from juniper_common.wire.profiles import DatasetProfile
from juniper_data.errors import StoreError
from juniper_data.imports.writing import MAX_ARTIFACT_BYTES
from juniper_data.stores.query import microseconds, moment_at
from juniper_data.stores.rows import insert_dataset, insert_version

FORMAT = 1

EMPTY = b'{"juniper_index": 1}\n'
"""The document of an index with nothing in it."""

_TABLES = ("datasets", "names", "tags", "keys")  # What belongs to a dataset goes with it.
_CHECKSUM = re.compile("[0-9a-f]{64}")
_ID = re.compile(DATASET_ID_PATTERN)

_Count = Annotated[int, Field(ge=0, lt=2**53)]
_Version = Annotated[int, Field(ge=1, lt=2**53)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Header(_Line):
    juniper_index: Literal[1]


class _NameLine(_Line):
    name: _Name
    last_version: _Version


class _KeyLine(_Line):
    key: str
    fingerprint: str
    expires_at: AwareDatetime


class _DatasetLine(_Line):
    meta: DatasetMeta
    profile: DatasetProfile | None
    access_count: _Count
    last_accessed_at: AwareDatetime | None
    versions: dict[_Name, _Version]

    def told(self) -> DatasetMeta:
        """All that is known of the dataset. Raises ValueError where that cannot be."""
        meta = self.meta
        if not (_ID.fullmatch(meta.dataset_id) and _CHECKSUM.fullmatch(meta.checksum)):
            raise ValueError("no dataset has such an id or checksum")
        if not (0 <= meta.size_bytes <= MAX_ARTIFACT_BYTES and 0 <= meta.n_samples < 2**53):
            raise ValueError("no dataset has such a size")
        if any(moment is not None and moment.tzinfo is None for moment in (meta.created_at, meta.expires_at)):
            raise ValueError("a time has no zone")
        if meta.dataset_name is None:
            if self.versions or meta.dataset_version is not None:
                raise ValueError("versions without a name")
        elif self.versions.get(meta.dataset_name) != meta.dataset_version:
            raise ValueError("its name has another version")
        accessed = {"access_count": self.access_count, "last_accessed_at": self.last_accessed_at}
        return meta.model_copy(update={"profile": self.profile, **accessed})


_LINE: TypeAdapter[_NameLine | _KeyLine | _DatasetLine] = TypeAdapter(_NameLine | _KeyLine | _DatasetLine)


def written(connection: sqlite3.Connection) -> bytes:
    """The document of an index."""
    return "".join(f"{line}\n" for line in _lines(connection)).encode()


def take_over(connection: sqlite3.Connection, document: bytes, where: str) -> None:
    """Put what a document has in place of all that an index has, within the transaction of the caller.

    Raises:
        StoreError: it is no document, or one of a later version of Juniper.
    """
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    first, *lines = document.removesuffix(b"\n").split(b"\n")
    try:
        _Header.model_validate_json(first)
    except ValidationError as error:
        raise StoreError(f"{where} is no index of format {FORMAT}; this version of Juniper reads no other") from error
    for number, line in enumerate(lines, start=2):
        try:
            _insert(connection, _LINE.validate_json(line))
        except (ValueError, OverflowError, sqlite3.Error) as error:
            raise StoreError(f"line {number} of {where} cannot be; go back to a revision before") from error


def location_of(dataset_id: str) -> str:
    """Where a repository has a dataset's artifact."""
    return f"artifacts/{dataset_id}.npz"


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    yield json.dumps({"juniper_index": FORMAT})
    for name, last_version in connection.execute("SELECT name, last_version FROM names ORDER BY name"):
        yield json.dumps({"name": name, "last_version": last_version})
    for key, fingerprint, expires_at in connection.execute("SELECT * FROM keys ORDER BY key"):
        yield json.dumps({"key": key, "fingerprint": fingerprint, "expires_at": _iso(expires_at)})
    datasets = connection.execute("""
        SELECT meta, profile, access_count, last_accessed_at, (
            SELECT json_group_object(names.name, versions.version) FROM versions
                JOIN names ON names.number = versions.name WHERE versions.dataset = datasets.number
        ) FROM datasets JOIN details ON dataset = number ORDER BY id
    """)
    for meta, profile, count, accessed_at, versions in datasets:
        # Meta and profile are JSON already, of one line each.
        yield (
            f'{{"meta": {meta}, "profile": {profile or "null"}, "access_count": {count}, '
            f'"last_accessed_at": {json.dumps(_iso(accessed_at))}, "versions": {versions}}}'
        )


def _iso(us: int | None) -> str | None:
    return None if us is None else moment_at(us).isoformat()


def _insert(connection: sqlite3.Connection, line: _NameLine | _KeyLine | _DatasetLine) -> None:
    match line:
        case _NameLine():
            connection.execute("INSERT INTO names (name, last_version) VALUES (?, ?)", (line.name, line.last_version))
        case _KeyLine():
            row = (line.key, line.fingerprint, microseconds(line.expires_at))
            connection.execute("INSERT INTO keys VALUES (?, ?, ?)", row)
        case _DatasetLine():
            meta = line.told()
            number = insert_dataset(connection, meta, location_of(meta.dataset_id))
            for name, version in line.versions.items():
                found = connection.execute(
                    "SELECT number FROM names WHERE name = ? AND last_version >= ?", (name, version)
                ).fetchone()
                if found is None:
                    raise ValueError("a version that its name has not counted")
                insert_version(connection, number, found["number"], version)
            connection.execute("UPDATE datasets SET version = ? WHERE number = ?", (meta.dataset_version, number))
