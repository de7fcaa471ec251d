"""Metric points in the run store."""

import math
from collections.abc import Iterator

import pytest

from juniper_cascor.runs.metric_points import MetricPoint
from juniper_cascor.runs.store import RunStore
from juniper_common.wire.runs import Series

from .records import record


def curve(name: str, steps: range) -> Iterator[MetricPoint]:
    """A point for each step."""
    return ((name, step, 1 / step, float(step)) for step in steps)


def series(*steps: int) -> Series:
    """What is read of such points."""
    return Series(step=list(steps), value=[1 / step for step in steps], time=[float(step) for step in steps])


@pytest.fixture
def recorded(store: RunStore) -> RunStore:
    """Two runs with points."""
    store.add([record(1), record(2)])
    store.add_metrics("r1", curve("train_loss", range(1, 11)))
    store.add_metrics("r1", curve("score", range(4, 6)))
    store.add_metrics("r2", curve("val_loss", range(1, 3)))
    return store


def test_all_metrics_of_a_run_are_read(recorded: RunStore) -> None:
    """Those that it has points of, and no other run's."""
    found = recorded.metrics("r1", None, after=-1, limit=100)
    assert found.run_id == "r1"
    assert found.series == {"score": series(4, 5), "train_loss": series(*range(1, 11))}


def test_the_first_points_after_a_step_are_read(recorded: RunStore) -> None:
    """So that whoever follows a run asks for what is new alone."""
    assert recorded.metrics("r1", ["train_loss"], after=3, limit=2).series == {"train_loss": series(4, 5)}


def test_a_named_metric_without_points_is_empty(recorded: RunStore) -> None:
    """Also one that no run ever had."""
    found = recorded.metrics("r1", ["val_loss", "beauty"], after=-1, limit=9).series
    assert found == {"val_loss": series(), "beauty": series()}


def test_points_are_never_changed(recorded: RunStore) -> None:
    """A resumed run trains some epochs again: their points stay, and those after them are appended."""
    recorded.add_metrics("r1", [("score", 5, 99.0, 99.0), ("score", 6, 1 / 6, 6.0), ("score", 6, 99.0, 99.0)])
    assert recorded.metrics("r1", ["score"], after=-1, limit=9).series == {"score": series(4, 5, 6)}


def test_what_is_not_finite_is_left_out(recorded: RunStore) -> None:
    """JSON has no NaN."""
    recorded.add_metrics("r2", [("score", 1, math.nan, 1.0), ("score", 2, -math.inf, 1.0), ("score", 3, 1 / 3, 3.0)])
    assert recorded.metrics("r2", ["score"], after=-1, limit=9).series == {"score": series(3)}


def test_points_of_a_deleted_run_are_let_go(recorded: RunStore) -> None:
    """The trainer may report a little longer."""
    recorded.delete("r1")
    recorded.add_metrics("r1", curve("train_loss", range(1, 3)))
    assert recorded.metrics("r1", None, after=-1, limit=9).series == {}


def test_a_comparison_shows_whole_curves(recorded: RunStore) -> None:
    """As so many points, from the first to the last, by metric and run."""
    compared = recorded.compare(["r2", "gone", "r1"], ["train_loss"], limit=4)
    assert [run.id for run in compared.runs] == ["r2", "r1"]
    assert compared.metrics == {"train_loss": {"r2": series(), "r1": series(1, 4, 7, 10)}}


@pytest.mark.parametrize("limit", range(2, 11))
def test_a_curve_is_never_longer_than_asked_for(recorded: RunStore, limit: int) -> None:
    """Nor shorter, where it has so many points; both ends are there."""
    steps = recorded.compare(["r1", "r2"], ["train_loss"], limit).metrics["train_loss"]["r1"].step
    assert (len(steps), steps[0], steps[-1]) == (limit, 1, 10)


def test_a_comparison_shows_every_metric_that_one_of_the_runs_has(recorded: RunStore) -> None:
    """And none that is another run's alone."""
    recorded.add([record(3)])
    assert sorted(recorded.compare(["r1", "r3"], None, limit=9).metrics) == ["score", "train_loss"]
