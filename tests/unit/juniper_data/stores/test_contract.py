"""What every store does, whatever it keeps its datasets in."""

import threading
from collections.abc import Callable

import pytest

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.errors import (
    DatasetNotFoundError,
    InvalidParametersError,
    QuotaExceededError,
    StoreError,
    VersionTakenError,
)
from juniper_data.stores.protocol import Accesses, DatasetStore, Quota
from tests.unit.juniper_data.stores.conftest import OpenStore
from tests.unit.juniper_data.stores.made import NOON, content_of, id_of, later, made
from tests.unit.juniper_data.stores.samples import content

MALFORMED = ["", "xor", "../../etc/passwd", f"{id_of(1)}\n", f"{id_of(1)} ", "xor-1.0.0-000000000000000G", "' OR 1 --"]


@pytest.fixture
def store(open_store: OpenStore) -> DatasetStore:
    """An empty store that takes whatever comes."""
    return open_store(Quota())


def at_once(n: int, call: Callable[[int], object]) -> None:
    """Call from n threads that start together; fails where one does."""
    failures = []
    start = threading.Barrier(n)

    def run(number: int) -> None:
        start.wait()
        try:
            call(number)
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def found(store: DatasetStore, query: DatasetFilter) -> list[str]:
    """The ids of a page."""
    return [meta.dataset_id for meta in store.find(query, NOON).datasets]


def test_a_store_that_works_says_so(store: DatasetStore) -> None:
    """Its check leaves nothing behind."""
    store.check()
    assert store.ids(10, 0) == []
    assert store.stats(NOON).total_datasets == 0


def test_what_was_put_is_found(store: DatasetStore) -> None:
    """Meta and artifact come back as they were, to the last digit."""
    meta, artifact = made(
        1,
        params={"noise": 0.1 + 0.2, "centers": [[1, 2.5], None], "name": "ä\0\U0001f600"},
        tags=("b", "a", "with space", "ü"),
        ttl_seconds=60,
        expires_at=later(61),
        created_at=NOON.replace(microsecond=999_999),
        description="two\nlines",
        created_by="me",
        parent_dataset_id=id_of(7),
        task_type="regression",
        feature_names=("x", "y"),
        class_names=("no", "yes"),
    )
    put = store.put(meta, artifact)
    assert (put.created, put.meta) == (True, meta)
    assert store.meta(meta.dataset_id) == meta
    assert content(store, meta.dataset_id) == content_of(1)


def test_an_artifact_tells_its_size_and_checksum(store: DatasetStore) -> None:
    """Those of the bytes that it has."""
    meta, artifact = made(1)
    store.put(meta, artifact)
    opened = store.open_artifact(meta.dataset_id)
    opened.file.close()
    assert (opened.size, opened.checksum) == (len(content_of(1)), meta.checksum)


def test_an_artifact_can_be_read_from_anywhere(store: DatasetStore) -> None:
    """A part of it is asked for at times."""
    store.put(*made(1))
    with store.open_artifact(id_of(1)).file as file:
        file.seek(9)
        assert file.read(1) == b"1"


def test_an_artifact_is_put_from_where_it_stands(store: DatasetStore) -> None:
    """What was read of it before is no part of it."""
    meta, artifact = made(1)
    artifact.seek(0)
    artifact.write(b"headline\n" + content_of(1))
    artifact.seek(len(b"headline\n"))
    store.put(meta, artifact)
    assert content(store, id_of(1)) == content_of(1)


def test_an_artifact_must_have_its_checksum(store: DatasetStore) -> None:
    """What does not match its meta never becomes a dataset."""
    with pytest.raises(StoreError, match="checksum"):
        store.put(made(1)[0], made(2)[1])
    assert store.ids(10, 0) == []


def test_the_first_writer_of_an_id_wins(store: DatasetStore) -> None:
    """A later one changes nothing, and gets what is there."""
    meta, artifact = made(1)
    store.put(meta, artifact)
    again = store.put(*made(1, description="second", tags=("late",)))
    assert (again.created, again.meta) == (False, meta)
    assert store.meta(id_of(1)) == meta


def test_writers_of_one_id_at_once_leave_one_whole_artifact(store: DatasetStore) -> None:
    """One of them has made it, whatever each of them wrote."""
    created = []

    def put(number: int) -> None:
        meta, artifact = made(number, dataset_id=id_of(1))
        if store.put(meta, artifact).created:
            created.append(number)

    at_once(8, put)
    assert len(created) == 1
    assert content(store, id_of(1)) == content_of(created[0])
    assert store.meta(id_of(1)).checksum == made(created[0])[0].checksum


