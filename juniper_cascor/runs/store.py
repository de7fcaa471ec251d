"""The record of every training ever started, in SQLite: what is needed to repeat a run, and what became of it."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import orjson

from juniper_cascor.runs import metric_points, run_query
from juniper_cascor.runs.comparison import differing
from juniper_cascor.runs.metric_points import MetricPoint
from juniper_cascor.runs.migrations import MIGRATIONS
from juniper_cascor.runs.run_rows import (
    COLUMNS,
    ENDED,
    changes_of,
    columns_of,
    record_of,
    state_changes_of,
    unreadable,
)
from juniper_common.sqlite_file import SqliteFile, StoreError, StoreTooNewError
from juniper_common.wire.run_queries import RunQuery
from juniper_common.wire.runs import RunChange, RunComparison, RunDetail, RunList, RunMetrics, RunRecord
from juniper_common.wire.training import Status

__all__ = ["ENDED", "KEEP_TAG", "RunStore", "StoreError", "StoreTooNewError"]

KEEP_TAG = "keep"
"""A run with this tag never expires."""

_SECONDS_A_DAY = 86_400
_ANNOTATIONS = ("notes", "tags")

_ASSIGNED = ", ".join(f"{name} = :{name}" for name in COLUMNS if name not in ("id", *_ANNOTATIONS))

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM runs"  # noqa: S608 - our own names, here and below
_INSERT = f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"  # noqa: S608
_UPDATE = f"UPDATE runs SET {_ASSIGNED} WHERE id = :id"  # noqa: S608
_INSERT_STATE = """
    INSERT INTO state_changes (run, time, status, reason)
    SELECT number, :time, :status, :reason FROM runs WHERE id = :id
