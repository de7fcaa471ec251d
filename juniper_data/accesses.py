"""How often artifacts are read: counted at once, written down together later, so that reading waits for no disk."""

import threading
from datetime import datetime

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import StoreError
from juniper_data.stores.protocol import Accesses, DatasetStore


class AccessCounter:
    """Readings that the store does not know of yet; for any threads."""

    def __init__(self, store: DatasetStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._pending: dict[str, Accesses] = {}

    def count(self, dataset_id: str, at: datetime) -> None:
        """One more reading."""
        self._add({dataset_id: Accesses(1, at)})

    def seen(self, meta: DatasetMeta) -> DatasetMeta:
        """The meta with the readings that the store does not know of yet."""
        pending = self._pending.get(meta.dataset_id)
        if pending is None:
            return meta
        return meta.model_copy(
            update={"access_count": meta.access_count + pending.count, "last_accessed_at": pending.last_at}
        )

    def forget(self, dataset_id: str) -> None:
        """The dataset is gone; one of the same id that may follow starts anew."""
        with self._lock:
            self._pending.pop(dataset_id, None)

    def flush(self) -> None:
        """Write down what was counted. Raises StoreError; then it stays counted for the next time."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if pending:
            try:
                self._store.record_accesses(pending)
            except StoreError:
                self._add(pending)
                raise

    def _add(self, accesses: dict[str, Accesses]) -> None:
        with self._lock:
            for dataset_id, more in accesses.items():
                before = self._pending.get(dataset_id, more)
                count = more.count + (before.count if before is not more else 0)
                self._pending[dataset_id] = Accesses(count, max(before.last_at, more.last_at))
