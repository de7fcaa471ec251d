"""What the catalog needs of a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from juniper_common.wire.datasets import DatasetMeta


@dataclass(frozen=True, slots=True)
class Stored:
    """The dataset now in the store; `created` is false where it was there before."""

    meta: DatasetMeta
    created: bool


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact whose checksum was verified, open at its start. Whoever asked for it closes it."""

    file: BinaryIO
    size: int
    checksum: str


class DatasetStore(Protocol):
    """Datasets by id; each is an NPZ artifact and its meta, which never change once written.

    Every call blocks, may come from any thread, and several processes may share one store. An interrupted
    call leaves the state before it or after it. Each raises `StoreError` where the store cannot do it,
    `DatasetNotFoundError` where there is no such id (one that is malformed included), and
    `DatasetDamagedError` where what is there is not what was written.
    """

    def check(self) -> None:
        """Write and remove a little; raise `StoreError` where that fails."""
        ...

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset, read from the artifact's current position on.

        The first writer of an id wins; later ones get what is there. `StoreError` where the artifact does not
        have the checksum that its meta states.
        """
        ...

    def meta(self, dataset_id: str) -> DatasetMeta:
        """What is known of a dataset, its accesses included."""
        ...

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The artifact, readable to its end even when the dataset is deleted meanwhile."""
        ...

    def record_access(self, dataset_id: str, at: datetime) -> None:
        """Count one more reading of the artifact."""
        ...

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        ...

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        ...
