"""Which datasets a list shows and in which pages, whatever the store."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import InvalidParametersError
from juniper_data.stores.protocol import DatasetStore, Quota
from tests.unit.juniper_data.stores.conftest import OpenStore
from tests.unit.juniper_data.stores.made import NOON, id_of, later, made

NAMES = ["a", "A", "%", "a' OR 1 --", "ä"]
TAGS = ["t", "T", "tt", "_", "%", "1", " ", "' OR 1 --"]
SECONDS = st.integers(0, 6)

datasets = st.lists(
    st.fixed_dictionaries(
        {
            "generator": st.sampled_from(["xor", "spiral"]),
            "created_at": SECONDS.map(later),
            "n_samples": st.integers(0, 4),
            "tags": st.lists(st.sampled_from(TAGS), unique=True, max_size=4).map(tuple),
            "expires_at": st.none() | SECONDS.map(later),
            "parent_dataset_id": st.sampled_from([None, id_of(0), id_of(1)]),
        }
    ),
    max_size=12,
)
namings = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(NAMES)), max_size=15)
queries = st.builds(
    DatasetFilter,
    generator=st.sampled_from([None, "xor", "spiral", "%", "moon"]),
    tags=st.none() | st.lists(st.sampled_from([*TAGS, "unknown", ""]), max_size=4).map(",".join),
    tags_match=st.sampled_from(["any", "all"]),
    created_after=st.none() | SECONDS.map(later),
    created_before=st.none() | SECONDS.map(later),
    min_samples=st.none() | st.integers(0, 5),
    max_samples=st.none() | st.integers(0, 5),
    include_expired=st.booleans(),
    dataset_name=st.sampled_from([None, None, *NAMES, "unknown", ""]),
    dataset_version=st.none() | st.integers(1, 3),
    parent_dataset_id=st.sampled_from([None, id_of(0), id_of(1), id_of(2)]),
    limit=st.sampled_from([1, 2, 3, 100]),
    offset=st.sampled_from([0, 1, 5]),
)
ALONE = [
    DatasetFilter(),
    DatasetFilter(generator="xor"),
    DatasetFilter(tags="t"),
    DatasetFilter(tags="t,1"),
    DatasetFilter(tags="t,1", tags_match="all"),
    DatasetFilter(created_after=later(3)),
    DatasetFilter(created_before=later(3)),
    DatasetFilter(min_samples=2),
    DatasetFilter(max_samples=2),
    DatasetFilter(include_expired=True),
    DatasetFilter(dataset_name="a"),
    DatasetFilter(dataset_name="a", dataset_version=1),
    DatasetFilter(dataset_version=1),
    DatasetFilter(parent_dataset_id=id_of(1)),
]


@pytest.fixture
def store(open_store: OpenStore) -> DatasetStore:
    """An empty store."""
    return open_store(Quota())


def _tags_of(query: DatasetFilter) -> list[str]:
    return [tag for tag in (query.tags or "").split(",") if tag]


def _fits(meta: DatasetMeta, query: DatasetFilter, at: datetime, names: dict[str, int]) -> bool:
    """Whether a dataset belongs into a list; `names` are all its names, with their versions."""
    tags = [tag in meta.tags for tag in _tags_of(query)]
    version = meta.dataset_version if query.dataset_name is None else names.get(query.dataset_name)
    return all(
        (
            query.generator in (None, meta.generator),
            not tags or (all(tags) if query.tags_match == "all" else any(tags)),
            query.created_after is None or meta.created_at > query.created_after,
            query.created_before is None or meta.created_at < query.created_before,
            query.min_samples is None or meta.n_samples >= query.min_samples,
            query.max_samples is None or meta.n_samples <= query.max_samples,
            query.include_expired or meta.expires_at is None or meta.expires_at > at,
            query.dataset_name is None or query.dataset_name in names,
            query.dataset_version in (None, version),
            query.parent_dataset_id in (None, meta.parent_dataset_id),
        )
    )


def _expected(
    metas: Sequence[DatasetMeta], names: dict[str, dict[str, int]], query: DatasetFilter, at: datetime
) -> list[DatasetMeta]:
    """All that a list has, newest first, as it shows it."""
    fitting = [meta for meta in metas if _fits(meta, query, at, names[meta.dataset_id])]
    shown = sorted(fitting, key=lambda meta: (meta.created_at, meta.dataset_id), reverse=True)
    return [
        meta.model_copy(
            update={"profile": None}
            | (
                {"dataset_name": query.dataset_name, "dataset_version": names[meta.dataset_id][query.dataset_name]}
                if query.dataset_name is not None
                else {}
            )
        )
        for meta in shown
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=datasets, named=namings, asked=st.lists(queries, min_size=1, max_size=8), at=SECONDS.map(later))
def test_a_list_shows_what_fits(
    open_store: OpenStore,
    rows: list[dict[str, object]],
    named: list[tuple[int, str]],
    asked: list[DatasetFilter],
    at: datetime,
) -> None:
    """Each filter alone, and any of them together, as plain Python tells it; in pages, with the total."""
    store = open_store(Quota())
    for number, row in enumerate(rows):
        store.put(*made(number, **row))
    names: dict[str, dict[str, int]] = {id_of(number): {} for number in range(len(rows))}
    for number, name in named:
        if number < len(rows):
            version = store.add_version(id_of(number), name).dataset_version
            assert version is not None
            names[id_of(number)][name] = version
    metas = [store.meta(dataset_id) for dataset_id in store.ids(100, 0)]
    for query in [*(each.model_copy(update={"limit": 2}) for each in ALONE), *asked]:
        expected = _expected(metas, names, query, at)
        page = store.find(query, at)
        assert list(page.datasets) == expected[query.offset : query.offset + query.limit]
        assert (page.total, page.limit, page.offset) == (len(expected), query.limit, query.offset)
        shown = list(page.datasets)
        while page.next_cursor is not None:
            page = store.find(query.model_copy(update={"cursor": page.next_cursor, "offset": 0}), at)
            assert (page.total, len(page.datasets) > 0) == (len(expected), True)
            shown += page.datasets
        assert shown == expected[query.offset :]


def test_each_of_many_tags_and_names_finds_its_own(store: DatasetStore) -> None:
    """However they are kept, none is taken for a part of another."""
    for number in range(1, 30):
        store.put(*made(number, tags=(f"t{number}", "all"), dataset_name=f"n{number}"))
        store.add_version(id_of(number), f"m{number}")
    for number in range(1, 30):
        for query in (
            DatasetFilter(tags=f"t{number}"),
            DatasetFilter(tags=f"t{number},all", tags_match="all"),
            DatasetFilter(dataset_name=f"n{number}"),
            DatasetFilter(dataset_name=f"m{number}"),
        ):
            assert [meta.dataset_id for meta in store.find(query, NOON).datasets] == [id_of(number)]


def test_a_cursor_sees_each_once_while_others_come_and_go(store: DatasetStore) -> None:
    """Those made later are newer than where it stands, which is a place that needs no dataset."""
    for number in range(10):
        store.put(*made(number, created_at=later(number // 3)))
    page = store.find(DatasetFilter(limit=3), NOON)
    seen = [meta.dataset_id for meta in page.datasets]
    while page.next_cursor is not None:
        store.put(*made(100 + len(seen), created_at=later(100)))
        store.delete(seen[-1])
        page = store.find(DatasetFilter(limit=3, cursor=page.next_cursor), NOON)
        seen += [meta.dataset_id for meta in page.datasets]
    assert sorted(seen) == [id_of(number) for number in range(10)]


def test_the_last_page_has_no_cursor(store: DatasetStore) -> None:
    """Also where it is full."""
    for number in range(4):
        store.put(*made(number))
    first = store.find(DatasetFilter(limit=2), NOON)
    assert first.next_cursor is not None
    assert store.find(DatasetFilter(limit=2, cursor=first.next_cursor), NOON).next_cursor is None
    assert store.find(DatasetFilter(limit=4), NOON).next_cursor is None


def test_a_cursor_stands_in_a_url_as_it_is(store: DatasetStore) -> None:
    """No sign of it is escaped, and it is short enough to be sent back."""
    meta, artifact = made(1, dataset_id=f"{'a' * 64}-12345.12345.12345-{1:016x}")
    store.put(meta, artifact)
    store.put(*made(0))
    cursor = store.find(DatasetFilter(limit=1), NOON).next_cursor
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert [meta.dataset_id for meta in store.find(DatasetFilter(cursor=cursor), NOON).datasets] == [id_of(0)]


def test_a_cursor_that_was_changed_is_refused(store: DatasetStore) -> None:
    """What no cursor has is not passed over."""
    for number in range(2):
        store.put(*made(number))
    cursor = store.find(DatasetFilter(limit=1), NOON).next_cursor
    for changed in (f"{cursor}~", f"~{cursor}", f"{cursor}~~~~", f"{cursor}{cursor}", f"{cursor} "):
        with pytest.raises(InvalidParametersError):
            store.find(DatasetFilter(cursor=changed), NOON)


@pytest.mark.parametrize(
    "cursor", ["", "0", "====", "MTIz", "bm9uZSBvZiBvdXJz", "ä", "\0", "OTk5OTk5OTk5OTk5OTk5OTk5OTkgeG9y", "MSB4b3I%3D"]
)
def test_a_cursor_of_none_of_its_pages_is_refused(store: DatasetStore, cursor: str) -> None:
    """And named."""
    store.put(*made(1))
    with pytest.raises(InvalidParametersError) as refused:
        store.find(DatasetFilter(cursor=cursor), NOON)
    assert [problem.loc for problem in refused.value.problems] == [["cursor"]]


def test_pages_of_very_large_metas_are_shorter(store: DatasetStore) -> None:
    """Each has one dataset at least, and its cursor goes on behind it; nothing is left out."""
    for number in range(5):
        store.put(*made(number, feature_names=(f"{number}" * 3_500_000,)))
    cursor, pages = None, []
    while True:
        page = store.find(DatasetFilter(cursor=cursor), NOON)
        pages.append([meta.dataset_id for meta in page.datasets])
        assert page.total == 5
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == [[id_of(4), id_of(3)], [id_of(2), id_of(1)], [id_of(0)]]