def test_an_expired_dataset_stays_until_it_is_made_again(store: DatasetStore) -> None:
    """It is replaced by a writer to whom it has expired, with all that was known of it."""
    store.put(*made(1, ttl_seconds=9, expires_at=later(10), tags=("old",), dataset_name="n"))
    store.record_accesses({id_of(1): Accesses(3, later(2))})
    early, artifact = made(2, dataset_id=id_of(1), created_at=later(9.999999))
    assert not store.put(early, artifact).created
    assert content(store, id_of(1)) == content_of(1)
    late, artifact = made(2, dataset_id=id_of(1), created_at=later(10))
    assert store.put(late, artifact).created
    assert store.meta(id_of(1)) == late
    assert content(store, id_of(1)) == content_of(2)
    assert (store.versions("n"), found(store, DatasetFilter(tags="old"))) == ([], [])


@pytest.mark.parametrize("dataset_id", [id_of(1), *MALFORMED])
def test_what_is_not_there_is_not_found(store: DatasetStore, dataset_id: str) -> None:
    """Whichever way it is asked for; an id that cannot be is one that is not there."""
    store.put(*made(2))
    calls: list[Callable[[], object]] = [
        lambda: store.meta(dataset_id),
        lambda: store.open_artifact(dataset_id),
        lambda: store.add_version(dataset_id, "n"),
        lambda: store.change_tags(dataset_id, ["a"], []),
        lambda: store.delete(dataset_id),
    ]
    for call in calls:
        with pytest.raises(DatasetNotFoundError) as refused:
            call()
        assert refused.value.dataset_id == dataset_id
    assert store.ids(10, 0) == [id_of(2)]


@pytest.mark.parametrize("dataset_id", MALFORMED)
def test_a_malformed_id_is_not_put(store: DatasetStore, dataset_id: str) -> None:
    """It could never be asked for."""
    meta, artifact = made(1, dataset_id=dataset_id)
    with pytest.raises(DatasetNotFoundError):
        store.put(meta, artifact)
    assert store.ids(10, 0) == []


def test_what_is_deleted_is_gone(store: DatasetStore) -> None:
    """Others are as before."""
    for number in (1, 2):
        store.put(*made(number, tags=("a",), dataset_name="n"))
    store.delete(id_of(1))
    with pytest.raises(DatasetNotFoundError):
        store.meta(id_of(1))
    assert (store.ids(10, 0), found(store, DatasetFilter(tags="a"))) == ([id_of(2)], [id_of(2)])
    assert [meta.dataset_id for meta in store.versions("n")] == [id_of(2)]
    assert content(store, id_of(2)) == content_of(2)


def test_what_is_deleted_may_come_again(store: DatasetStore) -> None:
    """As if it had never been."""
    store.put(*made(1, tags=("a",)))
    store.record_accesses({id_of(1): Accesses(3, NOON)})
    store.delete(id_of(1))
    meta, artifact = made(1)
    assert store.put(meta, artifact).created
    assert store.meta(id_of(1)) == meta


def test_an_artifact_stays_readable_when_it_is_deleted(store: DatasetStore) -> None:
    """To its end, for whoever opened it before."""
    store.put(*made(1))
    with store.open_artifact(id_of(1)).file as file:
        store.delete(id_of(1))
        assert file.read() == content_of(1)


def test_one_of_many_deletes(store: DatasetStore) -> None:
    """The others find nothing any more."""
    store.put(*made(1))
    missed = []

    def delete(number: int) -> None:
        try:
            store.delete(id_of(1))
        except DatasetNotFoundError:
            missed.append(number)

    at_once(5, delete)
    assert len(missed) == 4


def test_readers_find_all_or_nothing_while_it_comes_and_goes(store: DatasetStore) -> None:
    """A dataset that is put and deleted over and over."""

    def use(number: int) -> None:
        for _ in range(20):
            try:
                if number == 0:
                    store.put(*made(1))
                    store.delete(id_of(1))
                else:
                    assert content(store, id_of(1)) == content_of(1)
            except DatasetNotFoundError:
                continue

    at_once(4, use)


def test_what_has_expired_is_deleted(store: DatasetStore) -> None:
    """To the moment."""
    store.put(*made(1, expires_at=later(10)))
    store.put(*made(2, expires_at=later(10.000001)))
    store.put(*made(3))
    assert store.delete_expired(later(9.999999)) == []
    assert store.delete_expired(later(10)) == [id_of(1)]
    assert store.ids(10, 0) == [id_of(2), id_of(3)]


