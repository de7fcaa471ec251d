"""A store in front of another: artifacts that were opened lately come from the fast one, all else from the slow one."""

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, QuotaExceededError, StoreError
from juniper_data.stores.protocol import Artifact, DatasetStore

WARN_EVERY_S = 60.0
"""A fast store that fails is told of this often."""

# When a dataset expires, and what it is called, is for the slow store to say; the rest would take room.
_NOT_COPIED: dict[str, object] = {
    "ttl_seconds": None,
    "expires_at": None,
    "dataset_name": None,
    "tags": (),
    "parent_dataset_id": None,
    "description": None,
    "params": {},
    "profile": None,
    "feature_names": None,
    "class_names": None,
    "class_distribution": {},
    "split_distributions": None,
    "created_by": None,
}

log = logging.getLogger(__name__)


class CachedStore:
    """A `DatasetStore` that holds copies of artifacts. What the fast store does not do costs time and nothing else.

    Args:
        fast: holds the copies and belongs to nobody else; where its quota is used up, those that were opened
            longest ago go, and what is larger than all of it is not copied.
        slow: holds the datasets; for each artifact it is asked whether that is still the one.
        clock_s: seconds that never go back.
    """

    def __init__(
        self, fast: DatasetStore, slow: DatasetStore, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._fast = fast
        self._slow = slow
        self._clock_s = clock_s
        self._warned_at_s = float("-inf")
        self._lock = threading.Lock()
        # The ids that the fast store holds, the one opened longest ago first; of those from before it is not known.
        self._copies: OrderedDict[str, None] = OrderedDict()
        self._max_bytes: int | None = None
        try:
            self._copies.update(dict.fromkeys(fast.ids(sys.maxsize, 0)))
            self._max_bytes = fast.stats(datetime.now(UTC)).max_bytes
        except StoreError as error:
            self._warn(error)
        self.check = slow.check
        self.put = slow.put
        self.meta = slow.meta
        self.record_accesses = slow.record_accesses
        self.ids = slow.ids
        self.find = slow.find
        self.stats = slow.stats
        self.add_version = slow.add_version
        self.names = slow.names
        self.count_names = slow.count_names
        self.versions = slow.versions
        self.change_tags = slow.change_tags
        self.claim_key = slow.claim_key

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The artifact that the slow store has, from wherever it comes sooner."""
        meta = self._slow.meta(dataset_id)
        copy = self._copy_of(meta)
        if copy is not None:
            return copy
        artifact = self._slow.open_artifact(dataset_id)
        try:
            self._add_copy(meta, artifact)
            artifact.file.seek(0)
        except BaseException:
            artifact.file.close()
            raise
        return artifact

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset, and its copy."""
        self._slow.delete(dataset_id)
        self._drop(dataset_id)

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired, and the copies of that."""
        deleted = self._slow.delete_expired(at)
        for dataset_id in deleted:
            self._drop(dataset_id)
        return deleted

    def close(self) -> None:
        """Close both."""
        with closing(self._slow):
            self._fast.close()

    def _copy_of(self, meta: DatasetMeta) -> Artifact | None:
        try:
            copy = self._fast.open_artifact(meta.dataset_id)
        except DatasetNotFoundError:
            return None
        except StoreError as error:
            self._warn(error)
            if isinstance(error, DatasetDamagedError):
                self._drop(meta.dataset_id)
            return None
        if copy.checksum != meta.checksum:
            copy.file.close()
            self._drop(meta.dataset_id)
            return None
        self._note_use(meta.dataset_id)
        return copy

    def _add_copy(self, meta: DatasetMeta, artifact: Artifact) -> None:
        if self._max_bytes is not None and artifact.size > self._max_bytes:
            return
        try:
            while not self._is_copied(meta, artifact):
                if not self._make_room(artifact.size):
                    return
                artifact.file.seek(0)
        except StoreError as error:
            self._warn(error)
        else:
            self._note_use(meta.dataset_id)

    def _is_copied(self, meta: DatasetMeta, artifact: Artifact) -> bool:
        """Try to copy; false where the quota is used up."""
        try:
            self._fast.put(meta.model_copy(update=_NOT_COPIED | {"size_bytes": artifact.size}), artifact.file)
        except QuotaExceededError:
            return False
        return True

    def _make_room(self, size: int) -> bool:
        """Remove copies of this size together; false where there are none."""
        freed = removed = 0
        while freed < size and (oldest := self._oldest()) is not None:
            freed += self._size_of_copy(oldest)
            self._remove_copy(oldest)
            removed += 1
        return removed > 0

    def _oldest(self) -> str | None:
        with self._lock:
            if not self._copies:
                # What takes the room is another process's.
                self._copies.update(dict.fromkeys(self._fast.ids(sys.maxsize, 0)))
            return next(iter(self._copies), None)

    def _size_of_copy(self, dataset_id: str) -> int:
        try:
            return self._fast.meta(dataset_id).size_bytes
        except (DatasetNotFoundError, DatasetDamagedError):
            return 0

    def _note_use(self, dataset_id: str) -> None:
        with self._lock:
            self._copies[dataset_id] = None
            self._copies.move_to_end(dataset_id)

    def _drop(self, dataset_id: str) -> None:
        try:
            self._remove_copy(dataset_id)
        except StoreError as error:
            self._warn(error)

    def _remove_copy(self, dataset_id: str) -> None:
        with self._lock:
            self._copies.pop(dataset_id, None)
        with suppress(DatasetNotFoundError):
            self._fast.delete(dataset_id)

    def _warn(self, error: StoreError) -> None:
        now_s = self._clock_s()
        if now_s - self._warned_at_s >= WARN_EVERY_S:
            self._warned_at_s = now_s
            log.warning("the cache fails, which makes opening artifacts slower: %s", error)
