"""What the catalog needs of a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from juniper_common.wire.dataset_queries import DatasetFilter, DatasetStats, FoundDatasets
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


@dataclass(frozen=True, slots=True)
class Accesses:
    """How often an artifact was read since this was last recorded, and when last."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a store takes, what has expired not counted."""

    max_datasets: int | None = None
    max_bytes: int | None = None


class DatasetStore(Protocol):
    """Datasets by id: an NPZ artifact and its meta. But for tags, names and accesses they never change once written.

    Every call blocks, and may come from any thread. An interrupted call leaves the state before it or after it.
    Each raises `StoreError` where the store cannot do it, `StoreFullError` (one of these) where there is no room,
    `DatasetNotFoundError` where there is no such id (one that is malformed included), and `DatasetDamagedError`
    where what is there is not what was written.

    An expired dataset is there until it is deleted, swept, or made again.
    """

    def check(self) -> str | None:
        """Write and remove a little; raise `StoreError` where that fails. Returns what else to warn of."""
        ...

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset, read from the artifact's current position on.

        The first writer of an id wins; later ones get what is there, but one that has expired at `meta.created_at`
        is replaced. A `meta.dataset_name` becomes the next version of that name, as by `add_version`.

        Raises:
            StoreError: the artifact does not have the checksum that its meta states.
            QuotaExceededError: the store would hold more than its quota, what has expired not counted.
        """
        ...

    def meta(self, dataset_id: str) -> DatasetMeta:
        """What is known of a dataset: its profile, its accesses, its tags, the name it was last given."""
        ...

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The artifact, readable to its end even when the dataset is deleted meanwhile."""
        ...

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """Count readings of artifacts; ids that are not there any more are passed over."""
        ...

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        ...

    def find(self, query: DatasetFilter, at: datetime) -> FoundDatasets:
        """One page of the datasets that fit, newest first, without their profiles.

        It is shorter than the query's limit where the metas are very large; its cursor goes on behind it.
        Where the query has a name, the metas say that name and its version.

        Raises:
            InvalidParametersError: no page ends with such a cursor.
        """
        ...

    def stats(self, at: datetime) -> DatasetStats:
        """The store in figures, its quota among them."""
        ...

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """Give a dataset a name; it becomes the name's next version, but for one that it has already.

        Returns the meta with that name and version. A number is never given twice, deleted or not.

        Args:
            dataset_id: the dataset.
            name: its name from now on.
            version: the number that it has in another store, in place of the next one.

        Raises:
            VersionTakenError: another dataset has that number.
        """
        ...

    def names(self) -> Mapping[str, int]:
        """All names that were ever given, each with the last number that it counted."""
        ...

    def count_names(self, last: Mapping[str, int]) -> None:
        """Have names count on from these numbers, but for those that are further already."""
        ...

    def versions(self, name: str, last: int | None = None) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version; without their profiles.

        All of them, or so many of the last.
        """
        ...

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some at the end, each once. Raises InvalidParametersError beyond 100 tags."""
        ...

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        ...

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired, and whatever interrupted calls left behind; returns the ids."""
        ...

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """Note what an idempotency key was first used for; returns that: the fingerprint that was given first."""
        ...

    def close(self) -> None:
        """Let go of files and connections; no call may follow."""
        ...