def test_accesses_are_counted(store: DatasetStore) -> None:
    """They add up, and the last one stands, whichever is recorded first."""
    store.put(*made(1))
    store.put(*made(2))
    store.record_accesses({id_of(1): Accesses(2, later(5))})
    store.record_accesses({id_of(1): Accesses(3, later(4)), id_of(2): Accesses(1, later(1))})
    first, second = store.meta(id_of(1)), store.meta(id_of(2))
    assert (first.access_count, first.last_accessed_at) == (5, later(5))
    assert (second.access_count, second.last_accessed_at) == (1, later(1))
    assert [meta.access_count for meta in store.find(DatasetFilter(), NOON).datasets] == [1, 5]


def test_accesses_of_what_is_gone_are_passed_over(store: DatasetStore) -> None:
    """The others are recorded."""
    store.put(*made(1))
    store.record_accesses({id_of(9): Accesses(1, NOON), "../x": Accesses(1, NOON), id_of(1): Accesses(1, NOON)})
    assert store.meta(id_of(1)).access_count == 1
    assert store.ids(10, 0) == [id_of(1)]


def test_ids_come_in_their_alphabetical_order(store: DatasetStore) -> None:
    """Pages line up without a gap, and end."""
    for number in (30, 4, 0x10):
        store.put(*made(number))
    store.put(*made(1, dataset_id="circles-1.0.0-ffffffffffffffff", created_at=later(99)))
    expected = ["circles-1.0.0-ffffffffffffffff", id_of(4), id_of(0x10), id_of(30)]
    assert store.ids(10, 0) == expected
    assert [*store.ids(3, 0), *store.ids(3, 3)] == expected
    assert store.ids(3, 4) == []


def test_a_name_counts_its_versions(store: DatasetStore) -> None:
    """From 1 on, for each name by itself."""
    versions = [
        store.put(*made(number, dataset_name=name)).meta.dataset_version for number, name in enumerate(["a", "b", "a"])
    ]
    assert versions == [1, 1, 2]
    assert [(meta.dataset_id, meta.dataset_version) for meta in store.versions("a")] == [(id_of(0), 1), (id_of(2), 2)]
    assert store.meta(id_of(2)).dataset_version == 2


def test_a_name_given_again_is_the_same_version(store: DatasetStore) -> None:
    """The dataset has it already; and it is the name last given now."""
    store.put(*made(1, dataset_name="a"))
    store.put(*made(2, dataset_name="a"))
    assert store.add_version(id_of(1), "b").dataset_version == 1
    assert store.meta(id_of(1)).dataset_name == "b"
    again = store.add_version(id_of(1), "a")
    assert (again.dataset_name, again.dataset_version) == ("a", 1)
    assert store.meta(id_of(1)) == again
    assert store.put(*made(1, dataset_name="a")).meta == again


def test_a_dataset_that_is_there_takes_a_further_name(store: DatasetStore) -> None:
    """Where it is put again; all else of it stays."""
    meta, artifact = made(1, dataset_name="a")
    store.put(meta, artifact)
    again = store.put(*made(1, dataset_name="b", description="second"))
    assert not again.created
    assert again.meta == meta.model_copy(update={"dataset_name": "b", "dataset_version": 1})
    assert [each.dataset_name for name in "ab" for each in store.versions(name)] == ["a", "b"]


def test_a_version_is_never_given_twice(store: DatasetStore) -> None:
    """Neither when its dataset is deleted nor when it has expired."""
    store.put(*made(1, dataset_name="a"))
    store.delete(id_of(1))
    store.put(*made(2, dataset_name="a", expires_at=later(3)))
    store.delete_expired(later(3))
    store.put(*made(3, dataset_name="a", expires_at=later(4)))
    put = store.put(*made(3, dataset_name="a", created_at=later(4)))
    assert (put.created, put.meta.dataset_version) == (True, 4)
    assert [meta.dataset_version for meta in store.versions("a")] == [4]


def test_names_given_at_once_get_versions_of_their_own(store: DatasetStore) -> None:
    """No two datasets share one."""
    at_once(8, lambda number: store.put(*made(number, dataset_name="a")))
    assert [meta.dataset_version for meta in store.versions("a")] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [meta.dataset_version for meta in store.versions("a", last=2)] == [7, 8]