"""
_OF_RUN = "WHERE run = (SELECT number FROM runs WHERE id = ?) ORDER BY number"
_SELECT_STATES = f"SELECT time, status, reason FROM state_changes {_OF_RUN}"  # noqa: S608
_SELECT_CHANGES = f"SELECT epoch, time, params, dataset_id, dataset_checksum FROM run_changes {_OF_RUN}"  # noqa: S608


class RunStore:
    """Runs with their state changes, changes and metric points; safe to use from several threads.

    Every method waits for the disk and raises StoreError where it fails; those that only read never wait for one
    that writes. What a method has written is on the disk when it returns.

    Args:
        path: the file.
        clock: Unix seconds, for the times of state changes.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        # A second service would take this one's run for one that an earlier process left unfinished.
        self._file = SqliteFile(path, MIGRATIONS, "the run store", sole_user="training service")
        self._clock = clock

    # Records

    def add(
        self,
        records: Sequence[RunRecord],
        changes: Mapping[str, Sequence[RunChange]] = MappingProxyType({}),
    ) -> None:
        """Record new runs, all or none of them, each with its first state and, by id, what is to be changed in it."""
        rows = [columns_of(record) for record in records]
        with self._file.writing() as connection:
            connection.executemany(_INSERT, rows)
            connection.executemany(_INSERT_STATE, [row | {"time": row["created_at"]} for row in rows])
            for run_id, of_run in changes.items():
                _add_changes(connection, run_id, of_run)

    def get(self, run_id: str) -> RunRecord | None:
        """One record."""
        with self._file.reading() as connection:
            return _get(connection, run_id)

    def detail(self, run_id: str) -> RunDetail | None:
        """One record with all that happened to the run."""
        with self._file.reading() as connection:
            if (record := _get(connection, run_id)) is None:
                return None
            return RunDetail(
                **record.model_dump(),
                state_changes=state_changes_of(connection.execute(_SELECT_STATES, (run_id,))),
                changes=changes_of(connection.execute(_SELECT_CHANGES, (run_id,))),
                metrics=metric_points.last_values(connection, run_id),
            )

    def page(self, query: RunQuery) -> RunList:
        """The runs that match, in the order that is asked for, and how many there are in all."""
        condition, values = run_query.condition(query)
        with self._file.reading() as connection:
            total = connection.execute(f"SELECT count(*) FROM runs WHERE {condition}", values).fetchone()[0]  # noqa: S608
            rows = connection.execute(
                f"{_SELECT} WHERE {condition} ORDER BY {run_query.order(query)} LIMIT :limit OFFSET :offset",
                values | {"limit": query.limit, "offset": query.offset},
            )
            records = [record_of(row) for row in rows]
            metrics = {record.id: metric_points.last_values(connection, record.id) for record in records}
            return RunList(runs=records, total=total, metrics=metrics)

    def of_status(self, *statuses: Status) -> list[RunRecord]:
        """The runs that are in one of these states, oldest first."""
        marks = ", ".join("?" * len(statuses))
        with self._file.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE status IN ({marks}) ORDER BY created_at, number", statuses)
            return [record_of(row) for row in rows]

    def fail_unreadable(self) -> list[RunRecord]:
        """End the runs that have not ended and cannot go on, since their records are damaged; returns them."""
        marks = ", ".join("?" * len(ENDED))
        failed = []
        with self._file.writing() as connection:
            for row in connection.execute(f"{_SELECT} WHERE status NOT IN ({marks})", ENDED).fetchall():
                record = record_of(row)
                changes = connection.execute(_SELECT_CHANGES, (record.id,)).fetchall()
                if record.status != "FAILED" and len(changes_of(changes)) < len(changes):
                    record = record.model_copy(update={"status": "FAILED", "reason": unreadable(["changes"])})
                if record.status == "FAILED":
                    _fail(connection, record, self._clock())
                    failed.append(record)
        return failed

    def update(self, record: RunRecord, at: float | None = None) -> None:
        """Write what became of a run, at a time or now; its notes and tags stay, since people edit them meanwhile."""
        row = columns_of(record)
        with self._file.writing() as connection:
            connection.execute(
                f"{_INSERT_STATE} AND (status IS NOT :status OR reason IS NOT :reason)",
                row | {"time": self._clock() if at is None else at},
            )
            connection.execute(_UPDATE, row)

    def annotate(self, run_id: str, notes: str | None, tags: Sequence[str] | None) -> RunRecord | None:
        """Replace what is not None; returns the run as it then is, or None where there is none."""
        tags_json = None if tags is None else orjson.dumps(list(tags)).decode()
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE runs SET notes = coalesce(?, notes), tags = coalesce(?, tags) WHERE id = ?",
                (notes, tags_json, run_id),
            )
            return _get(connection, run_id)

    def delete(self, run_id: str) -> bool:
        """Forget a run with its state changes, changes and metric points; False where there is none."""
        with self._file.writing() as connection:
            return connection.execute("DELETE FROM runs WHERE id = ?", (run_id,)).rowcount > 0

    # What happens to a run

    def add_change(self, run_id: str, change: RunChange) -> None:
        """Record what was changed while the run trains."""
        with self._file.writing() as connection:
            _add_changes(connection, run_id, [change])

    def changes(self, run_id: str) -> list[RunChange]:
        """What was changed while the run trained, in that order."""
        with self._file.reading() as connection:
            return changes_of(connection.execute(_SELECT_CHANGES, (run_id,)))

    # Metrics

    def add_metrics(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """Append metric points; one that is there already stays, as when a resumed run trains epochs again.

        Values that are not finite are left out. Each call waits for the disk: gather the points of a second or so.
        """
        with self._file.writing() as connection:
            metric_points.append(connection, run_id, points)

    def metrics(self, run_id: str, names: Sequence[str] | None, after: int, limit: int) -> RunMetrics:
        """Of each metric (None: all that the run has) the first `limit` points at steps greater than `after`."""
        with self._file.reading() as connection:
            series = metric_points.first_after(connection, run_id, names, after, limit)
        return RunMetrics.model_construct(run_id=run_id, series=series)

    def last_step(self, run_id: str) -> int:
        """The last epoch of which something is recorded; 0 before the first."""
        with self._file.reading() as connection:
            return metric_points.last_step(connection, run_id)

    def compare(self, run_ids: Sequence[str], names: Sequence[str] | None, limit: int) -> RunComparison:
        """Runs side by side, in the order of their ids; those that are not there are left out.

        Of each metric (None: all that one of them has) the whole curve, as at most `limit` (2 or more) of its points.
        """
        with self._file.reading() as connection:
            records = [record for run_id in run_ids if (record := _get(connection, run_id))]
            metrics = metric_points.overviews(connection, [record.id for record in records], names, limit)
        return RunComparison.model_construct(runs=records, differing=differing(records), metrics=metrics)

    # Retention

    def expired(self, keep_runs: int | None, keep_days: float | None, now: float) -> list[str]:
        """The ids of ended runs beyond a number or an age, oldest first; None sets no bound.

        Never one that is tagged to be kept, or whose tags cannot be read, nor one from whose snapshot a run grows on
        that has not ended.
        """
        marks = ", ".join("?" * len(ENDED))
        with self._file.reading() as connection:
            rows = connection.execute(
                f"""
                SELECT id, coalesce(ended_at, created_at) AS ended_at FROM runs
                WHERE status IN ({marks})
                    AND CASE WHEN json_valid(tags)
                        THEN NOT EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?) ELSE FALSE END
                    AND id NOT IN (
                        SELECT substr(parent_snapshot_id, 1, instr(parent_snapshot_id, '.') - 1) FROM runs
                        WHERE parent_snapshot_id IS NOT NULL AND status NOT IN ({marks})
                    )
                ORDER BY coalesce(ended_at, created_at) DESC, number DESC
                """,  # noqa: S608
                (*ENDED, KEEP_TAG, *ENDED),
            ).fetchall()
        oldest = float("-inf") if keep_days is None else now - keep_days * _SECONDS_A_DAY
        n_kept = len(rows) if keep_runs is None else keep_runs
        return [row["id"] for place, row in enumerate(rows) if place >= n_kept or row["ended_at"] < oldest][::-1]

    def dataset_checksums(self) -> set[str]:
        """Of all datasets that a run needs to be repeated."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT dataset_checksum FROM runs"
                " UNION SELECT dataset_checksum FROM run_changes WHERE dataset_checksum IS NOT NULL"
            )
            return {row["dataset_checksum"] for row in rows}

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _get(connection: sqlite3.Connection, run_id: str) -> RunRecord | None:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (run_id,)).fetchone()
    return record_of(row) if row else None


def _fail(connection: sqlite3.Connection, record: RunRecord, at: float) -> None:
    """End a run without writing anew what cannot be read of it."""
    row = {"id": record.id, "status": record.status, "reason": record.reason, "time": at}
    connection.execute(_INSERT_STATE, row)
    connection.execute("UPDATE runs SET status = :status, reason = :reason, ended_at = :time WHERE id = :id", row)


def _add_changes(connection: sqlite3.Connection, run_id: str, changes: Sequence[RunChange]) -> None:
    rows = [change.model_dump(mode="json") for change in changes]
    connection.executemany(
        """
        INSERT INTO run_changes (run, epoch, time, params, dataset_id, dataset_checksum)
        SELECT number, :epoch, :time, :params, :dataset_id, :dataset_checksum FROM runs WHERE id = :run_id
        """,
        [row | {"params": orjson.dumps(row["params"]).decode(), "run_id": run_id} for row in rows],
    )
