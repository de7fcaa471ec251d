"""All that is known of datasets but the artifacts' bytes, in SQLite; stores put the bytes beside it."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from juniper_common import sqlite_file
from juniper_common.sqlite_file import SqliteFile
from juniper_common.wire.dataset_queries import DatasetFilter, DatasetStats, FoundDatasets
from juniper_common.wire.datasets import DATASET_ID_PATTERN, DatasetMeta
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.profiles import DatasetProfile
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    QuotaExceededError,
    StoreError,
    StoreFullError,
)
from juniper_data.stores.protocol import Accesses, Quota
from juniper_data.stores.query import NAME, Values, asked_tags, condition, cursor_at, microseconds, moment_at, place_of
from juniper_data.stores.schema import MIGRATIONS

MAX_TAGS = 100

_ID = re.compile(DATASET_ID_PATTERN)
# What `details` does not say of a dataset: it has a column of its own.
_APART = {"profile", "access_count", "last_accessed_at"}

_TOLD = "number, id, created_at, access_count, last_accessed_at, meta"
# In a list that asks for a name, datasets say that one.
_AS_NAMED = ":dataset_name AS as_name, versions.version AS as_version"
_PAGE = f"""
    SELECT {_TOLD}, {_AS_NAMED} FROM
        (SELECT number FROM datasets WHERE {{}} ORDER BY created_at DESC, id DESC LIMIT :n OFFSET :offset) AS page
        JOIN datasets USING (number) JOIN details ON details.dataset = number
        LEFT JOIN versions ON versions.dataset = number AND versions.name = {NAME}
    ORDER BY created_at DESC, id DESC
"""  # noqa: S608
_VERSIONS = f"""
    SELECT {_TOLD}, {_AS_NAMED} FROM versions JOIN datasets ON number = versions.dataset
        JOIN details ON details.dataset = number
    WHERE versions.name = {NAME} ORDER BY versions.version
"""  # noqa: S608
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
_CLAIM = """
    INSERT INTO keys VALUES (:key, :fingerprint, :expires_at)
    ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at
        WHERE keys.expires_at <= :at
