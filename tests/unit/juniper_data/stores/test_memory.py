"""The store in memory, beyond the contract."""

import pytest

from juniper_data.errors import DatasetDamagedError, QuotaExceededError
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Quota
from tests.unit.juniper_data.stores.made import id_of, later, made


def test_an_artifact_that_changed_is_not_given_out() -> None:
    """Memory fails, too."""
    store = MemoryStore()
    store.put(*made(1))
    store._artifacts = dict.fromkeys(store._artifacts, b"artifact 2")
    with pytest.raises(DatasetDamagedError, match="checksum"):
        store.open_artifact(id_of(1))


def test_no_artifact_stays_without_its_dataset() -> None:
    """Neither one that was there already, refused or replaced, nor one that is gone."""
    store = MemoryStore(Quota(max_datasets=3))
    for number in range(3):
        store.put(*made(number, expires_at=later(10) if number else None))
    store.put(*made(0))
    with pytest.raises(QuotaExceededError):
        store.put(*made(3))
    store.put(*made(1, created_at=later(10), expires_at=later(11)))
    assert len(store._artifacts) == 3
    store.delete(id_of(0))
    store.delete_expired(later(11))
    assert store._artifacts == {}
