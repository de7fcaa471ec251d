"""One SQLite file of one process: one thread writes at a time, others read meanwhile and never wait for it."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path


class StoreError(RuntimeError):
    """The store cannot be read or written: damaged, or its disk is full, read-only or gone."""


class StoreTooNewError(StoreError):
    """A newer version has written this store."""


class SqliteFile:
    """Connections to one file, which is locked for this process and brought up to date when it is opened.

    Args:
        path: the file; it and its folder are made where they are not there.
        migrations: SQL that is applied once each, in order.

    Raises StoreError where it cannot be opened or, in a `with`, where it cannot be used.
    """

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._pooling = threading.Lock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._is_closed = False
        with ExitStack() as opened:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                # A second service would take this one's run for one that an earlier process left unfinished.
                lock_file = os.open(path.parent / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
                opened.callback(os.close, lock_file)
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._writer = self._connect()
                opened.callback(self._writer.close)
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute("PRAGMA synchronous = FULL")
                _migrate(self._writer, migrations)
                # Only now: a migration may replace a table that others refer to.
                self._writer.execute("PRAGMA foreign_keys = ON")
            except BlockingIOError as error:
                raise StoreError(f"another training service uses the state folder {path.parent}") from error
            except (OSError, sqlite3.Error) as error:
                raise StoreError(f"{path} cannot be opened: {error}") from error
            self._opened = opened.pop_all()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written in it is on the disk at its end, or nothing of it."""
        with self._errors(), self._writing, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What was in the file when it was first read from, whatever is written meanwhile."""
        with self._errors():
            reader = self._take_reader()
            try:
                with reader:
                    reader.execute("BEGIN")
                    yield reader
            finally:
                self._give_back(reader)

    def close(self) -> None:
        """Close the file and let go of the lock."""
        with self._writing, self._pooling:
            self._is_closed = True
            for reader in self._idle_readers:
                reader.close()
            self._idle_readers.clear()
            self._opened.close()

    def _take_reader(self) -> sqlite3.Connection:
        with self._pooling:
            if self._is_closed:
                raise StoreError("the run store is closed")
            if self._idle_readers:
                return self._idle_readers.pop()
        reader = self._connect()
        reader.execute("PRAGMA query_only = ON")
        return reader

    def _give_back(self, reader: sqlite3.Connection) -> None:
        with self._pooling:
            if self._is_closed:
                reader.close()
            else:
                self._idle_readers.append(reader)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StoreError(f"the run store cannot be used: {error}") from error


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise StoreTooNewError(f"the run store has schema {version}; this version knows {len(migrations)}")
    for number, migration in enumerate(migrations[version:], start=version + 1):
        connection.executescript(f"BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;")