def test_a_version_keeps_the_number_that_it_has_elsewhere(store: DatasetStore) -> None:
    """In whatever order they come; the name counts on from the highest, and what has a number already keeps it."""
    for number in (1, 2, 3):
        store.put(*made(number))
    named = store.add_version(id_of(1), "a", 7)
    assert (named.dataset_name, named.dataset_version) == ("a", 7)
    assert store.add_version(id_of(2), "a", 3).dataset_version == 3
    assert store.add_version(id_of(1), "a", 9).dataset_version == 7
    assert store.add_version(id_of(3), "a").dataset_version == 8
    assert [meta.dataset_id for meta in store.versions("a")] == [id_of(2), id_of(1), id_of(3)]


def test_a_number_that_another_dataset_has_is_not_given(store: DatasetStore) -> None:
    """Nothing changes."""
    store.put(*made(1, dataset_name="a"))
    store.put(*made(2))
    with pytest.raises(VersionTakenError, match="version 1 of 'a' is another dataset"):
        store.add_version(id_of(2), "a", 1)
    assert [meta.dataset_id for meta in store.versions("a")] == [id_of(1)]
    assert store.meta(id_of(2)).dataset_name is None


def test_names_tell_how_far_they_have_counted(store: DatasetStore) -> None:
    """Those whose datasets are gone too."""
    for number, name in enumerate(["ä\0", "b", "ä\0"]):
        store.put(*made(number, dataset_name=name))
    store.delete(id_of(1))
    assert store.names() == {"ä\0": 2, "b": 1}


def test_names_count_on_from_what_they_have_counted_elsewhere(store: DatasetStore) -> None:
    """And never back."""
    store.put(*made(1, dataset_name="a"))
    store.count_names({"a": 5, "b": 2})
    store.count_names({"a": 4, "b": 2})
    store.count_names({})
    assert store.names() == {"a": 5, "b": 2}
    assert [store.put(*made(number, dataset_name="a")).meta.dataset_version for number in (2, 3)] == [6, 7]


def test_a_list_of_versions_leaves_profiles_out(store: DatasetStore) -> None:
    """And says the name that was asked for, not the one last given."""
    meta, artifact = made(1, dataset_name="a")
    store.put(meta, artifact)
    store.put(*made(2, dataset_name="b"))
    store.add_version(id_of(1), "b")
    named = {"profile": None, "dataset_name": "a", "dataset_version": 1}
    assert store.versions("a") == [meta.model_copy(update=named)]
    assert store.versions("unknown") == []


def test_tags_are_taken_away_then_added(store: DatasetStore) -> None:
    """At the end, each once; one that is both taken and added moves there."""
    meta, artifact = made(1, tags=("a", "b", "c"))
    store.put(meta, artifact)
    changed = store.change_tags(id_of(1), ["d", "a", "d", "c"], ["a", "x"])
    assert changed == meta.model_copy(update={"tags": ("b", "c", "d", "a")})
    assert store.meta(id_of(1)) == changed
    assert store.change_tags(id_of(1), [], ["b", "c", "d", "a"]).tags == ()
    assert found(store, DatasetFilter(tags="a,b,c,d")) == []


def test_a_dataset_has_at_most_100_tags(store: DatasetStore) -> None:
    """More are refused, and change nothing; those taken away make room."""
    store.put(*made(1, tags=tuple(f"t{number}" for number in range(99))))
    assert len(store.change_tags(id_of(1), ["a"], []).tags) == 100
    with pytest.raises(InvalidParametersError) as refused:
        store.change_tags(id_of(1), ["b"], [])
    assert [problem.loc for problem in refused.value.problems] == [["add_tags"]]
    assert (len(store.meta(id_of(1)).tags), found(store, DatasetFilter(tags="b"))) == (100, [])
    assert len(store.change_tags(id_of(1), ["b"], ["a"]).tags) == 100


def test_tags_changed_at_once_are_all_kept(store: DatasetStore) -> None:
    """Nobody writes over another's."""
    store.put(*made(1))
    at_once(8, lambda number: store.change_tags(id_of(1), [f"t{number}"], []))
    assert sorted(store.meta(id_of(1)).tags) == [f"t{number}" for number in range(8)]


def test_no_more_datasets_are_taken_than_allowed(open_store: OpenStore) -> None:
    """What is there can be asked for and put again; room that is made is used."""
    store = open_store(Quota(max_datasets=2))
    store.put(*made(1))
    store.put(*made(2))
    with pytest.raises(QuotaExceededError, match="JUNIPER_DATA_MAX_DATASETS"):
        store.put(*made(3))
    assert store.ids(10, 0) == [id_of(1), id_of(2)]
    assert not store.put(*made(2)).created
    store.delete(id_of(1))
    assert store.put(*made(3)).created


