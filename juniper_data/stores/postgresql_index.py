"""All that is known of datasets but the artifacts' bytes, in PostgreSQL; the store puts the bytes beside it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from psycopg import Connection

from juniper_common.wire.dataset_queries import DatasetFilter, DatasetStats, FoundDatasets
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetNotFoundError, StoreError
from juniper_data.stores.index import Added, Located
from juniper_data.stores.limits import changed_tags, check_quota, page_of
from juniper_data.stores.postgresql_connections import Connections
from juniper_data.stores.postgresql_query import NAME, Values, condition, escaped, is_narrow, unescaped
from juniper_data.stores.postgresql_rows import Row, add_dataset, add_name, read_dataset, set_tags
from juniper_data.stores.postgresql_tags import BY_TAG, Tagged, tagged
from juniper_data.stores.protocol import Accesses, Quota
from juniper_data.stores.query import cursor_at, microseconds, moment_at, place_of
from juniper_data.stores.rows import META_COLUMNS, checked, listed_meta

# In a list that asks for a name, datasets say that one.
_PAGE = f"""
    SELECT {META_COLUMNS}, versions.version AS as_version FROM
        (SELECT number FROM datasets WHERE {{where}} ORDER BY created_at {{order}}, id {{order}}
            LIMIT %(n)s OFFSET %(offset)s) AS page
        JOIN datasets USING (number) JOIN details ON details.dataset = number
        LEFT JOIN versions ON versions.dataset = number AND versions.name = {NAME}
    ORDER BY created_at DESC, id DESC
"""  # noqa: S608
_VERSIONS = f"""
    SELECT {META_COLUMNS}, versions.version AS as_version FROM versions JOIN datasets ON number = versions.dataset
        JOIN details ON details.dataset = number
    WHERE versions.name = {NAME} ORDER BY versions.version DESC LIMIT %(n)s
"""  # noqa: S608
_ACCESSED = """
    UPDATE datasets SET
        access_count = access_count + %(count)s, last_accessed_at = greatest(last_accessed_at, %(last_at)s)
    WHERE id = %(id)s
"""
_COUNT_NAME = """
    INSERT INTO names (name, last_version) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET last_version = greatest(names.last_version, excluded.last_version)
"""
_CLAIM = """
    INSERT INTO keys VALUES (%(key)s, %(fingerprint)s, %(expires_at)s)
    ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at
        WHERE keys.expires_at <= %(at)s
"""
_EXPIRED = """
    SELECT count(*) AS n, coalesce(sum(size_bytes), 0)::bigint AS size FROM datasets WHERE expires_at <= %s
"""
_REMOVE_EXPIRED = """
    DELETE FROM datasets
    WHERE number IN (SELECT number FROM datasets WHERE expires_at <= %s ORDER BY expires_at LIMIT %s)
    RETURNING id, location
"""
_NOT_DURABLE = """
    SELECT name FROM (VALUES ('fsync'), ('synchronous_commit')) AS needed (name) WHERE current_setting(name) = 'off'