"""


@dataclass(frozen=True, slots=True)
class Added:
    """The dataset now in the index; `created` is false where it was there before.

    `replaced` is where the expired artifact is whose place it took: nobody will ask for that any more.
    """

    meta: DatasetMeta
    created: bool
    replaced: str | None


@dataclass(frozen=True, slots=True)
class Located:
    """Where an artifact is, and what it must be."""

    location: str
    checksum: str


class Index:
    """Datasets by id, each with the location of its artifact: any text that its store makes, and that no two share.

    Safe to use from any threads, and by several processes on one file. What a call has written is on the disk when
    it returns. Errors are those of `DatasetStore`, as are the methods of the same names.

    Args:
        path: the file; None: in memory.
        quota: how much it takes.
    """

    def __init__(self, path: Path | None, quota: Quota) -> None:
        self._quota = quota
        with _store_errors():
            self._file = SqliteFile(path, MIGRATIONS, "the dataset index")

    def check(self) -> None:
        """Write and remove a little."""
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO keys VALUES ('', '', 0)")
            connection.execute("DELETE FROM keys WHERE key = ''")

    def add(self, meta: DatasetMeta, location: str) -> Added:
        """Note a dataset whose artifact is whole at its location.

        The first writer of an id wins; later ones get what is there, but one that has expired at `meta.created_at` is
        replaced. A `meta.dataset_name` becomes the next version of that name.

        Raises:
            QuotaExceededError: it would be more than the quota, what has expired at `meta.created_at` not counted.
        """
        now = microseconds(meta.created_at)
        with self._writing() as connection:
            # The first writer of an id has it, until it expires.
            expired = connection.execute(
                "DELETE FROM datasets WHERE id = ? AND expires_at <= ? RETURNING location",
                (checked(meta.dataset_id), now),
            ).fetchone()
            try:
                number, there = _find(connection, meta.dataset_id)
            except DatasetNotFoundError:
                self._check_quota(connection, meta, now)
                new = _insert(connection, meta, location)
                return Added(new, created=True, replaced=expired["location"] if expired else None)
            if meta.dataset_name is not None:
                there = _named(connection, number, there, meta.dataset_name)
            return Added(there, created=False, replaced=None)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset."""
        with self._reading() as connection:
            _, meta = _find(connection, dataset_id)
            return meta

    def locate(self, dataset_id: str) -> Located:
        """Where a dataset's artifact is."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT location, checksum FROM datasets WHERE id = ?", (checked(dataset_id),)
            ).fetchone()
        if row is None:
            raise DatasetNotFoundError(dataset_id)
        return Located(*row)

    def locations(self, prefix: str) -> set[str]:
        """All locations of artifacts that begin like this."""
        with self._reading() as connection:
            bounds = (prefix, f"{prefix}{chr(0x10FFFF)}")
            rows = connection.execute("SELECT location FROM datasets WHERE location BETWEEN ? AND ?", bounds)
            return {location for (location,) in rows}

    def has_location(self, location: str) -> bool:
        """Whether a dataset's artifact is there."""
        with self._reading() as connection:
            found = connection.execute("SELECT EXISTS (SELECT 1 FROM datasets WHERE location = ?)", (location,))
            return bool(found.fetchone()[0])

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """Count readings of artifacts."""
        rows = [
            {"id": dataset_id, "count": each.count, "last_at": microseconds(each.last_at)}
            for dataset_id, each in accesses.items()
        ]
        with self._writing() as connection:
            connection.executemany(_ACCESSED, rows)

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        with self._reading() as connection:
            rows = connection.execute("SELECT id FROM datasets ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
            return [dataset_id for (dataset_id,) in rows]

    def find(self, query: DatasetFilter, at: datetime) -> FoundDatasets:
        """One page of the datasets that fit, newest first."""
        # One more than asked for tells whether this page is the last.
        bounds: Values = {"n": query.limit + 1, "offset": query.offset}
        after = "TRUE"
        if query.cursor is not None:
            after = "(created_at, id) < (:cursor_created_at, :cursor_id)"
            bounds["cursor_created_at"], bounds["cursor_id"] = place_of(query.cursor)
        with self._reading() as connection:
            where, values = condition(query, at, _tag_numbers(connection, asked_tags(query)))
            rows = connection.execute(_PAGE.format(f"{where} AND {after}"), values | bounds).fetchall()
            if query.cursor is None and query.offset == 0 and len(rows) <= query.limit:
                total = len(rows)
            else:
                total = connection.execute(f"SELECT count(*) FROM datasets WHERE {where}", values).fetchone()[0]  # noqa: S608
        shown = rows[: query.limit]
        return FoundDatasets(
            datasets=tuple(map(_listed, shown)),
            total=total,
            limit=query.limit,
            offset=query.offset,
            next_cursor=cursor_at(shown[-1]["created_at"], shown[-1]["id"]) if len(rows) > len(shown) else None,
        )

    def stats(self, at: datetime) -> DatasetStats:
        """The index in figures."""
        with self._reading() as connection:
            samples, oldest, newest = connection.execute(
                "SELECT coalesce(sum(n_samples), 0), min(created_at), max(created_at) FROM datasets"
            ).fetchone()
            datasets, size = connection.execute("SELECT datasets, bytes FROM totals").fetchone()
            n_expired, _ = _expired(connection, microseconds(at))
            by_generator = connection.execute("SELECT generator, count(*) FROM datasets GROUP BY 1 ORDER BY 1")
            return DatasetStats(
                total_datasets=datasets,
                total_samples=samples,
                total_bytes=size,
                by_generator=dict(by_generator.fetchall()),
                by_tag=_by_tag(connection),
                oldest_created_at=None if oldest is None else moment_at(oldest),
                newest_created_at=None if newest is None else moment_at(newest),
                expired_count=n_expired,
                max_datasets=self._quota.max_datasets,
                max_bytes=self._quota.max_bytes,
            )

    def add_version(self, dataset_id: str, name: str) -> DatasetMeta:
        """Give a dataset a name."""
        with self._writing() as connection:
            number, meta = _find(connection, dataset_id)
            return _named(connection, number, meta, name)

    def versions(self, name: str) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version."""
        with self._reading() as connection:
            rows = connection.execute(_VERSIONS, {"dataset_name": name})
            return [_listed(row) for row in rows]

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some at the end, each once."""
        with self._writing() as connection:
            number, meta = _find(connection, dataset_id)
            kept = [tag for tag in meta.tags if tag not in set(remove)]
            tags = tuple(dict.fromkeys([*kept, *add]))
            if len(tags) > MAX_TAGS:
                problem = FieldProblem(loc=["add_tags"], msg=f"a dataset has at most {MAX_TAGS} tags")
                raise InvalidParametersError((problem,))
            connection.execute("UPDATE datasets SET tags = ? WHERE number = ?", (_tags(connection, tags), number))
            return _rewritten(connection, number, meta.model_copy(update={"tags": tags}))

    def remove(self, dataset_id: str) -> str:
        """Forget a dataset; returns where its artifact is."""
        with self._writing() as connection:
            row = connection.execute(
                "DELETE FROM datasets WHERE id = ? RETURNING location", (checked(dataset_id),)
            ).fetchone()
        if row is None:
            raise DatasetNotFoundError(dataset_id)
        return str(row["location"])

    def remove_expired(self, at: datetime) -> list[tuple[str, str]]:
        """Forget what has expired, idempotency keys too; returns the datasets' ids and where their artifacts are."""
        now = microseconds(at)
        with self._writing() as connection:
            connection.execute("DELETE FROM keys WHERE expires_at <= ?", (now,))
            rows = connection.execute("DELETE FROM datasets WHERE expires_at <= ? RETURNING id, location", (now,))
            return [(dataset_id, location) for dataset_id, location in rows]

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """Note what an idempotency key was first used for; returns that."""
        row = {
            "key": key,
            "fingerprint": fingerprint,
            "at": microseconds(at),
            "expires_at": microseconds(expires_at),
        }
        with self._writing() as connection:
            connection.execute(_CLAIM, row)
            first = connection.execute("SELECT fingerprint FROM keys WHERE key = ?", (key,)).fetchone()
            return str(first["fingerprint"])

    def close(self) -> None:
        """Close the file; no call may follow."""
        self._file.close()

    def _check_quota(self, connection: sqlite3.Connection, meta: DatasetMeta, now: int) -> None:
        if self._quota == Quota():
            return
        datasets, size = connection.execute("SELECT datasets, bytes FROM totals").fetchone()
        n_expired, expired_size = _expired(connection, now)
        if self._quota.max_datasets is not None and datasets - n_expired + 1 > self._quota.max_datasets:
            raise QuotaExceededError(
                f"the store may hold {self._quota.max_datasets} datasets (JUNIPER_DATA_MAX_DATASETS) and has them;"
                " delete some, or allow more"
            )
        if self._quota.max_bytes is not None and size - expired_size + meta.size_bytes > self._quota.max_bytes:
            raise QuotaExceededError(
                f"the store may hold {self._quota.max_bytes} bytes (JUNIPER_DATA_MAX_BYTES), has"
                f" {size - expired_size} and cannot take {meta.size_bytes} more; delete some datasets, or allow more"
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _store_errors(), self._file.writing() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _store_errors(), self._file.reading() as connection:
            yield connection


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite_file.StoreFullError as error:
        raise StoreFullError(str(error)) from error
    except sqlite_file.StoreError as error:
        raise StoreError(str(error)) from error


def checked(dataset_id: str) -> str:
    """The id; DatasetNotFoundError where it is malformed."""
    # fullmatch: $ would let a line break through.
    if not _ID.fullmatch(dataset_id):
        raise DatasetNotFoundError(dataset_id)
    return dataset_id


def _find(connection: sqlite3.Connection, dataset_id: str) -> tuple[int, DatasetMeta]:
    """A dataset's number, and all that is known of it."""
    row = connection.execute(
        f"SELECT {_TOLD}, profile FROM datasets JOIN details ON dataset = number WHERE id = ?",  # noqa: S608
        (checked(dataset_id),),
    ).fetchone()
    if row is None:
        raise DatasetNotFoundError(dataset_id)
    meta = _told(row)
    if row["profile"] is not None:
        try:
            meta = meta.model_copy(update={"profile": DatasetProfile.model_validate_json(row["profile"])})
        except ValidationError as error:
            raise DatasetDamagedError(dataset_id, "its profile cannot be read") from error
    return row["number"], meta


def _told(row: sqlite3.Row) -> DatasetMeta:
    """A row's meta, but for the profile."""
    try:
        meta = DatasetMeta.model_validate_json(row["meta"])
    except ValidationError as error:
        raise DatasetDamagedError(row["id"], "its meta cannot be read") from error
    if row["last_accessed_at"] is None:
        return meta
    accessed = {"access_count": row["access_count"], "last_accessed_at": moment_at(row["last_accessed_at"])}
    return meta.model_copy(update=accessed)


def _listed(row: sqlite3.Row) -> DatasetMeta:
    """A row's meta in a list; under the name that was asked for, if any was."""
    meta = _told(row)
    return meta if row["as_version"] is None else _as(meta, row["as_name"], row["as_version"])


def _as(meta: DatasetMeta, name: str, version: int) -> DatasetMeta:
    return meta.model_copy(update={"dataset_name": name, "dataset_version": version})


def _insert(connection: sqlite3.Connection, meta: DatasetMeta, location: str) -> DatasetMeta:
    row = {
        "id": meta.dataset_id,
        "generator": meta.generator,
        "created_at": microseconds(meta.created_at),
        "expires_at": None if meta.expires_at is None else microseconds(meta.expires_at),
        "n_samples": meta.n_samples,
        "size_bytes": meta.size_bytes,
        "parent": meta.parent_dataset_id,
        "tags": _tags(connection, meta.tags),
        "location": location,
        "checksum": meta.checksum,
        "access_count": meta.access_count,
        "last_accessed_at": None if meta.last_accessed_at is None else microseconds(meta.last_accessed_at),
    }
    number = connection.execute(_INSERT, row).fetchone()["number"]
    profile = None if meta.profile is None else meta.profile.model_dump_json()
    connection.execute("INSERT INTO details VALUES (?, ?, ?)", (number, _json(meta), profile))
    return meta if meta.dataset_name is None else _named(connection, number, meta, meta.dataset_name)


def _tags(connection: sqlite3.Connection, tags: Sequence[str]) -> str:
    """Tags as a list of numbers: new ones get some."""
    connection.executemany("INSERT OR IGNORE INTO tags (tag) VALUES (?)", [(tag,) for tag in tags])
    numbers = _tag_numbers(connection, tags)
    return f" {' '.join(str(numbers[tag]) for tag in tags)} "


def _tag_numbers(connection: sqlite3.Connection, tags: Sequence[str]) -> dict[str, int]:
    """The numbers of those tags that have one."""
    marks = ", ".join("?" * len(tags))
    return dict(connection.execute(f"SELECT tag, number FROM tags WHERE tag IN ({marks})", tags).fetchall())  # noqa: S608


def _by_tag(connection: sqlite3.Connection) -> dict[str, int]:
    """How many datasets have each tag."""
    counts: Counter[str] = Counter()
    for numbers, n in connection.execute("SELECT tags, count(*) FROM datasets GROUP BY tags"):
        counts.update(dict.fromkeys(numbers.split(), n))
    tags = connection.execute("SELECT number, tag FROM tags ORDER BY tag")
    return {tag: counts[str(number)] for number, tag in tags if str(number) in counts}


def _named(connection: sqlite3.Connection, number: int, meta: DatasetMeta, name: str) -> DatasetMeta:
    """Make a dataset the next version of a name, unless it is one already."""
    row = connection.execute(
        f"SELECT version FROM versions WHERE dataset = :number AND name = {NAME}",  # noqa: S608
        {"number": number, "dataset_name": name},
    ).fetchone()
    version = _new_version(connection, number, name) if row is None else row["version"]
    connection.execute("UPDATE datasets SET version = ? WHERE number = ?", (version, number))
    return _rewritten(connection, number, _as(meta, name, version))


def _new_version(connection: sqlite3.Connection, number: int, name: str) -> int:
    name_number, version = connection.execute(
        """
        INSERT INTO names (name, last_version) VALUES (?, 1)
        ON CONFLICT (name) DO UPDATE SET last_version = last_version + 1 RETURNING number, last_version
        """,
        (name,),
    ).fetchone()
    connection.execute("INSERT INTO versions VALUES (?, ?, ?)", (name_number, version, number))
    connection.execute(
        "UPDATE datasets SET names = rtrim(names) || ' ' || ? || ' ' WHERE number = ?", (name_number, number)
    )
    return int(version)


def _rewritten(connection: sqlite3.Connection, number: int, meta: DatasetMeta) -> DatasetMeta:
    connection.execute("UPDATE details SET meta = ? WHERE dataset = ?", (_json(meta), number))
    return meta


def _json(meta: DatasetMeta) -> str:
    return meta.model_dump_json(exclude=_APART)


def _expired(connection: sqlite3.Connection, now: int) -> tuple[int, int]:
    """How many datasets have expired, and their bytes together."""
    n, size = connection.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM datasets WHERE expires_at <= ?", (now,)
    ).fetchone()
    return n, size
