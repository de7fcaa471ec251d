"""A store in memory: what is in it ends with the process."""

import hashlib
import io
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import BinaryIO

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, StoreError
from juniper_data.stores.index import Index
from juniper_data.stores.protocol import Artifact, Quota, Stored


class MemoryStore(Index):
    """An index in memory, with the artifacts' bytes. A `DatasetStore`.

    Args:
        quota: how much it takes.
    """

    def __init__(self, quota: Quota = Quota()) -> None:  # noqa: B008 - frozen
        super().__init__(None, quota)
        self._artifacts: dict[str, bytes] = {}
        self._new_locations = count()

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset."""
        content = artifact.read()
        if hashlib.sha256(content).hexdigest() != meta.checksum:
            raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
        location = str(next(self._new_locations))
        self._artifacts[location] = content
        unused: str | None = location
        try:
            added = self.add(meta, location)
            unused = added.replaced if added.created else location
        finally:
            if unused is not None:
                del self._artifacts[unused]
        return Stored(added.meta, added.created)

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        while (content := self._artifacts.get((located := self.locate(dataset_id)).location)) is None:
            pass  # it was deleted or replaced meanwhile: ask again what there is now
        if hashlib.sha256(content).hexdigest() != located.checksum:
            raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
        return Artifact(io.BytesIO(content), len(content), located.checksum)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        del self._artifacts[self.remove(dataset_id)]

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired."""
        removed = self.remove_expired(at)
        for _, location in removed:
            del self._artifacts[location]
        return [dataset_id for dataset_id, _ in removed]