"""
# Long after whoever had no answer has given up.
_FORGET_COMMITS = "DELETE FROM commits WHERE at < now() - interval '1 hour'"

BATCH = 500
"""So many expired datasets are removed at once."""


class PostgresqlIndex:
    """Datasets by id, each with the location of its artifact: any text that its store makes, and that no two share.

    Safe to use from any threads, and by any processes on one database. What a call has written is on the server's disk
    when it returns. Errors are those of `DatasetStore`, as are the methods of the same names.

    Args:
        connections: to the database; closed with this.
        quota: how much it takes.
    """

    def __init__(self, connections: Connections, quota: Quota) -> None:
        self._connections = connections
        self._quota = quota

    def check(self) -> None:
        """Write and remove a little; StoreError too where the server says that what it wrote may be lost."""

        def check(connection: Connection[Row]) -> list[Row]:
            connection.execute("INSERT INTO keys VALUES ('', '', 0) ON CONFLICT (key) DO NOTHING")
            connection.execute("DELETE FROM keys WHERE key = ''")
            return connection.execute(_NOT_DURABLE).fetchall()

        for row in self._connections.write(check):
            raise StoreError(
                f"PostgreSQL's {row['name']} is off: what was written may be lost when its host fails; set it to on"
            )

    def add(self, connection: Connection[Row], meta: DatasetMeta, location: str) -> Added:
        """Note a dataset whose artifact is whole at its location, in the caller's transaction.

        The first writer of an id wins; later ones get what is there, but one that has expired at `meta.created_at` is
        replaced. A `meta.dataset_name` becomes the next version of that name.

        Raises:
            QuotaExceededError: it would be more than the quota, what has expired at `meta.created_at` not counted.
        """
        now = microseconds(meta.created_at)
        query = "DELETE FROM datasets WHERE id = %s AND expires_at <= %s RETURNING location"
        expired = connection.execute(query, (checked(meta.dataset_id), now)).fetchone()
        while (new := add_dataset(connection, meta, location)) is None:
            try:
                number, there = read_dataset(connection, meta.dataset_id, to_change=True)
            except DatasetNotFoundError:
                continue  # It has been deleted meanwhile.
            if meta.dataset_name is not None:
                there = add_name(connection, number, there, meta.dataset_name)
            return Added(there, created=False, replaced=None)
        self._check_quota(connection, meta, now)
        return Added(new, created=True, replaced=expired["location"] if expired else None)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset."""
        return self._connections.read(lambda connection: read_dataset(connection, dataset_id)[1])

    def locate(self, dataset_id: str) -> Located:
        """Where a dataset's artifact is."""
        return self._connections.read(lambda connection: located(connection, dataset_id))

    def locations(self, prefix: str) -> set[str]:
        """All locations of artifacts that begin like this."""
        query = "SELECT location FROM datasets WHERE location BETWEEN %s AND %s"
        bounds = (prefix, f"{prefix}{chr(0x10FFFF)}")
        rows = self._connections.read(lambda connection: connection.execute(query, bounds).fetchall())
        return {row["location"] for row in rows}

    def has_location(self, location: str) -> bool:
        """Whether a dataset's artifact is there."""
        query = "SELECT 1 FROM datasets WHERE location = %s"
        return self._connections.read(lambda connection: connection.execute(query, (location,)).fetchone()) is not None

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """Count readings of artifacts."""
        rows = [
            {
                "id": dataset_id,
                "count": accesses[dataset_id].count,
                "last_at": microseconds(accesses[dataset_id].last_at),
            }
            for dataset_id in sorted(accesses)  # in one order, so that no two wait for each other
        ]
        self._connections.write(lambda connection: connection.cursor().executemany(_ACCESSED, rows))

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        query = "SELECT id FROM datasets ORDER BY id LIMIT %s OFFSET %s"
        rows = self._connections.read(lambda connection: connection.execute(query, (limit, offset)).fetchall())
        return [row["id"] for row in rows]

    def find(self, query: DatasetFilter, at: datetime) -> FoundDatasets:
        """One page of the datasets that fit, newest first."""
        after = "TRUE"
        place: Values = {}
        if query.cursor is not None:
            after = "(created_at, id) < (%(cursor_created_at)s, %(cursor_id)s)"
            place["cursor_created_at"], place["cursor_id"] = place_of(query.cursor)

        def find(connection: Connection[Row]) -> tuple[list[Row], bool, int]:
            tags = tagged(connection, query)
            where, values = condition(query, at)
            if tags is not None:
                where, values = f"{where} AND {tags.condition}", values | tags.values
            is_first = query.cursor is None and query.offset == 0
            total = None if is_first else _total(connection, query, tags, where, values)
            # One more than asked for tells whether this page is the last.
            bounds: Values = {"n": query.limit + 1, "offset": query.offset, **place}
            order = "DESC"
            if query.cursor is None and total is not None and total < 2 * query.offset:
                # The other end is nearer: fewer are walked past from there.
                rows = max(min(query.limit + 1, total - query.offset), 0)
                order, bounds["n"], bounds["offset"] = "ASC", rows, max(total - query.offset - rows, 0)
            page = _PAGE.format(where=f"{where} AND {after}", order=order)
            shown, is_last = page_of(connection.execute(page, values | bounds), query.limit)
            if total is None:
                total = len(shown) if is_last else _total(connection, query, tags, where, values)
            return shown, is_last, total

        shown, is_last, total = self._connections.read(find)
        return FoundDatasets(
            datasets=tuple(listed_meta(row | {"as_name": query.dataset_name}) for row in shown),
            total=total,
            limit=query.limit,
            offset=query.offset,
            next_cursor=None if is_last else cursor_at(shown[-1]["created_at"], shown[-1]["id"]),
        )

    def stats(self, at: datetime) -> DatasetStats:
        """The index in figures."""

        def stats(connection: Connection[Row]) -> DatasetStats:
            figures = _row(
                connection,
                "SELECT coalesce(sum(n_samples), 0)::bigint AS samples, min(created_at) AS oldest,"
                " max(created_at) AS newest FROM datasets",
            )
            totals = _row(connection, "SELECT datasets, bytes FROM totals")
            by_generator = connection.execute(
                "SELECT generator, count(*) AS n FROM datasets GROUP BY generator ORDER BY generator"
            )
            return DatasetStats(
                total_datasets=totals["datasets"],
                total_samples=figures["samples"],
                total_bytes=totals["bytes"],
                by_generator={unescaped(row["generator"]): row["n"] for row in by_generator},
                by_tag={unescaped(row["tag"]): row["n"] for row in connection.execute(BY_TAG)},
                oldest_created_at=None if figures["oldest"] is None else moment_at(figures["oldest"]),
                newest_created_at=None if figures["newest"] is None else moment_at(figures["newest"]),
                expired_count=_row(connection, _EXPIRED, microseconds(at))["n"],
                max_datasets=self._quota.max_datasets,
                max_bytes=self._quota.max_bytes,
            )

        return self._connections.read(stats)

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """Give a dataset a name."""

        def add(connection: Connection[Row]) -> DatasetMeta:
            number, meta = read_dataset(connection, dataset_id, to_change=True)
            return add_name(connection, number, meta, name, version)

        return self._connections.write(add)

    def names(self) -> Mapping[str, int]:
        """All names that were ever given, each with the last number that it counted."""
        query = "SELECT name, last_version FROM names ORDER BY name"
        rows = self._connections.read(lambda connection: connection.execute(query).fetchall())
        return {unescaped(row["name"]): row["last_version"] for row in rows}

    def count_names(self, last: Mapping[str, int]) -> None:
        """Have names count on from these numbers."""
        rows = [(escaped(name), last[name]) for name in sorted(last)]  # in one order, as with accesses
        self._connections.write(lambda connection: connection.cursor().executemany(_COUNT_NAME, rows))

    def versions(self, name: str, last: int | None = None) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version; all, or so many of the last."""
        values = {"dataset_name": escaped(name), "n": last}
        rows = self._connections.read(lambda connection: connection.execute(_VERSIONS, values).fetchall())
        return [listed_meta(row | {"as_name": name}) for row in reversed(rows)]

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some at the end, each once."""

        def change(connection: Connection[Row]) -> DatasetMeta:
            number, meta = read_dataset(connection, dataset_id, to_change=True)
            return set_tags(connection, number, meta, changed_tags(meta, add, remove))

        return self._connections.write(change)

    def remove(self, dataset_id: str) -> str:
        """Forget a dataset; returns where its artifact is."""
        query = "DELETE FROM datasets WHERE id = %s RETURNING location"
        checked(dataset_id)
        row = self._connections.write(lambda connection: connection.execute(query, (dataset_id,)).fetchone())
        if row is None:
            raise DatasetNotFoundError(dataset_id)
        return str(row["location"])

    def remove_expired(self, at: datetime) -> Iterator[tuple[str, str]]:
        """Forget what has expired, idempotency keys too; the datasets' ids and where their artifacts are, as they go.

        In batches, however many have expired: none takes as long as a statement may.
        """
        now = microseconds(at)

        def forget(connection: Connection[Row]) -> None:
            connection.execute("DELETE FROM keys WHERE expires_at <= %s", (now,))
            connection.execute(_FORGET_COMMITS)

        def remove(connection: Connection[Row]) -> list[Row]:
            return connection.execute(_REMOVE_EXPIRED, (now, BATCH)).fetchall()

        self._connections.write(forget)
        while rows := self._connections.write(remove):
            yield from ((row["id"], row["location"]) for row in rows)

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """Note what an idempotency key was first used for; returns that."""
        row = {
            "key": escaped(key),
            "fingerprint": fingerprint,
            "at": microseconds(at),
            "expires_at": microseconds(expires_at),
        }

        def claim(connection: Connection[Row]) -> str:
            connection.execute(_CLAIM, row)
            return str(_row(connection, "SELECT fingerprint FROM keys WHERE key = %s", row["key"])["fingerprint"])

        return self._connections.write(claim)

    def close(self) -> None:
        """Close the connections; no call may follow."""
        self._connections.close()

    def _check_quota(self, connection: Connection[Row], meta: DatasetMeta, now: int) -> None:
        if self._quota == Quota():
            return
        # The dataset is there already, and until the end of the transaction nobody else adds or removes one.
        totals = _row(connection, "SELECT datasets, bytes FROM totals")
        expired = _row(connection, _EXPIRED, now)
        datasets, size = totals["datasets"] - 1 - expired["n"], totals["bytes"] - meta.size_bytes - expired["size"]
        check_quota(self._quota, datasets, size, meta)


def _total(connection: Connection[Row], query: DatasetFilter, tags: Tagged | None, where: str, values: Values) -> int:
    """How many datasets fit: counted only as far as that is not known."""
    if is_narrow(query):
        return _count(connection, where, values)
    total = _row(connection, "SELECT datasets FROM totals")["datasets"] if tags is None else tags.n
    if not query.include_expired:
        of_these = "TRUE" if tags is None else tags.condition
        total -= _count(connection, f"expires_at <= %(at)s AND {of_these}", values)
    return int(total)


def _count(connection: Connection[Row], where: str, values: Values) -> int:
    return int(connection.execute(f"SELECT count(*) AS n FROM datasets WHERE {where}", values).fetchall()[0]["n"])  # noqa: S608


def located(connection: Connection[Row], dataset_id: str) -> Located:
    """Where a dataset's artifact is."""
    query = "SELECT location, checksum FROM datasets WHERE id = %s"
    row = connection.execute(query, (checked(dataset_id),)).fetchone()
    if row is None:
        raise DatasetNotFoundError(dataset_id)
    return Located(row["location"], row["checksum"])


def _row(connection: Connection[Row], query: str, *values: object) -> Row:
    """The one row that a query has."""
    return connection.execute(query, values).fetchall()[0]
