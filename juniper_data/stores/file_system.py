"""A store on the file system.

    ROOT/index.sqlite                what is known of the datasets: one is there exactly when its row is
    ROOT/artifacts/AB/ID.NONCE.npz   the bytes; AB begins their checksum, NONCE is of this one put
    ROOT/reserve                     room for deletions on a full disk

A put brings its file to the disk and only then commits the row; a delete commits first, and then removes the file.
So whoever is killed leaves the state before or after, and at most a file without a row, which the next sweep removes.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

from juniper_common.atomic_file import sync
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import StoreError
from juniper_data.stores.artifact_files import ArtifactFiles, disk_errors
from juniper_data.stores.index import Index
from juniper_data.stores.protocol import Artifact, Quota, Stored
from juniper_data.stores.reserve import Reserve

INDEX = "index.sqlite"
RESERVE = "reserve"
ARTIFACTS = "artifacts"

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
        self._files = ArtifactFiles(root / ARTIFACTS, self)
        self._reserve = Reserve(root / RESERVE)
        with disk_errors(f"cannot use {root}"):
            # Asked in this order, since another process that starts now makes its index before any artifact.
            if not self._files.are_none() and not _has_content(root / INDEX):
                raise StoreError(
                    f"{root / INDEX} is gone, without which nobody knows what the files in {root / ARTIFACTS} are"
                )
        self._reserve.used_for(partial(super().__init__, root / INDEX, quota))
        try:
            with disk_errors(f"cannot use {root}"):
                sync(root)
                self._files.sweep()
                self._fill_reserve()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Write and remove a little."""
        super().check()
        self._files.check()

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset; the first writer of an id wins."""
        with self._files.keeping(meta, artifact) as location:
            added = self.add(meta, location)
        if added.replaced is not None:
            self._files.remove(added.replaced)
        return Stored(added.meta, added.created)

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        return self._files.opened(dataset_id)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._files.remove(self._reserve.used_for(partial(self.remove, dataset_id)))
        self._fill_reserve()

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired, and the files that have no row."""
        with disk_errors("cannot sweep"):
            self._files.sweep()
        removed = self._reserve.used_for(partial(self.remove_expired, at))
        for _, location in removed:
            self._files.remove(location)
        self._fill_reserve()
        return [dataset_id for dataset_id, _ in removed]

    def _fill_reserve(self) -> None:
        try:
            self._reserve.fill()
        except OSError as error:
            log.warning("no room is kept for deletions: %s", error)


def _has_content(path: Path) -> bool:
    # An empty file is one that SQLite would take for a new index.
    return path.exists() and path.stat().st_size > 0
