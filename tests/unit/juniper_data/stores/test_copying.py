"""One store copied into another: what comes along, what a second time does, and what is told."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.copying import Progress, copy_store
from juniper_data.errors import StoreAwayError, StoreError
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Accesses, DatasetStore, Quota, Stored
from tests.unit.juniper_data.stores.conftest import OpenStore
from tests.unit.juniper_data.stores.made import NOON, id_of, later, made
from tests.unit.juniper_data.stores.samples import artifact_files, contents, holding


def copied(source: DatasetStore, target: DatasetStore) -> Progress:
    """What came of a copy."""
    return copy_store(source, target, NOON, lambda _: None)


def told(store: DatasetStore) -> object:
    """All that a store gives: datasets, bytes, names with their numbers, and figures."""
    metas = [store.meta(dataset_id) for dataset_id in store.ids(1000, 0)]
    names = {name: (last, store.versions(name)) for name, last in store.names().items()}
    return metas, contents(store), names, store.stats(NOON)


def fill(store: DatasetStore) -> None:
    """Datasets of all kinds; names with gaps, with several datasets, and with none any more."""
    store.put(*made(1, tags=("b", "a"), dataset_name="n", description="one", parent_dataset_id=id_of(9)))
    store.put(*made(2, dataset_name="n", ttl_seconds=9, expires_at=later(11)))
    store.put(*made(3, dataset_name="n", profile=None))
    store.put(*holding(4, b"", dataset_name="lost", expires_at=later(-9)))
    store.put(*made(5, dataset_name="lost"))
    for number in (1, 5):
        store.add_version(id_of(number), "m")
    store.add_version(id_of(1), "n")
    store.delete(id_of(2))
    store.delete(id_of(5))
    store.record_accesses({id_of(3): Accesses(7, later(50))})


@pytest.fixture
def source() -> Iterator[MemoryStore]:
    """A store with such datasets."""
    with closing(MemoryStore()) as store:
        fill(store)
        yield store


@pytest.fixture
def target() -> Iterator[MemoryStore]:
    """An empty store."""
    with closing(MemoryStore()) as store:
        yield store


def test_all_that_a_store_has_comes_along(source: MemoryStore, target: MemoryStore, open_store: OpenStore) -> None:
    """Into a store of any kind, and out of it again; names go on from the numbers that they have counted."""
    there = open_store(Quota())
    first, second = copied(source, there), copied(there, target)
    assert told(there) == told(target) == told(source)
    assert (first, first.lacking) == (second, [])
    assert (first.total, first.done, first.copied, first.names) == (3, 3, 3, 3)
    assert [target.put(*made(number, dataset_name=name)).meta.dataset_version for number, name in
            [(6, "n"), (7, "m"), (8, "lost")]] == [4, 3, 3]  # fmt: skip


def test_what_is_there_is_not_sent_again(source: MemoryStore, target: MemoryStore) -> None:
    """Its artifact is not even opened."""
    copied(source, target)
    source._artifacts.clear()
    again = copied(source, target)
    assert (again.copied, again.there, again.lacking) == (0, 3, [])


def test_what_was_changed_since_comes_the_next_time(source: MemoryStore, target: MemoryStore) -> None:
    """Tags, accesses, names, and new datasets."""
    copied(source, target)
    source.change_tags(id_of(1), ["c", "b"], ["b"])
    source.record_accesses({id_of(3): Accesses(2, later(70))})
    source.add_version(id_of(1), "m")
    source.add_version(id_of(3), "new")
    source.put(*made(6, dataset_name="n"))
    assert copied(source, target).copied == 1
    assert told(target) == told(source)


def test_what_was_made_anew_has_its_new_time_to_live(source: MemoryStore, target: MemoryStore) -> None:
    """Though its bytes are the same."""
    source.put(*made(7, expires_at=later(8)))
    copied(source, target)
    source.put(*made(7, created_at=later(9), expires_at=later(99)))
    copied(source, target)
    assert target.meta(id_of(7)).expires_at == later(99)


class EndingStore(FileSystemStore):
    """A store whose process is killed after some of its changes."""

    def __init__(self, root: Path, changes: int) -> None:
        super().__init__(root)
        self.changes = changes

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """As the last one, or not."""
        self._count()
        return super().put(meta, artifact)

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """As the last one, or not."""
        self._count()
        return super().add_version(dataset_id, name, version)

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """As the last one, or not."""
        self._count()
        return super().change_tags(dataset_id, add, remove)

    def _count(self) -> None:
        if not self.changes:
            raise StoreAwayError("killed")
        self.changes -= 1


def test_it_goes_on_wherever_it_ended(source: MemoryStore, tmp_path: Path) -> None:
    """Each time one change further; in the end all is there, once."""
    ends = 0
    while True:
        with closing(EndingStore(tmp_path, 1)) as target:
            try:
                copied(source, target)
            except StoreError:
                ends += 1
                continue
            assert told(target) == told(source)
        break
    assert ends == 6  # of seven changes: three datasets and four versions
    assert len(artifact_files(tmp_path)) == 3


def test_what_comes_meanwhile_is_copied_and_told(source: MemoryStore, target: MemoryStore) -> None:
    """While it goes on; what goes meanwhile is told too."""

    def use(progress: Progress) -> None:
        if progress.done == 1:
            source.put(*made(0))
            source.delete(id_of(4))

    progress = copy_store(source, target, NOON, use)
    assert (progress.came, progress.gone, progress.copied, progress.total) == (1, 1, 3, 4)
    assert told(target) == told(source)


def test_a_damaged_dataset_is_told_of(target: MemoryStore, tmp_path: Path) -> None:
    """By its line, with its names; all others are copied."""
    with closing(FileSystemStore(tmp_path)) as source:
        for number in (1, 2):
            source.put(*made(number, dataset_name="n"))
        artifact_files(tmp_path)[0].write_bytes(b"else")
        progress = copied(source, target)
    assert len(progress.lacking) == 1
    assert "is damaged" in progress.lacking[0]
    assert (progress.done, len(contents(target)), len(target.versions("n")), target.names()) == (2, 1, 1, {"n": 2})


class ForgettingStore(MemoryStore):
    """A store that keeps other bytes than it was given."""

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep it, for now."""
        put = super().put(meta, artifact)
        self._artifacts[self.locate(meta.dataset_id).location] = b"else"
        return put


