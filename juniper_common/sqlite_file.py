"""One SQLite file: one writes at a time, others read meanwhile and never wait for it."""

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

_BUSY_S = 30
"""So long a process waits for what others write."""


class StoreError(RuntimeError):
    """The store cannot be read or written: damaged, or its disk is full, read-only or gone."""


class StoreFullError(StoreError):
    """The disk has no room for it."""


class StoreTooNewError(StoreError):
    """A newer version has written this store."""


class SqliteFile:
    """Connections to one file, which is brought up to date when it is opened; safe to use from any threads.

    Args:
        path: the file; it and its folder are made where they are not there. None: in memory, where readers wait for
            whoever writes.
        migrations: SQL that is applied once each, in order.
        what: the store's name in errors.
        sole_user: what kind of process may use the folder only one at a time; None: several processes share the file.

    Raises StoreError where it cannot be opened or, in a `with`, where it cannot be used.
    """

    def __init__(self, path: Path | None, migrations: Sequence[str], what: str, sole_user: str | None = None) -> None:
        self._path = path
        self._what = what
        self._failure = f"{what} cannot be used"
        self._writing = threading.Lock()
        self._pooling = threading.Lock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._is_closed = False
        failure = f"{path or what} cannot be opened"
        with ExitStack() as opened, ExitStack() as opening, _errors(failure, OSError, sqlite3.Error):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                if sole_user is not None:
                    opened.enter_context(alone_in(path.parent, sole_user))
                # Of those that turn a new file to WAL at once, SQLite refuses all but one.
                opening.enter_context(_locked(path.parent, os.O_RDONLY, fcntl.LOCK_EX))
            self._writer = self._connect()
            opened.callback(self._writer.close)
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = FULL")
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                _migrate(self._writer, migrations, what)
            # Only now: a migration may replace a table that others refer to.
            self._writer.execute("PRAGMA foreign_keys = ON")
            self._opened = opened.pop_all()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written in it is on the disk at its end, or nothing of it."""
        with _errors(self._failure, sqlite3.Error), self._writing, self._writer:
            self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What was in the file when it was first read from, whatever is written meanwhile."""
        if self._path is None:
            with self.writing() as connection:
                yield connection
            return
        with _errors(self._failure, sqlite3.Error):
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
                raise StoreError(f"{self._what} is closed")
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
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=_BUSY_S, check_same_thread=False, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        return connection


@contextmanager
def _errors(failure: str, *kinds: type[OSError | sqlite3.Error]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        kind = StoreFullError if _is_full(error) else StoreError
        raise kind(f"{failure}: {error}") from error


def _is_full(error: OSError | sqlite3.Error) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # What sqlite3 itself refuses, as the use of a closed connection, has no code.
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


@contextmanager
def alone_in(folder: Path, sole_user: str) -> Iterator[None]:
    """The folder for this process alone, of those of its kind. Raises StoreError where another one has it."""
    with ExitStack() as held:
        try:
            held.enter_context(_locked(folder / ".lock", os.O_WRONLY | os.O_CREAT, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise StoreError(f"another {sole_user} uses the state folder {folder}") from error
        yield


@contextmanager
def _locked(path: Path, flags: int, operation: int) -> Iterator[None]:
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str], what: str) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise StoreTooNewError(f"{what} has schema {version}; this version knows {len(migrations)}")
    for number, migration in enumerate(migrations[version:], start=version + 1):
        for statement in _statements(migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    """One by one, since executescript would end the transaction first."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
