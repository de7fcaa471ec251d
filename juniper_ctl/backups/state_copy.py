"""Copies one service's state into a new backup, while the service goes on.

What the last backup has already, by path, size and time of change, is linked from there instead of read again. Never
from the service's own files: what damages one of those must not damage the backup.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from juniper_ctl.backups import file_copy, sqlite_copy
from juniper_ctl.backups.file_copy import SourceError, VanishedError
from juniper_ctl.backups.folder import sync
from juniper_ctl.backups.manifest import FileRecord, is_inside


@dataclass(frozen=True, slots=True)
class Database:
    """A service's database, and what its rows name."""

    name: str
    named_files: str
    """The question for all files, each with its checksum."""
    naming: str
    """The rows that name `:path`, as what follows FROM."""


@dataclass(slots=True)
class StateCopy:
    """What was copied so far.

    Args:
        root: the service's folder.
        target: the new backup's folder of this service.
        last: the same of the last backup, where there is one.
        recorded: what that holds.
    """

    root: Path
    target: Path
    last: Path | None = None
    recorded: Mapping[str, FileRecord] = field(default_factory=dict)
    files: dict[str, FileRecord] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    """What something names, and was not there: deleted since, or lost before."""

    def folder(self, relative: str) -> None:
        """Copy what lies in a folder and below it, but for links and hidden files; what vanishes meanwhile is not.

        A file that was copied before is copied again where it has changed.
        """
        for found in sorted(self._below(relative), key=_pointers_first):
            with contextlib.suppress(VanishedError):
                self._copy(found)

    def file(self, relative: str, sha256: str = "") -> None:
        """Copy a file that something else names, and of which the checksum may be known."""
        if not is_inside(relative):
            self.problems.append(f"{relative!r} is named, which leads elsewhere")
            return
        try:
            self._copy(relative)
        except VanishedError:
            self.vanished.append(relative)
        else:
            if sha256 and relative in self.files and self.files[relative].sha256 != sha256:
                self.problems.append(f"{relative} is damaged: it does not have the checksum that it had when written")

    @contextlib.contextmanager
    def database(self, database: Database) -> Iterator[sqlite3.Connection | None]:
        """Copy a database, and in the `with` what its rows name; None where there is no database.

        At the end the rows go whose files were deleted meanwhile: as if the copy had been made after that.

        Raises:
            SourceError: it is damaged or unreadable.
        """
        target = self._place(database.name)
        try:
            sqlite_copy.copy(self.root / database.name, target)
        except VanishedError:
            yield None
            return
        with closing(sqlite3.connect(target)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
            if self.vanished:
                self._forget_deleted(database, connection)
        sync(target)
        self.files[database.name] = file_copy.digest(target)

    def _forget_deleted(self, database: Database, connection: sqlite3.Connection) -> None:
        now = self._place(f".{database.name}.now")
        sqlite_copy.copy(self.root / database.name, now)
        with closing(sqlite_copy.connected(now)) as present, connection:
            for relative in self.vanished:
                named = f"SELECT EXISTS (SELECT 1 FROM {database.naming})"  # noqa: S608 - our own words, here and below
                if present.execute(named, {"path": relative}).fetchone()[0]:
                    self.problems.append(f"{relative} is missing, which the database names")
                else:
                    connection.execute(f"DELETE FROM {database.naming}", {"path": relative})  # noqa: S608
        now.unlink()

    def drop(self, relative: str) -> None:
        """Take a folder out again."""
        for path in [path for path in self.files if path.startswith(f"{relative}/")]:
            (self.target / path).unlink()
            del self.files[path]

    def _copy(self, relative: str) -> None:
        source, target = self.root / relative, self._place(relative)
        copied = self.files.pop(relative, None)
        try:
            version = _version(source)
            if copied is not None and version == (copied.size, copied.mtime_ns):
                self.files[relative] = copied
                return
            if copied is not None:
                target.unlink()
            self.files[relative] = self._linked(relative, version) or file_copy.copy(source, target, below=self.root)
        except VanishedError:
            target.unlink(missing_ok=True)
            raise
        except SourceError as error:
            self.problems.append(f"{relative}: {error}")

    def _linked(self, relative: str, version: tuple[int, int]) -> FileRecord | None:
        """The record of the last backup's file, linked into this one; None where that is another one."""
        record = self.recorded.get(relative)
        if self.last is None or record is None or version != (record.size, record.mtime_ns):
            return None
        kept = self.last / relative
        try:
            if _version(kept) != version:
                return None
            self._place(relative).hardlink_to(kept)
        except (OSError, SourceError):  # a file system without links: it is copied
            return None
        return record

    def _place(self, relative: str) -> Path:
        path = self.target / relative
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def _below(self, relative: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(self.root / relative))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.problems.append(f"{relative}: {error.strerror}")
            return
        for entry in entries:
            path = f"{relative}/{entry.name}"
            if entry.name.startswith("."):
                continue  # What is being written, or deleted.
            if entry.is_symlink():
                self.problems.append(f"{path}: it is a link, and links are not followed")
            elif entry.is_dir():
                yield from self._below(path)
            elif entry.is_file():
                yield path


def _pointers_first(relative: str) -> tuple[str, bool, str]:
    """A model's `current` names files that were there before it: whoever copies it first copies them too."""
    folder, _, name = relative.rpartition("/")
    return folder, name != "current", name


def _version(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise VanishedError("it is not there") from error
    except OSError as error:
        raise SourceError(error.strerror) from error
    return found.st_size, found.st_mtime_ns
