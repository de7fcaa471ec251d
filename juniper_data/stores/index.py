"""All that is known of datasets but the artifacts' bytes, in SQLite; stores put the bytes beside it."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from juniper_common import sqlite_file
from juniper_common.sqlite_file import SqliteFile
from juniper_common.wire.dataset_queries import DatasetFilter, DatasetStats, FoundDatasets
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetNotFoundError, StoreError, StoreFullError
from juniper_data.stores.limits import changed_tags, check_quota, page_of
from juniper_data.stores.protocol import Accesses, Quota
from juniper_data.stores.query import NAME, Values, asked_tags, condition, cursor_at, microseconds, moment_at, place_of
from juniper_data.stores.rows import (
    META_COLUMNS,
    add_accesses,
    add_dataset,
    add_name,
    checked,
    listed_meta,
    read_dataset,
    set_tags,
    tag_numbers,
)
from juniper_data.stores.schema import MIGRATIONS

# In a list that asks for a name, datasets say that one.
_AS_NAMED = ":dataset_name AS as_name, versions.version AS as_version"
_PAGE = f"""
    SELECT {META_COLUMNS}, {_AS_NAMED} FROM
        (SELECT number FROM datasets WHERE {{}} ORDER BY created_at DESC, id DESC LIMIT :n OFFSET :offset) AS page
        JOIN datasets USING (number) JOIN details ON details.dataset = number
        LEFT JOIN versions ON versions.dataset = number AND versions.name = {NAME}
    ORDER BY created_at DESC, id DESC
"""  # noqa: S608
_VERSIONS = f"""
    SELECT {META_COLUMNS}, {_AS_NAMED} FROM versions JOIN datasets ON number = versions.dataset
        JOIN details ON details.dataset = number
    WHERE versions.name = {NAME} ORDER BY versions.version DESC LIMIT :n
"""  # noqa: S608
_COUNT_NAME = """
    INSERT INTO names (name, last_version) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET last_version = excluded.last_version WHERE last_version < excluded.last_version
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

    def check(self) -> str | None:
        """Write and remove a little; nothing else is to be warned of."""
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO keys VALUES ('', '', 0)")
            connection.execute("DELETE FROM keys WHERE key = ''")
        return None

    def add(self, meta: DatasetMeta, location: str) -> Added:
        """Note a dataset whose artifact is whole at its location.

        The first writer of an id wins; later ones get what is there, but one that has expired at `meta.created_at` is
        replaced. A `meta.dataset_name` becomes the next version of that name.

        Raises:
            QuotaExceededError: it would be more than the quota, what has expired at `meta.created_at` not counted.
        """
        now = microseconds(meta.created_at)
        with self._writing() as connection:
            expired = connection.execute(
                "DELETE FROM datasets WHERE id = ? AND expires_at <= ? RETURNING location",
                (checked(meta.dataset_id), now),
            ).fetchone()
            try:
                number, there = read_dataset(connection, meta.dataset_id)
            except DatasetNotFoundError:
                self._check_quota(connection, meta, now)
                new = add_dataset(connection, meta, location)
                return Added(new, created=True, replaced=expired["location"] if expired else None)
            if meta.dataset_name is not None:
                there = add_name(connection, number, there, meta.dataset_name)
            return Added(there, created=False, replaced=None)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset."""
        with self._reading() as connection:
            _, meta = read_dataset(connection, dataset_id)
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
        with self._writing() as connection:
            add_accesses(connection, accesses)

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
            where, values = condition(query, at, tag_numbers(connection, asked_tags(query)))
            found = connection.execute(_PAGE.format(f"{where} AND {after}"), values | bounds)
            shown, is_last = page_of(found, query.limit)
            if query.cursor is None and query.offset == 0 and is_last:
                total = len(shown)
            else:
                total = connection.execute(f"SELECT count(*) FROM datasets WHERE {where}", values).fetchone()[0]  # noqa: S608
        return FoundDatasets(
            datasets=tuple(map(listed_meta, shown)),
            total=total,
            limit=query.limit,
            offset=query.offset,
            next_cursor=None if is_last else cursor_at(shown[-1]["created_at"], shown[-1]["id"]),
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

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """Give a dataset a name."""
        with self._writing() as connection:
            number, meta = read_dataset(connection, dataset_id)
            return add_name(connection, number, meta, name, version)

    def names(self) -> Mapping[str, int]:
        """All names that were ever given, each with the last number that it counted."""
        with self._reading() as connection:
            return dict(connection.execute("SELECT name, last_version FROM names ORDER BY name").fetchall())

    def count_names(self, last: Mapping[str, int]) -> None:
        """Have names count on from these numbers."""
        with self._writing() as connection:
            connection.executemany(_COUNT_NAME, last.items())

    def versions(self, name: str, last: int | None = None) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version; all, or so many of the last."""
        with self._reading() as connection:
            rows = connection.execute(_VERSIONS, {"dataset_name": name, "n": -1 if last is None else last})
            return [listed_meta(row) for row in rows][::-1]

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some at the end, each once."""
        with self._writing() as connection:
            number, meta = read_dataset(connection, dataset_id)
            return set_tags(connection, number, meta, changed_tags(meta, add, remove))

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
        check_quota(self._quota, datasets - n_expired, size - expired_size, meta)

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


def _by_tag(connection: sqlite3.Connection) -> dict[str, int]:
    """How many datasets have each tag."""
    counts: Counter[str] = Counter()
    for numbers, n in connection.execute("SELECT tags, count(*) FROM datasets GROUP BY tags"):
        counts.update(dict.fromkeys(numbers.split(), n))
    tags = connection.execute("SELECT number, tag FROM tags ORDER BY tag")
    return {tag: counts[str(number)] for number, tag in tags if str(number) in counts}


def _expired(connection: sqlite3.Connection, now: int) -> tuple[int, int]:
    """How many datasets have expired, and their bytes together."""
    n, size = connection.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM datasets WHERE expires_at <= ?", (now,)
    ).fetchone()
    return n, size
