"""What the contract does not say of a cache: what is fast, what goes, and that it is never wrong."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from juniper_data.errors import DatasetNotFoundError, StoreError
from juniper_data.stores.cached import WARN_EVERY_S, CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Artifact, DatasetStore, Quota
from tests import redis_server
from tests.unit.juniper_data.stores.conftest import STORES, redis_store
from tests.unit.juniper_data.stores.made import content_of, id_of, later, made
from tests.unit.juniper_data.stores.samples import artifact_files, content, holding

REMOTE = ["redis", "postgresql on disk", "postgresql in database", "huggingface", "kaggle"]


class SlowStore(MemoryStore):
    """A store that notes which artifacts were opened."""

    def __init__(self) -> None:
        super().__init__(Quota())
        self.opened: list[str] = []

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The artifact."""
        self.opened.append(dataset_id)
        return super().open_artifact(dataset_id)


class StuckStore(MemoryStore):
    """A store that removes nothing."""

    def delete(self, _: str) -> None:
        """Fail."""
        raise StoreError("it is stuck")


@pytest.fixture
def broken(tmp_path: Path) -> FileSystemStore:
    """A store that fails at whatever a cache asks of it."""
    store = FileSystemStore(tmp_path)
    store.close()
    return store


@pytest.fixture
def slow() -> SlowStore:
    """The store that holds the datasets 1, 2 and 3, of 10 bytes each."""
    store = SlowStore()
    for number in (1, 2, 3):
        store.put(*made(number))
    return store


@pytest.fixture
def fast() -> MemoryStore:
    """A store with room for two of them."""
    return MemoryStore(Quota(max_bytes=25))


@pytest.fixture
def cached(fast: MemoryStore, slow: SlowStore) -> CachedStore:
    """The two together."""
    return CachedStore(fast, slow)


def test_an_artifact_opened_again_comes_from_the_fast_store(cached: CachedStore, slow: SlowStore) -> None:
    """The slow one is asked for it once."""
    assert [content(cached, id_of(1)) for _ in range(3)] == [content_of(1)] * 3
    assert slow.opened == [id_of(1)]


def test_the_least_recently_used_goes(cached: CachedStore, fast: MemoryStore) -> None:
    """Where there is no room for a third."""
    for number in (1, 2, 1, 3):
        content(cached, id_of(number))
    assert fast.ids(10, 0) == [id_of(1), id_of(3)]


def test_what_is_larger_than_the_cache_passes_through(cached: CachedStore, fast: MemoryStore, slow: SlowStore) -> None:
    """It drives nothing out."""
    slow.put(*holding(4, bytes(26)))
    content(cached, id_of(1))
    assert content(cached, id_of(4)) == bytes(26)
    assert fast.ids(10, 0) == [id_of(1)]


def test_a_cache_without_room_is_none(slow: SlowStore) -> None:
    """Everything passes through."""
    cached = CachedStore(MemoryStore(Quota(max_bytes=0)), slow)
    assert [content(cached, id_of(1)) for _ in range(2)] == [content_of(1)] * 2


def test_what_was_deleted_elsewhere_is_not_served(cached: CachedStore, slow: SlowStore) -> None:
    """Though there is a copy."""
    content(cached, id_of(1))
    slow.delete(id_of(1))
    with pytest.raises(DatasetNotFoundError):
        cached.open_artifact(id_of(1))


def test_what_was_replaced_elsewhere_is_served_as_it_is_now(cached: CachedStore, slow: SlowStore) -> None:
    """And copied anew."""
    content(cached, id_of(1))
    slow.delete(id_of(1))
    slow.put(*holding(1, b"new"))
    slow.opened.clear()
    assert [content(cached, id_of(1)) for _ in range(2)] == [b"new", b"new"]
    assert slow.opened == [id_of(1)]


def test_what_is_deleted_has_no_copy(cached: CachedStore, fast: MemoryStore) -> None:
    """Nobody would ask for it again."""
    content(cached, id_of(1))
    cached.delete(id_of(1))
    assert fast.ids(10, 0) == []


def test_what_has_expired_and_is_deleted_has_no_copy(cached: CachedStore, slow: SlowStore, fast: MemoryStore) -> None:
    """Only the slow store knows when that is."""
    slow.put(*made(4, expires_at=later(10)))
    content(cached, id_of(4))
    assert fast.delete_expired(later(20)) == []
    assert cached.delete_expired(later(20)) == [id_of(4)]
    assert fast.ids(10, 0) == []


def test_a_copy_has_no_name(cached: CachedStore, slow: SlowStore, fast: MemoryStore) -> None:
    """Versions are the slow store's."""
    slow.add_version(id_of(1), "name")
    content(cached, id_of(1))
    assert fast.versions("name") == []
    assert cached.meta(id_of(1)).dataset_name == "name"