def test_no_more_bytes_are_taken_than_allowed(open_store: OpenStore) -> None:
    """The last byte is."""
    store = open_store(Quota(max_bytes=2 * len(content_of(1))))
    store.put(*made(1))
    store.put(*made(2))
    with pytest.raises(QuotaExceededError, match="JUNIPER_DATA_MAX_BYTES"):
        store.put(*made(3))
    store.delete(id_of(1))
    assert store.put(*made(3)).created


@pytest.mark.parametrize("quota", [Quota(max_datasets=1), Quota(max_bytes=len(content_of(1)))], ids=str)
def test_what_has_expired_does_not_count(open_store: OpenStore, quota: Quota) -> None:
    """From its last moment on; it stays there meanwhile."""
    store = open_store(quota)
    store.put(*made(1, expires_at=later(3)))
    with pytest.raises(QuotaExceededError):
        store.put(*made(2))
    assert store.put(*made(3)).created
    assert store.ids(10, 0) == [id_of(1), id_of(3)]


def test_a_refused_dataset_leaves_the_expired_one_that_it_was_to_replace(open_store: OpenStore) -> None:
    """Nothing changes."""
    store = open_store(Quota(max_datasets=1))
    store.put(*made(1, expires_at=later(3)))
    store.put(*made(3))
    with pytest.raises(QuotaExceededError):
        store.put(*made(1, created_at=later(4)))
    assert content(store, id_of(1)) == content_of(1)


def test_writers_at_once_do_not_pass_the_quota(open_store: OpenStore) -> None:
    """As many are taken as allowed, and the others refused."""
    store = open_store(Quota(max_datasets=3))
    refused = []

    def put(number: int) -> None:
        try:
            store.put(*made(number))
        except QuotaExceededError:
            refused.append(number)

    at_once(8, put)
    assert (len(store.ids(10, 0)), len(refused)) == (3, 5)


def test_a_store_tells_its_figures(open_store: OpenStore) -> None:
    """What has expired counts until it is removed."""
    store = open_store(Quota(max_datasets=10, max_bytes=1_000))
    store.put(*made(1, n_samples=5, tags=("b", "a"), expires_at=later(9)))
    store.put(*made(2, n_samples=7, tags=("a", "c")))
    store.put(*made(3, dataset_id="circles-1.0.0-0000000000000003", generator="circles"))
    store.change_tags(id_of(2), [], ["c"])
    stats = store.stats(later(9))
    assert stats.model_dump() == {
        "total_datasets": 3,
        "total_samples": 13,
        "total_bytes": 3 * len(content_of(1)),
        "by_generator": {"circles": 1, "xor": 2},
        "by_tag": {"a": 2, "b": 1},
        "oldest_created_at": later(1),
        "newest_created_at": later(3),
        "expired_count": 1,
        "max_datasets": 10,
        "max_bytes": 1_000,
    }
    assert store.stats(later(8)).expired_count == 0


def test_an_empty_store_has_figures(store: DatasetStore) -> None:
    """Also one that was not always empty."""
    store.put(*made(1, tags=("a",)))
    store.delete(id_of(1))
    stats = store.stats(NOON)
    assert (stats.total_datasets, stats.total_samples, stats.total_bytes, stats.by_generator, stats.by_tag) == (
        (0, 0, 0, {}, {})
    )
    assert (stats.oldest_created_at, stats.newest_created_at, stats.max_datasets) == (None, None, None)


def test_a_key_stands_for_what_it_was_first_used_for(store: DatasetStore) -> None:
    """Whatever else it comes with; other keys are free."""
    assert store.claim_key("k", "first", NOON, later(10)) == "first"
    assert store.claim_key("k", "second", later(9.999999), later(20)) == "first"
    assert store.claim_key("K", "second", NOON, later(10)) == "second"


def test_an_expired_key_is_free(store: DatasetStore) -> None:
    """From the moment that was said first."""
    store.claim_key("k", "first", NOON, later(10))
    store.claim_key("k", "second", later(5), later(20))
    assert store.claim_key("k", "third", later(10), later(30)) == "third"
    assert store.claim_key("k", "fourth", later(20), later(30)) == "third"


def test_keys_that_have_not_expired_outlive_the_removal_of_what_has(store: DatasetStore) -> None:
    """A repeated request is known to the end of its time."""
    store.claim_key("k", "first", NOON, later(10))
    store.delete_expired(later(9))
    assert store.claim_key("k", "second", later(9), later(20)) == "first"


def test_a_key_claimed_at_once_stands_for_one(store: DatasetStore) -> None:
    """All are told the same."""
    told = []
    at_once(8, lambda number: told.append(store.claim_key("k", str(number), NOON, later(10))))
    assert len(set(told)) == 1
