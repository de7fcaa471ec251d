from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from juniper_data.accesses import AccessCounter
from juniper_data.errors import StoreError
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Accesses, Quota
from tests.unit.juniper_data.stores.made import NOON, made


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store."""
    store = MemoryStore()
    yield store
    store.close()


def test_readings_are_seen_at_once_and_kept_by_a_flush(store: MemoryStore) -> None:
    """A reader sees every reading before and after it was written down, and none twice."""
    meta = store.put(*made(1)).meta
    accesses = AccessCounter(store)
    for minute in (2, 1):
        accesses.count(meta.dataset_id, NOON + timedelta(minutes=minute))
    assert accesses.seen(store.meta(meta.dataset_id)).access_count == 2
    accesses.flush()
    accesses.flush()
    seen = accesses.seen(store.meta(meta.dataset_id))
    assert (seen.access_count, seen.last_accessed_at) == (2, NOON + timedelta(minutes=2))


def test_readings_of_a_deleted_dataset_are_forgotten(store: MemoryStore) -> None:
    """A dataset made again begins at none."""
    meta = store.put(*made(1)).meta
    accesses = AccessCounter(store)
    accesses.count(meta.dataset_id, NOON)
    accesses.forget(meta.dataset_id)
    accesses.flush()
    assert store.meta(meta.dataset_id).access_count == 0


def test_what_cannot_be_written_down_stays_counted() -> None:
    """A full disk loses no reading: the next flush brings all."""

    class FullStore(MemoryStore):
        is_full = True

        def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
            if self.is_full:
                raise StoreError("no space left on device")
            super().record_accesses(accesses)

    store = FullStore(Quota())
    meta = store.put(*made(1)).meta
    accesses = AccessCounter(store)
    accesses.count(meta.dataset_id, NOON)
    with pytest.raises(StoreError):
        accesses.flush()
    accesses.count(meta.dataset_id, NOON)
    store.is_full = False
    accesses.flush()
    assert store.meta(meta.dataset_id).access_count == 2
    store.close()
