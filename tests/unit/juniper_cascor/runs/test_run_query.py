"""Which runs a list shows."""

import pytest
from pydantic import ValidationError

from juniper_cascor.runs.store import RunStore
from juniper_common.wire.run_queries import RunQuery

from .records import record


@pytest.fixture
def runs(store: RunStore) -> RunStore:
    """Five runs that differ."""
    store.add(
        [
            record(1, status="COMPLETED", outcome="solved", notes="a 50% split", tags=["a,b", "c"]),
            record(2, status="COMPLETED", outcome="stagnated", notes="50 of them", tags=["b"]),
            record(3, dataset_id="spiral-1", notes="under_score", tags=[]),
            record(4, sweep_id="s2", notes="underscore", tags=[]),
            record(5, status="QUEUED", sweep_id="s2", notes="back\\slash", tags=[]),
        ]
    )
    return store


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (RunQuery(), ["r5", "r4", "r3", "r2", "r1"]),
        (RunQuery(status="COMPLETED"), ["r2", "r1"]),
        (RunQuery(status="COMPLETED", outcome="solved"), ["r1"]),
        (RunQuery(tag="b"), ["r2"]),
        (RunQuery(tag="a,b"), ["r1"]),
        (RunQuery(dataset_id="spiral-1"), ["r3"]),
        (RunQuery(sweep_id="s2"), ["r5", "r4"]),
        (RunQuery(created_after=2.0, created_before=4.0), ["r3"]),
        (RunQuery(text="r4"), ["r4"]),
        (RunQuery(text="50%"), ["r1"]),
        (RunQuery(text="r_s"), ["r3"]),
        (RunQuery(text="\\"), ["r5"]),
        (RunQuery(text="UNDER"), ["r4", "r3"]),
        (RunQuery(text="' OR 1"), []),
    ],
    ids=str,
)
def test_a_list_shows_what_matches(runs: RunStore, query: RunQuery, ids: list[str]) -> None:
    """All that is given must hold; a text stands for itself, whatever signs it has."""
    assert [run.id for run in runs.page(query).runs] == ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (RunQuery(ascending=True), ["r1", "r2", "r3", "r4", "r5"]),
        (RunQuery(sort_by="status"), ["r4", "r3", "r5", "r2", "r1"]),
        (RunQuery(sort_by="seed"), ["r5", "r4", "r3", "r2", "r1"]),
        (RunQuery(sort_by="dataset_id", ascending=True), ["r3", "r5", "r4", "r2", "r1"]),
        (RunQuery(sort_by="duration"), ["r2", "r1", "r5", "r4", "r3"]),
        (RunQuery(sort_by="train_loss", ascending=True), ["r4", "r1", "r5", "r3", "r2"]),
    ],
    ids=str,
)
def test_a_list_has_its_order(runs: RunStore, query: RunQuery, ids: list[str]) -> None:
    """Runs without a value come last in either direction, and of equals the newer first."""
    runs.update(record(1, status="COMPLETED", ended_at=3.0))
    runs.update(record(2, status="COMPLETED", ended_at=9.0))
    runs.add_metrics("r1", [("train_loss", 1, 0.1, 0.0), ("train_loss", 2, 0.3, 0.0)])
    runs.add_metrics("r4", [("train_loss", 1, 0.2, 0.0)])

    page = runs.page(query)

    assert [run.id for run in page.runs] == ids
    assert {run_id: last for run_id, last in page.metrics.items() if last} == {
        "r1": {"train_loss": 0.3},
        "r4": {"train_loss": 0.2},
    }


def test_a_page_tells_how_many_there_are_in_all(runs: RunStore) -> None:
    """Of those that match, whichever part of them is shown."""
    page = runs.page(RunQuery(limit=1, offset=1, sweep_id="s1"))
    assert ([run.id for run in page.runs], page.total) == (["r2"], 3)


def test_a_page_beyond_the_end_is_empty(runs: RunStore) -> None:
    """It still tells how many there are."""
    page = runs.page(RunQuery(offset=99))
    assert (page.runs, page.total) == ([], 5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 1_001),
        ("offset", -1),
        ("offset", 2**63),
        ("status", "DONE"),
        ("tag", ""),
        ("created_after", "nan"),
        ("text", "x" * 201),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_is_refused(field: str, value: object) -> None:
    """The field is named."""
    with pytest.raises(ValidationError) as refused:
        RunQuery.model_validate({field: value})
    assert [problem["loc"] for problem in refused.value.errors()] == [(field,)]
