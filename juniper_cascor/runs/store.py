"""The record of every training ever started, in SQLite: what is needed to repeat a run, and what became of it."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import (
    Status,
)

MIGRATIONS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL,
        seed INTEGER NOT NULL,
        params TEXT NOT NULL,
        pace REAL,
        dataset_id TEXT,
        dataset_checksum TEXT NOT NULL,
        backend TEXT NOT NULL,
        versions TEXT NOT NULL,
        epochs INTEGER NOT NULL,
        hidden_units INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (created_at);
    """,
)
"""Each is applied once, in order; a migration that was ever released is never changed."""


_NOT_YET_KEPT = {"started_at", "host", "on_restart", "origin", "parent_snapshot_id", "sweep_id", "notes", "tags"}


class StoreError(RuntimeError):
    """The store cannot be read or written: the disk is full, read-only or gone."""


class StoreTooNewError(StoreError):
    """A newer version has written this store."""


class RunStore:
    """Run records; safe to use from several threads. Raises StoreError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A second service would take this one's run for one that an earlier process left unfinished.
            self._lock_file = os.open(path.parent / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be opened: {error}") from error

    def add(self, run: RunRecord) -> None:
        """Record a new run."""
        columns = self._columns(run)
        names = ", ".join(columns)
        marks = ", ".join(f":{name}" for name in columns)
        with self._transaction() as connection:
            connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", columns)  # noqa: S608 - our own names

    def update(self, run: RunRecord) -> None:
        """Write what became of a run."""
        columns = self._columns(run)
        assignments = ", ".join(f"{name} = :{name}" for name in columns if name != "id")
        with self._transaction() as connection:
            connection.execute(f"UPDATE runs SET {assignments} WHERE id = :id", columns)  # noqa: S608 - our own names

    def get(self, run_id: str) -> RunRecord | None:
        """One record."""
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        return _record(row) if row else None

    def newest(self, limit: int) -> list[RunRecord]:
        """Records, newest first."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM runs ORDER BY created_at DESC, rowid DESC LIMIT ?", (limit,))
            return [_record(row) for row in rows]

    def end_interrupted(self, ended_at: float, reason: str) -> int:
        """Mark the runs that an earlier process left unfinished as failed; returns how many there were."""
        active: tuple[Status, ...] = ("STARTED", "PAUSED")
        with self._transaction() as connection:
            return connection.execute(
                "UPDATE runs SET status = 'FAILED', ended_at = ?, reason = ? WHERE status IN (?, ?)",
                (ended_at, reason, *active),
            ).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
        os.close(self._lock_file)

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StoreTooNewError(f"the run store has schema {version}; this version knows {len(MIGRATIONS)}")
        for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock, self._connection:
                yield self._connection
        except sqlite3.OperationalError as error:
            raise StoreError(f"the run store cannot be used: {error}") from error

    @staticmethod
    def _columns(run: RunRecord) -> dict[str, object]:
        columns = run.model_dump(mode="json", exclude=_NOT_YET_KEPT)
        return columns | {name: orjson.dumps(columns[name]).decode() for name in ("params", "versions")}


def _record(row: sqlite3.Row) -> RunRecord:
    columns = dict(row)
    return RunRecord(**columns | {name: orjson.loads(columns[name]) for name in ("params", "versions")})
