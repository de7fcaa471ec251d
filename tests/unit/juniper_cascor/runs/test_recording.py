"""Which rows of a run are recorded."""

import numpy as np
import pytest

from juniper_cascor.runs import recording
from juniper_cascor.runs.history import ROW, Rows

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
    """Up to the 4096th."""
    assert epochs(recording.chosen(rows(1, 4_097), NONE)) == list(range(1, 4_097))


@pytest.mark.parametrize(
    ("first", "stop", "expected"),
    [
        (4_095, 4_103, [4_095, 4_096, 4_098, 4_100, 4_102]),
        (8_189, 8_201, [8_190, 8_192, 8_196, 8_200]),
        (16_380, 16_401, [16_380, 16_384, 16_392, 16_400]),
        (2**40 + 1, 2**40 + 9, []),
    ],
)
def test_later_ones_are_recorded_more_rarely(first: int, stop: int, expected: list[int]) -> None:
    """Half as often in each octave."""
    assert epochs(recording.chosen(rows(first, stop), NONE)) == expected


def test_both_sides_of_an_install_are_recorded() -> None:
    """The last row before it and the first after it, wherever they fall."""
    assert epochs(recording.chosen(rows(8_193, 8_200, 8_198), NONE)) == [8_196, 8_197, 8_198]


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
