"""Which rows of a run are recorded."""

import numpy as np
import pytest

from juniper_cascor.runs import recording
from juniper_cascor.runs.history import ROW, Rows
from juniper_cascor.runs.recording import Curve
from juniper_cascor.snapshots import METRICS

NONE: Rows = np.empty(0, ROW)


def rows(first: int, stop: int, *installs: int) -> Rows:
    """The epochs of a report; from each install on there is one more hidden unit."""
    made = np.zeros(stop - first, ROW)
    made["epoch"] = np.arange(first, stop)
    made["hidden_units"] = np.searchsorted(np.array(installs), made["epoch"], side="right")
    return made


def epochs(chosen: Rows) -> list[int]:
    """Of which epochs they are."""
    return sorted(set(chosen["epoch"].tolist()))


def chosen_in_reports(whole: Rows, length: int) -> list[int]:
    """What is recorded of a run that is reported so many rows at a time."""
    found: set[int] = set()
    for start in range(0, len(whole), length):
        report, previous = whole[start : start + length], whole[:start]
        found |= set(epochs(recording.chosen(report, previous)))
    return sorted(found)


def test_every_epoch_is_recorded_at_first() -> None:
    """Up to the 2048th."""
    assert epochs(recording.chosen(rows(1, 2_049), NONE)) == list(range(1, 2_049))


@pytest.mark.parametrize(
    ("first", "stop", "expected"),
    [
        (2_047, 2_055, [2_047, 2_048, 2_050, 2_052, 2_054]),
        (4_093, 4_105, [4_094, 4_096, 4_100, 4_104]),
        (8_188, 8_209, [8_188, 8_192, 8_200, 8_208]),
        (2**40 + 1, 2**40 + 9, []),
    ],
)
def test_later_ones_are_recorded_more_rarely(first: int, stop: int, expected: list[int]) -> None:
    """Half as often in each octave."""
    assert epochs(recording.chosen(rows(first, stop), NONE)) == expected


def test_both_sides_of_an_install_are_recorded() -> None:
    """The last row before it and the first after it, wherever they fall."""
    assert epochs(recording.chosen(rows(4_097, 4_104, 4_102), NONE)) == [4_100, 4_101, 4_102]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 1_000])
def test_it_does_not_matter_how_rows_are_reported(length: int) -> None:
    """A resumed run has other reports, and records the same rows."""
    whole = rows(4_000, 9_000, 4_100, 8_201, 8_202, 8_400)
    assert chosen_in_reports(whole, length) == epochs(recording.chosen(whole, NONE))


def test_nothing_is_recorded_of_an_empty_report() -> None:
    """Whatever came before it."""
    assert not len(recording.chosen(NONE, NONE))
    assert not len(recording.chosen(NONE, rows(1, 9)))


def test_rows_become_points() -> None:
    """One for each metric that has a finite value, at its epoch and time."""
    row = rows(7, 8, 3)
    row["train_loss"], row["val_loss"], row["val_accuracy"], row["score"] = 0.5, np.inf, np.nan, np.nan
    row["train_accuracy"], row["learning_rate"], row["time"] = 1.0, 0.25, 1_000.5
    assert list(recording.points(row)) == [
        ("train_loss", 7, 0.5, 1_000.5),
        ("train_accuracy", 7, 1.0, 1_000.5),
        ("hidden_units", 7, 1.0, 1_000.5),
        ("learning_rate", 7, 0.25, 1_000.5),
    ]


def test_points_are_plain_numbers() -> None:
    """As SQLite takes them."""
    assert {tuple(map(type, point)) for point in recording.points(rows(1, 3))} == {(str, int, float, float)}


@pytest.mark.parametrize("broken_at", [1, 2_048, 3_001, 3_002, 5_000])
def test_a_curve_is_what_is_recorded_and_the_last_row(broken_at: int) -> None:
    """However often the run is reported, and wherever it is taken up again from its snapshot."""
    whole = rows(1, 6_000, 3_002, 5_001)
    curve = Curve()
    curve.append(whole[:broken_at])
    resumed = Curve(curve.columns())
    for start in range(broken_at, len(whole), 37):
        resumed.append(whole[start : start + 37])
    expected = sorted({*epochs(recording.chosen(whole, NONE)), 5_999})
    assert resumed.columns()["epoch"].tolist() == expected
    assert resumed.after(5_990)["epoch"].tolist() == [epoch for epoch in expected if epoch > 5_990]
    assert set(resumed.columns()) == set(METRICS)


def test_a_curve_begins_empty() -> None:
    """A snapshot before the first epoch has no metrics."""
    assert len(Curve().columns()["epoch"]) == 0
    assert len(Curve(Curve().columns()).after(0)) == 0
