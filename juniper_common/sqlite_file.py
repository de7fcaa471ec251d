"""One SQLite file: one writes at a time, others read meanwhile and never wait for it."""

import errno
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_BUSY_S = 30
"""So long a process waits for what others write."""

log = logging.getLogger(__name__)


class StoreError(RuntimeError):
    """The store cannot be read or written: damaged, or its disk is full, read-only or gone."""


class StoreFullError(StoreError):
    """The disk has no room for it."""


class StoreTooNewError(StoreError):
    """A newer version has written this store, and left no way back to what this one knows."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A step from one version of a schema to the next, and the step back, in SQL; each is taken whole or not at all.

    The step back lies in the file from then on. The release before, which does not know this version, takes it when
    it is to open the file: so whatever that release had written must be there again, and what it cannot read, gone.
    """

    forward: str
    back: str


@dataclass(frozen=True, slots=True)
class Migrations:
    """The steps that lead to a schema; one that was ever released is never changed."""

    first: tuple[str, ...]
    """Of the time before there were steps back: nothing is added."""
    later: tuple[Migration, ...] = ()
    """At most one is new in a release, since the release before takes one step back."""

    @property
    def version(self) -> int:
        """Where they lead."""
        return len(self.first) + len(self.later)


class SqliteFile:
    """Connections to one file, which is brought up to date when it is opened; safe to use from any threads.

    Args:
        path: the file; it and its folder are made where they are not there. None: in memory, where readers wait for
            whoever writes.
        migrations: each is applied once, in order; a file that is one step further is taken back where it says how.
        what: the store's name in errors.
        sole_user: what kind of process may use the folder only one at a time; None: several processes share the file.

    Raises StoreError where it cannot be opened, StoreTooNewError among them, or, in a `with`, where it cannot be used.
    """

    def __init__(self, path: Path | None, migrations: Migrations, what: str, sole_user: str | None = None) -> None:
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


def _migrate(connection: sqlite3.Connection, migrations: Migrations, what: str) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, back TEXT NOT NULL) STRICT")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > migrations.version:
        _go_back(connection, version, migrations.version, what)
        return
    steps = [*migrations.first, *(migration.forward for migration in migrations.later)]
    for number, step in enumerate(steps[version:], start=version + 1):
        _take(connection, step, number)
        if number > len(migrations.first):
            back = migrations.later[number - len(migrations.first) - 1].back
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (number, back))


def _go_back(connection: sqlite3.Connection, version: int, known: int, what: str) -> None:
    found = connection.execute("SELECT back FROM migrations WHERE version = ?", (version,)).fetchone()
    if version > known + 1 or found is None:
        raise StoreTooNewError(
            f"{what} has schema {version}; this version knows {known}, and no way back to it: use a later version"
        )
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # What a file says is done to this file alone.
    _take(connection, found["back"], known)
    connection.execute("DELETE FROM migrations WHERE version = ?", (version,))
    log.warning("%s had schema %d of a later version, and is taken back to %d", what, version, known)


def _take(connection: sqlite3.Connection, step: str, version: int) -> None:
    for statement in _statements(step):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version}")


def _statements(script: str) -> Iterator[str]:
    """One by one, since executescript would end the transaction first."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