def test_a_damaged_copy_is_replaced(tmp_path: Path, slow: SlowStore, caplog: pytest.LogCaptureFixture) -> None:
    """The answer comes from the slow store, the next one from the fast one again."""
    with closing(CachedStore(FileSystemStore(tmp_path), slow)) as cached:
        content(cached, id_of(1))
        (file,) = artifact_files(tmp_path)
        file.write_bytes(b"rubbish")
        assert [content(cached, id_of(1)) for _ in range(2)] == [content_of(1)] * 2
    assert slow.opened == [id_of(1)] * 2
    assert "is damaged" in caplog.text


def test_a_cache_from_which_nothing_can_be_removed_costs_no_answer(slow: SlowStore) -> None:
    """It stays full of what is in it."""
    cached = CachedStore(StuckStore(Quota(max_bytes=25)), slow)
    assert [content(cached, id_of(number)) for number in (1, 2, 3)] == [content_of(number) for number in (1, 2, 3)]


def test_a_broken_cache_costs_no_answer(broken: FileSystemStore, slow: SlowStore) -> None:
    """All is as if there were none."""
    cached = CachedStore(broken, slow)
    assert [content(cached, id_of(1)) for _ in range(2)] == [content_of(1)] * 2
    cached.delete(id_of(1))
    assert slow.ids(10, 0) == [id_of(2), id_of(3)]


def test_a_broken_cache_is_told_of_once_in_a_while(
    broken: FileSystemStore, slow: SlowStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at each artifact that it does not give."""
    now_s = 0.0
    cached = CachedStore(broken, slow, clock_s=lambda: now_s)
    for _ in range(5):
        content(cached, id_of(1))
    assert len(caplog.records) == 1
    now_s = WARN_EVERY_S
    content(cached, id_of(1))
    assert [record.getMessage() for record in caplog.records] == [
        "the cache fails, which makes opening artifacts slower: the dataset index is closed"
    ] * 2


def test_copies_outlive_the_process(tmp_path: Path, slow: SlowStore) -> None:
    """They are used, and go first, since nobody has asked for them since."""
    for numbers in ((1, 2), (1, 3)):
        with closing(FileSystemStore(tmp_path, Quota(max_bytes=25))) as fast:
            cached = CachedStore(fast, slow)
            for number in numbers:
                content(cached, id_of(number))
            left = fast.ids(10, 0)
    assert slow.opened == [id_of(1), id_of(2), id_of(3)]
    assert left == [id_of(1), id_of(3)]


def test_copies_of_another_process_make_room_too(cached: CachedStore, fast: MemoryStore) -> None:
    """Where they alone take it all."""
    fast.put(*holding(8, bytes(20)))
    content(cached, id_of(1))
    assert fast.ids(10, 0) == [id_of(1)]


def cache_in_redis(_: Path, quota: Quota) -> DatasetStore:
    """A cache that several hosts may have together."""
    return redis_store(quota)


@pytest.mark.parametrize("fast_kind", [FileSystemStore, cache_in_redis])
@pytest.mark.parametrize("slow_kind", REMOTE)
def test_a_cache_before_a_remote_store_stays_within_its_bytes(
    tmp_path: Path, slow_kind: str, fast_kind: Callable[[Path, Quota], DatasetStore]
) -> None:
    """The least recently used goes; and what was deleted there is not given from here."""
    if reason := redis_server.why_not():
        pytest.skip(reason)
    with (
        closing(STORES[slow_kind](tmp_path / "slow", Quota())) as slow,
        closing(fast_kind(tmp_path / "fast", Quota(max_bytes=25))) as fast,
    ):
        for number in (1, 2, 3):
            slow.put(*made(number))
        cached = CachedStore(fast, slow)
        for number in (1, 2, 1, 3):
            assert content(cached, id_of(number)) == content_of(number)
        assert fast.ids(10, 0) == [id_of(1), id_of(3)]
        assert fast.stats(later(0)).total_bytes == 20
        slow.delete(id_of(1))
        with pytest.raises(DatasetNotFoundError):
            cached.open_artifact(id_of(1))


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), FileSystemStore])
def test_a_copy_can_be_read_from_anywhere(
    tmp_path: Path, slow: SlowStore, make: Callable[[Path], MemoryStore | FileSystemStore]
) -> None:
    """As can the artifact that was copied just now."""
    with closing(make(tmp_path)) as fast:
        cached = CachedStore(fast, slow)
        for _ in range(2):
            with cached.open_artifact(id_of(1)).file as file:
                file.seek(-1, os.SEEK_END)
                assert file.read() == b"1"


def test_a_copy_has_nothing_that_is_long(tmp_path: Path, slow: SlowStore) -> None:
    """What is known of a dataset would take more room than its bytes, which alone are counted."""
    names = tuple(f"{number:05}" * 20 for number in range(1000))
    splits = {"train": dict.fromkeys(names, 1), "test": {}}
    slow.put(
        *made(4, feature_names=names, class_names=names, class_distribution=splits["train"], created_by="me" * 9999,
              split_distributions=splits, description="d" * 9999, params={"names": list(names)}, tags=names[:100])
    )  # fmt: skip
    with closing(FileSystemStore(tmp_path)) as fast:
        assert content(CachedStore(fast, slow), id_of(4)) == content_of(4)
        assert len(fast.meta(id_of(4)).model_dump_json()) < 1000
