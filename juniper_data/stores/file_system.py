"""A store on the file system.

    ROOT/datasets/ID/artifact.npz    the arrays
    ROOT/datasets/ID/meta.json       what is known of them; states the artifact's checksum
    ROOT/datasets/ID/access          how often and when it was read: the only file that is ever changed
    ROOT/scratch/                    datasets on their way in or out
    ROOT/lock                        shared by those who use scratch/; alone, for who sweeps it

A dataset is written whole in scratch/, brought to the disk, and comes to be by the rename of its folder; it
ends by the rename back. So whoever is killed leaves either state, and in scratch/ what the next start sweeps.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from juniper_common.wire.datasets import DATASET_ID_PATTERN, DatasetMeta
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, StoreError
from juniper_data.stores.protocol import Artifact, Stored

ARTIFACT = "artifact.npz"
META = "meta.json"
ACCESS = "access"

_ID = re.compile(DATASET_ID_PATTERN)
_COPY_BYTES = 1 << 20
# Fixed width, so that one write replaces the whole record: count, then seconds since the epoch.
_ACCESS_RECORD = "{:020d} {:020.6f}\n"


class FileSystemStore:
    """Datasets in folders below `root`, which is made where it is missing. A `DatasetStore`."""

    def __init__(self, root: Path) -> None:
        self._datasets = root / "datasets"
        self._scratch = root / "scratch"
        self._lock = root / "lock"
        with _os_errors_are_store_errors(f"cannot use {root}"):
            self._datasets.mkdir(parents=True, exist_ok=True)
            self._scratch.mkdir(exist_ok=True)
            self._sweep()

    def check(self) -> None:
        """Write and remove a little."""
        with _os_errors_are_store_errors("the store is not writable"), self._scratch_folder("check") as folder:
            (folder / "probe").write_bytes(b"juniper")

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset; the first writer of an id wins."""
        target = self._folder(meta.dataset_id)
        with (
            _os_errors_are_store_errors(f"cannot store {meta.dataset_id}"),
            self._scratch_folder(meta.dataset_id) as folder,
        ):
            if _write_artifact(folder / ARTIFACT, artifact) != meta.checksum:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
            _write(folder / META, meta.model_dump_json(indent=1).encode())
            _sync_folder(folder)
            while not _renamed(folder, target):
                # There already. If it is deleted before it is read, the place is free again.
                with contextlib.suppress(DatasetNotFoundError):
                    return Stored(self.meta(meta.dataset_id), created=False)
            _sync_folder(self._datasets)
        return Stored(meta, created=True)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """What is known of a dataset, its accesses included."""
        folder = self._folder(dataset_id)
        with self._reading(dataset_id):
            text = (folder / META).read_bytes()
        try:
            meta = DatasetMeta.model_validate_json(text)
            with contextlib.suppress(FileNotFoundError):
                count, at = _parse_access((folder / ACCESS).read_bytes())
                return meta.model_copy(update={"access_count": count, "last_accessed_at": at})
        except ValueError as error:
            part = "meta" if isinstance(error, ValidationError) else "access record"
            raise DatasetDamagedError(dataset_id, f"its {part} cannot be read") from error
        return meta

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        checksum = self.meta(dataset_id).checksum
        with self._reading(dataset_id):
            file = (self._folder(dataset_id) / ARTIFACT).open("rb")
        try:
            with _os_errors_are_store_errors(f"cannot read {dataset_id}"):
                if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                    raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
                size = file.tell()
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return Artifact(file, size, checksum)

    def record_access(self, dataset_id: str, at: datetime) -> None:
        """Count one more reading of the artifact."""
        folder = self._folder(dataset_id)
        with self._reading(dataset_id):
            descriptor = os.open(folder / ACCESS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                count, _ = _parse_access(os.pread(descriptor, 100, 0))
                os.pwrite(descriptor, _ACCESS_RECORD.format(count + 1, at.timestamp()).encode(), 0)
            except ValueError as error:
                raise DatasetDamagedError(dataset_id, "its access record cannot be read") from error
            finally:
                os.close(descriptor)

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        with _os_errors_are_store_errors("cannot list the datasets"):
            names = sorted(path.name for path in self._datasets.iterdir() if _ID.fullmatch(path.name))
        return names[offset : offset + limit]

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        folder = self._folder(dataset_id)
        with self._reading(dataset_id), self._scratch_folder("deleted") as scratch:
            folder.rename(scratch / dataset_id)
            _sync_folder(self._datasets)

    def _folder(self, dataset_id: str) -> Path:
        # fullmatch: $ would let a line break through.
        if not _ID.fullmatch(dataset_id):
            raise DatasetNotFoundError(dataset_id)
        return self._datasets / dataset_id

    @contextmanager
    def _scratch_folder(self, prefix: str) -> Iterator[Path]:
        """A folder of one's own on the datasets' file system, whatever is left of it removed at the end."""
        with _flock(self._lock, fcntl.LOCK_SH):
            folder = Path(tempfile.mkdtemp(prefix=f"{prefix}.", dir=self._scratch))
            try:
                yield folder
            finally:
                # After the rename it is not there any more; what cannot be removed, the next start sweeps.
                shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what the killed left in scratch/, unless somebody is using it now."""
        with contextlib.suppress(BlockingIOError), _flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            for left in self._scratch.iterdir():
                shutil.rmtree(left)

    @contextmanager
    def _reading(self, dataset_id: str) -> Iterator[None]:
        with _os_errors_are_store_errors(f"cannot reach {dataset_id}"):
            try:
                yield
            except FileNotFoundError as error:
                if self._folder(dataset_id).is_dir():
                    raise DatasetDamagedError(dataset_id, f"{error.filename} is missing") from error
                raise DatasetNotFoundError(dataset_id) from error


@contextmanager
def _os_errors_are_store_errors(message: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{message}: {error}") from error


@contextmanager
def _flock(path: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)


def _write_artifact(path: Path, source: BinaryIO) -> str:
    """Copy to the disk; returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        while block := source.read(_COPY_BYTES):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _renamed(folder: Path, target: Path) -> bool:
    """Rename a folder; false where the target is there already (a dataset's folder is never empty)."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (EEXIST, ENOTEMPTY):
            return False
        raise
    return True


def _parse_access(record: bytes) -> tuple[int, datetime | None]:
    """Count and time; a record that was made but never written is none."""
    if not record:
        return 0, None
    count, seconds = record.split()
    return int(count), datetime.fromtimestamp(float(seconds), UTC)
