"""Which runs are old enough to go."""

from juniper_cascor.runs.store import RunStore

from .records import record

DAY = 86_400.0


def _add_ended(store: RunStore, *days: float) -> None:
    ends = enumerate(days, start=1)
    store.add([record(number, status="COMPLETED", ended_at=day * DAY, tags=[]) for number, day in ends])


def test_without_a_bound_nothing_expires(store: RunStore) -> None:
    """Records are small."""
    _add_ended(store, 1, 2)
    assert store.expired(None, None, now=9_999 * DAY) == []


def test_the_oldest_beyond_a_number_expire(store: RunStore) -> None:
    """It is the end of a run that counts, not when it was posted."""
    _add_ended(store, 3, 1, 2, 4)
    assert store.expired(2, None, now=4 * DAY) == ["r2", "r3"]
    assert store.expired(0, None, now=4 * DAY) == ["r2", "r3", "r1", "r4"]


def test_those_beyond_an_age_expire(store: RunStore) -> None:
    """Either bound is enough."""
    _add_ended(store, 1, 2, 3)
    assert store.expired(None, 1.5, now=3.6 * DAY) == ["r1", "r2"]
    assert store.expired(2, 2.5, now=3.6 * DAY) == ["r1"]


def test_a_run_that_has_not_ended_stays(store: RunStore) -> None:
    """However old it is; nor does it count among those that are kept."""
    store.add([record(1), record(2, status="QUEUED"), record(3, status="PAUSED")])
    store.add([record(4, status="FAILED", ended_at=DAY)])
    assert store.expired(0, 1, now=9 * DAY) == ["r4"]
    assert store.expired(1, None, now=9 * DAY) == []


def test_a_run_that_is_tagged_to_be_kept_stays(store: RunStore) -> None:
    """The tag `keep`, among others."""
    _add_ended(store, 1, 2)
    store.annotate("r1", None, ["best", "keep"])
    store.annotate("r2", None, ["keeper"])
    assert store.expired(0, 1, now=9 * DAY) == ["r2"]


def test_a_run_that_another_grows_on_from_stays(store: RunStore) -> None:
    """Its snapshots are needed until that one has ended."""
    _add_ended(store, 1, 2)
    child = record(3, status="QUEUED", parent_snapshot_id="r1.00002-000000100")
    store.add([child])
    assert store.expired(0, None, now=9 * DAY) == ["r2"]
    store.update(child.model_copy(update={"status": "COMPLETED", "ended_at": 3 * DAY}))
    assert store.expired(0, None, now=9 * DAY) == ["r1", "r2", "r3"]
