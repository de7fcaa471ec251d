"""Copies an SQLite database while others write it, by SQLite's own online backup: the state of one moment."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from juniper_ctl.backups.file_copy import SourceError, VanishedError

TRIES = 5
BUSY_S = 30


def copy(source: Path, target: Path) -> int:
    """Copy a database to a new file and check what was copied; returns the version of its schema.

    Raises:
        SourceError, VanishedError: it cannot be read, it is damaged, or it is not there.
        sqlite3.OperationalError: the target has no room.
    """
    for _ in range(TRIES):
        try:
            before = source.lstat()
        except FileNotFoundError as error:
            raise VanishedError("it is not there") from error
        if not stat.S_ISREG(before.st_mode):
            raise SourceError("it is no plain file")  # SQLite would follow a link, and wait for a pipe.
        try:
            _backup(f"{_uri(source)}?mode=ro", target)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            # Nobody has it open, and this process may write no file beside it, which SQLite wants: so it is read as
            # a file that does not change, and again where it did.
            _backup(f"{_uri(source)}?immutable=1", target)
            after = source.lstat()
            has_changed = (after.st_mtime_ns, after.st_size) != (before.st_mtime_ns, before.st_size)
            if has_changed or source.with_name(f"{source.name}-wal").exists():
                continue
        return check(target)
    raise SourceError("it was left open by a crash, or is opened and closed all the time: start its service")


def check(path: Path) -> int:
    """Read all of a database that nobody writes; returns the version of its schema. Raises SourceError."""
    try:
        with closing(connected(path)) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise SourceError(f"it is damaged: {error}") from error
    if verdict != "ok":
        raise SourceError(f"it is damaged: {verdict}")
    return int(version)


def connected(path: Path) -> sqlite3.Connection:
    """To read a database that nobody writes; no file comes to lie beside it."""
    return sqlite3.connect(f"{_uri(path)}?immutable=1", uri=True)


def _uri(path: Path) -> str:
    return f"file:{quote(str(path))}"


def _backup(uri: str, target: Path) -> None:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as reading:
        try:
            reading.execute("PRAGMA schema_version")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise SourceError(f"it is damaged: {error}") from error
        with closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
            # A backup is one file, to be read where nothing can be written.
            writing.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