def test_an_artifact_that_is_not_read_back_as_it_was_is_told_of(source: MemoryStore) -> None:
    """It is not counted as copied."""
    with closing(ForgettingStore()) as target:
        progress = copied(source, target)
    assert (progress.copied, len(progress.lacking)) == (0, 3)
    assert progress.lacking[0].startswith("in the target dataset 'xor-1.0.0-0000000000000001' is damaged")


def test_what_was_not_read_back_as_it_was_comes_the_next_time(source: MemoryStore) -> None:
    """It does not stay in the target, where it would count as copied."""
    with closing(ForgettingStore()) as target:
        copied(source, target)
        assert target.ids(10, 0) == []
        again = copied(source, target)
        assert (again.there, len(again.lacking)) == (0, 3)


def test_what_was_not_read_back_before_a_kill_is_read_the_next_time(source: MemoryStore, target: MemoryStore) -> None:
    """A damaged one is sent again."""
    copied(source, target)
    target._artifacts[target.locate(id_of(1)).location] = b"else"
    again = copied(source, target)
    assert (again.copied, again.there, again.lacking) == (1, 2, [])
    assert told(target) == told(source)


class SweptStore(MemoryStore):
    """A store in which something is swept right after it was put."""

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep it, but for one."""
        put = super().put(meta, artifact)
        if meta.dataset_id == id_of(3):
            self.delete(id_of(3))
        return put


def test_what_is_deleted_in_the_target_meanwhile_is_told_too(source: MemoryStore) -> None:
    """It is gone, and nothing else of it is."""
    with closing(SweptStore()) as target:
        progress = copied(source, target)
        assert (progress.gone, progress.copied, progress.lacking) == (1, 2, [])
        assert target.ids(10, 0) == [id_of(1), id_of(4)]


def test_what_the_target_has_of_its_own_stays_and_is_told_of(source: MemoryStore, target: MemoryStore) -> None:
    """Another dataset of the same id, a number that is taken, and one that is another's."""
    target.put(*holding(1, b"mine"))
    target.put(*made(8, dataset_name="n"))
    target.put(*made(3))
    target.add_version(id_of(3), "n", 2)
    progress = copied(source, target)
    assert progress.lacking == [
        f"the target has another dataset {id_of(1)}, made {later(1).isoformat()}",
        f"in the target version 1 of 'n' is another dataset, and not {id_of(1)}",
        f"in the target {id_of(3)} is version 2 of 'n', and not 3",
    ]
    assert contents(target)[id_of(1)] == b"mine"


def test_a_quota_ends_it(source: MemoryStore) -> None:
    """What was copied stays."""
    with closing(MemoryStore(Quota(max_datasets=1))) as target:
        with pytest.raises(StoreError, match="may hold 1 datasets"):
            copied(source, target)
        assert len(target.ids(10, 0)) == 1
