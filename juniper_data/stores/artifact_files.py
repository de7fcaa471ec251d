"""Artifacts as files, whatever keeps the rows that say which datasets there are.

    FOLDER/AB/ID.NONCE.npz   AB begins the checksum, NONCE is of this one put; `AB/ID.NONCE.npz` is the file's location

A file is on the disk before its row is, and goes after it. No delete can meet another put's file, since each has a
name of its own. A file is locked until its row is there: a sweep leaves alone what somebody is writing, and knows it
from what the killed left behind.
"""

import errno
import fcntl
import hashlib
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Protocol

from juniper_common.atomic_file import sync
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, StoreAwayError, StoreError, StoreFullError
from juniper_data.stores.index import Located
from juniper_data.stores.protocol import Artifact
from juniper_data.stores.rows import checked
from juniper_data.stores.verification import Verifier

_FOLDERS = tuple(f"{number:02x}" for number in range(256))
_COPY_BYTES = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

log = logging.getLogger(__name__)


class Rows(Protocol):
    """Which artifacts belong to datasets; each method is `Index`'s."""

    def locate(self, dataset_id: str) -> Located:
        """Where a dataset's artifact is."""
        ...

    def locations(self, prefix: str) -> set[str]:
        """All locations of artifacts that begin like this."""
        ...

    def has_location(self, location: str) -> bool:
        """Whether a dataset's artifact is there."""
        ...


class ArtifactFiles:
    """The files of one folder, which several processes may use.

    Args:
        folder: made where it is missing.
        rows: asked which file belongs to a dataset.

    Raises StoreError where the folder cannot be used.
    """

    def __init__(self, folder: Path, rows: Rows) -> None:
        self._folder = folder
        self._rows = rows
        self._verifier = Verifier()
        with disk_errors(f"cannot use {folder.parent}"):
            for each in _FOLDERS:
                (folder / each).mkdir(parents=True, exist_ok=True)
            sync(folder)

    def are_none(self) -> bool:
        """Whether there is no file. Raises OSError."""
        return not any(self._folder.glob("*/*"))

    def check(self) -> None:
        """Write and remove a little."""
        with disk_errors("the store is not writable"), tempfile.TemporaryFile(dir=self._folder) as probe:
            probe.write(b"juniper")
            probe.flush()

    @contextmanager
    def keeping(self, meta: DatasetMeta, artifact: BinaryIO) -> Iterator[str]:
        """The location of a file that has the artifact, on the disk; at the end it is removed unless its row is there.

        Raises:
            StoreError: the artifact does not have the checksum that its meta states.
        """
        checked(meta.dataset_id)  # It becomes a part of a file's name.
        with disk_errors(f"cannot store {meta.dataset_id}"), self._new_file(meta) as (location, file):
            if _copy(artifact, file) != meta.checksum:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
            sync(self._path(location).parent)
            yield location

    def opened(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        with disk_errors(f"cannot read {dataset_id}"):
            located, file = self._opened(dataset_id)
            try:
                size = self._verifier.size_if_whole(file, located.checksum)
                if size is None:
                    raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
            except BaseException:
                file.close()
                raise
        return Artifact(file, size, located.checksum)

    def remove(self, location: str) -> None:
        """Remove the file of a row that is gone: whether that works or not, so is the dataset."""
        try:
            self._path(location).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a deleted dataset still takes room, which the next sweep frees: %s", error)

    def sweep(self) -> None:
        """Remove the files that have no row, but for those that somebody is writing now. Raises OSError."""
        for folder in _FOLDERS:
            with os.scandir(self._folder / folder) as entries:
                files = {f"{folder}/{entry.name}" for entry in entries if entry.is_file(follow_symlinks=False)}
            if files:
                for location in files - self._rows.locations(f"{folder}/"):
                    self._sweep_file(location)

    def _path(self, location: str) -> Path:
        return self._folder / location

    @contextmanager
    def _new_file(self, meta: DatasetMeta) -> Iterator[tuple[str, BinaryIO]]:
        """A file of one's own, which is removed at the end unless its row is there."""
        while True:
            location = f"{meta.checksum[:2]}/{meta.dataset_id}.{secrets.token_hex(8)}.npz"
            path = self._path(location)
            with path.open("xb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink == 0:
                    continue  # A sweep found it before it was locked.
                is_known = True
                try:
                    yield location, file
                except StoreAwayError:
                    is_known = False  # Nobody can say now whether its row is there: the next sweep finds out.
                    raise
                finally:
                    # Asked of the rows, since a commit that failed may yet have come to the disk.
                    if is_known and not self._rows.has_location(location):
                        path.unlink(missing_ok=True)
                return

    def _opened(self, dataset_id: str) -> tuple[Located, BufferedReader]:
        missed = None
        while True:
            located = self._rows.locate(dataset_id)
            if located == missed:
                raise DatasetDamagedError(dataset_id, "its artifact is missing")
            try:
                # Opening a pipe would wait for whoever writes to it.
                descriptor = os.open(self._path(located.location), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError:
                missed = located  # Deleted or replaced since the rows were asked? They are asked again.
                continue
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise DatasetDamagedError(dataset_id, "its artifact is no file")
            return located, os.fdopen(descriptor, "rb")

    def _sweep_file(self, location: str) -> None:
        path = self._path(location)
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its row may have come since all were asked for.
            if not self._rows.has_location(location):
                path.unlink(missing_ok=True)
                log.info("removed %s, which an interrupted call had left", path)


@contextmanager
def disk_errors(message: str) -> Iterator[None]:
    """Errors of the disk as those of a store."""
    try:
        yield
    except OSError as error:
        kind = StoreFullError if error.errno in _NO_ROOM else StoreError
        raise kind(f"{message}: {error}") from error


def _copy(source: BinaryIO, file: BinaryIO) -> str:
    """Copy to the disk; returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    while block := source.read(_COPY_BYTES):
        digest.update(block)
        file.write(block)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()
