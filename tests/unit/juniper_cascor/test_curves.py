"""The learning curves in a snapshot's metrics."""

import numpy as np
import pytest
from numpy.typing import NDArray

from juniper_cascor.curves import Curves, Metrics
from juniper_cascor.engine.training import Training

from .engine.data import FAST, noisy_points

METRICS: dict[str, NDArray[np.generic]] = {
    "phase": np.array([0, 0, 1, 1, 0, 1, 0, 0], np.uint8),
    "hidden_units": np.array([0, 0, 0, 0, 1, 1, 2, 2], np.int32),
    "train_loss": np.array([8, 7, 7, 7, 6, 6, 5, 4], np.float32),
    "train_accuracy": np.array([1, 2, 2, 2, 3, 3, 4, 5], np.float32),
    "val_loss": np.array([9, 8, 8, 8, 7, 7, 6, 5], np.float32),
    "val_accuracy": np.array([0, 1, 1, 1, 2, 2, 3, 4], np.float32),
}


def test_only_epochs_of_the_output_phases_count() -> None:
    """While candidates are trained the network does not change."""
    curves = Curves.of(METRICS)
    assert curves.loss.tolist() == [8, 7, 6, 5, 4]
    assert curves.accuracy.tolist() == [1, 2, 3, 4, 5]
    assert curves.val_loss.tolist() == [9, 8, 7, 6, 5]
    assert curves.val_accuracy.tolist() == [0, 1, 2, 3, 4]


def test_units_are_marked_where_they_began() -> None:
    """The first epoch with a unit is where its line stands."""
    assert Curves.of(METRICS).installed_at.tolist() == [2, 3]


def test_last_epoch_of_the_network_that_was_kept() -> None:
    """Where the units after the best are taken away again, the numbers of the best are the result's."""
    assert [Curves.of(METRICS).last_with(units) for units in (0, 1, 2)] == [1, 2, 4]


def test_held_out_patterns_are_told_from_none() -> None:
    """NaN in every row is no validation."""
    assert Curves.of(METRICS).has_validation
    assert not Curves.of(METRICS | {"val_loss": np.full(8, np.nan, np.float32)}).has_validation


def test_no_metrics_no_curves() -> None:
    """A file may have none."""
    curves = Curves.of({})
    assert (len(curves.loss), len(curves.installed_at), curves.has_validation) == (0, 0, False)


@pytest.mark.parametrize("missing", ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "hidden_units"])
def test_a_column_may_be_missing(missing: str) -> None:
    """The others are as long as they were."""
    curves = Curves.of({name: column for name, column in METRICS.items() if name != missing})
    assert [len(curve) for curve in (curves.loss, curves.accuracy, curves.val_loss, curves.val_accuracy)] == [5] * 4


def test_without_phases_no_curves() -> None:
    """Which epochs trained the network is not known."""
    curves = Curves.of({name: column for name, column in METRICS.items() if name != "phase"})
    assert (len(curves.loss), len(curves.installed_at)) == (0, 0)


def test_metrics_have_the_types_of_a_snapshot_s() -> None:
    """And chunks are put together in their order."""
    x, y = noisy_points(40)
    metrics, training = Metrics(), Training.start(x, y, FAST, seed=0)
    for _ in range(3):
        metrics.add(training.advance(4))
    columns = metrics.columns()
    assert columns["epoch"].tolist() == list(range(1, 13))
    assert [columns[name].dtype.str[1:] for name in ("epoch", "train_loss", "hidden_units", "phase")] == [
        "i8",
        "f4",
        "i4",
        "u1",
    ]
