"""Copies one file, hashing what is read. Links are not followed, and holes stay holes."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from juniper_ctl.backups.manifest import FileRecord

TRIES = 3
"""So often a file is copied that is written to meanwhile."""

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class SourceError(Exception):
    """The file cannot be copied as it stands: unreadable, no plain file, or never at rest."""


class VanishedError(SourceError):
    """It is not there, or no longer."""


def copy(source: Path, target: Path, *, below: Path | None = None) -> FileRecord:
    """Copy a file to a new one, down to the disk, with its time of change.

    Args:
        source: to copy.
        target: the new file.
        below: a folder that somebody else may write to: nor is a link followed between it and the source.

    Raises:
        SourceError, VanishedError: it is the source's fault; nothing is left at the target.
        OSError: it is the target's.
    """
    with _opened(source, below) as reading:
        for _ in range(TRIES):
            before = os.fstat(reading)
            # Not Path.open: it would give a new file to everybody.
            with os.fdopen(os.open(target, _CREATE, 0o600), "wb") as writing:
                try:
                    sha256 = _copy_content(reading, writing, before.st_size)
                except SourceError:
                    target.unlink()
                    raise
                writing.flush()
                os.utime(writing.fileno(), ns=(before.st_mtime_ns, before.st_mtime_ns))
                os.fsync(writing.fileno())
            if _version(os.fstat(reading)) == _version(before):
                return FileRecord(sha256, before.st_size, before.st_mtime_ns)
    target.unlink()
    raise SourceError("it is written to all the time")


def digest(path: Path) -> FileRecord:
    """What `copy` would have returned, without the copy. Raises SourceError."""
    with _opened(path) as reading:
        found = os.fstat(reading)
        sha256 = hashlib.sha256()
        for block in _blocks(reading, found.st_size):
            sha256.update(block if isinstance(block, bytes) else _ZEROS[:block])
        return FileRecord(sha256.hexdigest(), found.st_size, found.st_mtime_ns)


@contextmanager
def _opened(path: Path, below: Path | None = None) -> Iterator[int]:
    try:
        descriptor = _open(path, below or path.parent)
    except OSError as error:
        raise _source_error(error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceError("it is no plain file")
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path, below: Path) -> int:
    """Open a file folder by folder, so that none of them is a link at the moment when it is passed."""
    *folders, name = path.relative_to(below).parts
    at = os.open(below, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
            if stat.S_ISLNK(os.fstat(at).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        # Opening a pipe would wait for whoever writes to it.
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)


def _source_error(error: OSError) -> SourceError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return VanishedError("it is not there")
    return SourceError("it is a link" if error.errno == errno.ELOOP else error.strerror)


def _version(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


def _copy_content(source: int, target: BinaryIO, size: int) -> str:
    sha256 = hashlib.sha256()
    for block in _blocks(source, size):
        if isinstance(block, bytes):
            sha256.update(block)
            target.write(block)
        else:
            sha256.update(_ZEROS[:block])
            target.seek(block, os.SEEK_CUR)
    target.truncate()  # A hole at the end is part of the file, too.
    return sha256.hexdigest()


def _blocks(source: int, size: int) -> Iterator[bytes | int]:
    """What is in the file, in order: bytes, or how long a hole is, a megabyte at most."""
    position = 0
    while position < size:
        begin = _next_data(source, position, size)
        yield from (min(_BLOCK, begin - at) for at in range(position, begin, _BLOCK))
        position = begin
        end = os.lseek(source, begin, os.SEEK_HOLE) if begin < size else size
        while position < end:
            try:
                block = os.pread(source, min(_BLOCK, end - position), position)
            except OSError as error:
                raise _source_error(error) from error
            if not block:
                return  # It was cut meanwhile.
            position += len(block)
            yield block


def _next_data(source: int, position: int, size: int) -> int:
    try:
        return min(size, os.lseek(source, position, os.SEEK_DATA))
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size
        raise _source_error(error) from error
