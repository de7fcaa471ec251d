"""A store on the file system.

    ROOT/index.sqlite                what is known of the datasets: one is there exactly when its row is
    ROOT/artifacts/AB/ID.NONCE.npz   the bytes; AB begins their checksum, NONCE is of this one put
    ROOT/reserve                     room for deletions on a full disk

A put brings its file to the disk and only then commits the row; a delete commits first, and then removes the file.
So whoever is killed leaves the state before or after, and at most a file without a row, which the next sweep removes.
No delete can meet another put's file, since each has a name of its own. A file is locked until its row is there: a
sweep leaves alone what somebody is writing, and knows it from what the killed left behind.
"""

import errno
import fcntl
import hashlib
import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from juniper_common.atomic_file import sync
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, StoreError, StoreFullError
from juniper_data.stores.index import Index, Located
from juniper_data.stores.protocol import Artifact, Quota, Stored
from juniper_data.stores.reserve import Reserve
from juniper_data.stores.rows import checked
from juniper_data.stores.verification import Verifier

INDEX = "index.sqlite"
RESERVE = "reserve"
ARTIFACTS = "artifacts"

_FOLDERS = tuple(f"{number:02x}" for number in range(256))
_COPY_BYTES = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

log = logging.getLogger(__name__)


class FileSystemStore(Index):
    """An index in a file, with the artifacts beside it; for several processes at once. A `DatasetStore`.

    Args:
        root: the folder of it all, which is made where it is missing.
        quota: how much it takes.

    Raises:
        StoreError: the folder cannot be used, or its index is not what was written, or is gone.
    """

    def __init__(self, root: Path, quota: Quota = Quota()) -> None:  # noqa: B008 - frozen
        self._artifacts = root / ARTIFACTS
        self._verifier = Verifier()
        self._reserve = Reserve(root / RESERVE)
        with _store_errors(f"cannot use {root}"):
            for folder in _FOLDERS:
                (self._artifacts / folder).mkdir(parents=True, exist_ok=True)
            sync(self._artifacts)
            # Asked in this order, since another process that starts now makes its index before any artifact.
            if any(self._artifacts.glob("*/*")) and not _has_content(root / INDEX):
                raise StoreError(
                    f"{root / INDEX} is gone, without which nobody knows what the files in {self._artifacts} are"
                )
        self._reserve.used_for(partial(super().__init__, root / INDEX, quota))
        try:
            with _store_errors(f"cannot use {root}"):
                sync(root)
                self._sweep()
                self._fill_reserve()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Write and remove a little."""
        super().check()
        with _store_errors("the store is not writable"), tempfile.TemporaryFile(dir=self._artifacts) as probe:
            probe.write(b"juniper")
            probe.flush()

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset; the first writer of an id wins."""
        checked(meta.dataset_id)  # It becomes a part of a file's name.
        with _store_errors(f"cannot store {meta.dataset_id}"), self._new_file(meta) as (location, file):
            if _copy(artifact, file) != meta.checksum:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
            sync(self._path(location).parent)
            added = self.add(meta, location)
        if added.replaced is not None:
            self._unlink(added.replaced)
        return Stored(added.meta, added.created)

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        with _store_errors(f"cannot read {dataset_id}"):
            located, file = self._opened(dataset_id)
            try:
                size = self._verifier.size_if_whole(file, located.checksum)
                if size is None:
                    raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
            except BaseException:
                file.close()
                raise
        return Artifact(file, size, located.checksum)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._unlink(self._reserve.used_for(partial(self.remove, dataset_id)))
        self._fill_reserve()

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired, and the files that have no row."""
        with _store_errors("cannot sweep"):
            self._sweep()
        removed = self._reserve.used_for(partial(self.remove_expired, at))
        for _, location in removed:
            self._unlink(location)
        self._fill_reserve()
        return [dataset_id for dataset_id, _ in removed]

    def _path(self, location: str) -> Path:
        return self._artifacts / location

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
                try:
                    yield location, file
                finally:
                    # Asked of the index, since a commit that failed may yet have come to the disk.
                    if not self.has_location(location):
                        path.unlink(missing_ok=True)
                return

    def _opened(self, dataset_id: str) -> tuple[Located, BufferedReader]:
        missed = None
        while True:
            located = self.locate(dataset_id)
            if located == missed:
                raise DatasetDamagedError(dataset_id, "its artifact is missing")
            try:
                # Opening a pipe would wait for whoever writes to it.
                descriptor = os.open(self._path(located.location), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError:
                missed = located  # Deleted or replaced since the index was asked? It is asked again.
                continue
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise DatasetDamagedError(dataset_id, "its artifact is no file")
            return located, os.fdopen(descriptor, "rb")

    def _unlink(self, location: str) -> None:
        """Remove the file of a row that is gone: whether that works or not, so is the dataset."""
        try:
            self._path(location).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a deleted dataset still takes room, which the next sweep frees: %s", error)

    def _fill_reserve(self) -> None:
        try:
            self._reserve.fill()
        except OSError as error:
            log.warning("no room is kept for deletions: %s", error)

    def _sweep(self) -> None:
        """Remove the files that have no row, but for those that somebody is writing now."""
        for folder in _FOLDERS:
            with os.scandir(self._artifacts / folder) as entries:
                files = {f"{folder}/{entry.name}" for entry in entries if entry.is_file(follow_symlinks=False)}
            if files:
                for location in files - self.locations(f"{folder}/"):
                    self._sweep_file(location)

    def _sweep_file(self, location: str) -> None:
        path = self._path(location)
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its row may have come since the index was asked for all.
            if not self.has_location(location):
                path.unlink(missing_ok=True)
                log.info("removed %s, which an interrupted call had left", path)


@contextmanager
def _store_errors(message: str) -> Iterator[None]:
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


def _has_content(path: Path) -> bool:
    # An empty file is one that SQLite would take for a new index.
    return path.exists() and path.stat().st_size > 0
