"""Figures over time."""

import numpy as np
import pytest

from juniper_canopy.state.samples import MAX_COLUMNS, Samples


@pytest.fixture
def samples() -> Samples:
    """Five rows, two seconds apart."""
    return Samples(capacity=5, period_s=2.0)


def test_rows_come_back_in_their_order(samples: Samples) -> None:
    """With what was not measured as NaN, before a column's first value too."""
    samples.add(2, {"a": 1})
    samples.add(4, {"b": 2})

    rows = samples.since(0)

    assert rows.time.tolist() == [2, 4]
    np.testing.assert_array_equal(rows.columns["a"], [1, np.nan])
    np.testing.assert_array_equal(rows.columns["b"], [np.nan, 2])


def test_what_is_kept_has_a_bound(samples: Samples) -> None:
    """The newest rows stay, in their order."""
    for second in range(2, 100, 2):
        samples.add(second, {"a": second})

    assert len(samples) == 5
    assert samples.since(0).columns["a"].tolist() == [90, 92, 94, 96, 98]
    assert samples.newest == 98


def test_only_what_is_new_is_told(samples: Samples) -> None:
    """To whoever has the rest already."""
    for second in (2, 4, 6):
        samples.add(second, {"a": second})

    assert samples.since(4).time.tolist() == [6]
    assert samples.since(6).time.tolist() == []


def test_a_pause_is_no_line(samples: Samples) -> None:
    """Where nobody watched stands a row without values; a little delay is no pause."""
    samples.add(2, {"a": 1})
    samples.add(6, {"a": 2})
    samples.add(100, {"a": 3})

    rows = samples.since(0)

    assert rows.time.tolist() == [2, 6, 8, 100]
    np.testing.assert_array_equal(rows.columns["a"], [1, 2, np.nan, 3])


def test_a_clock_that_was_set_back_begins_anew(samples: Samples) -> None:
    """Times always rise."""
    samples.add(100, {"a": 1})
    samples.add(50, {"a": 2})

    rows = samples.since(0)

    assert rows.time.tolist() == [50]
    assert rows.columns["a"].tolist() == [2]


def test_there_are_so_many_columns_and_no_more(samples: Samples) -> None:
    """Whatever names a service tells."""
    for second in range(MAX_COLUMNS + 5):
        samples.add(2 + second, {f"gpu{second}": 1})

    assert len(samples.since(0).columns) == MAX_COLUMNS
