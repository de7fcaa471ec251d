"""Metric rows of a run."""

import numpy as np

from juniper_cascor.runs.history import ROW, History, Rows, metric_row, points, rows_of, thinned


def rows(first: int, count: int) -> Rows:
    """Epochs from `first` on."""
    made = np.zeros(count, ROW)
    made["epoch"] = np.arange(first, first + count)
    made["train_loss"] = 1 / made["epoch"]
    made["val_loss"] = np.nan
    return made


def test_the_newest_rows_are_kept() -> None:
    """Beyond its limit a history forgets the oldest rows."""
    history = History(limit=3_000)
    for first in range(1, 10_001, 100):
        history.append(rows(first, 100))
    assert len(history) == 3_000
    assert history.newest(2)["epoch"].tolist() == [9_999, 10_000]
    assert history.newest(9_999)["epoch"][0] == 7_001


def test_more_rows_at_once_than_the_limit() -> None:
    """One report may be larger than all that is kept."""
    history = History(limit=10)
    history.append(rows(1, 5_000))
    assert history.newest(99)["epoch"].tolist() == list(range(4_991, 5_001))


def test_what_is_not_a_number_goes_out_as_none() -> None:
    """JSON has no NaN."""
    row = metric_row(rows(7, 1)[0])
    assert (row.epoch, row.val_loss, row.validation_loss) == (7, None, None)
    assert points(rows(1, 2)).val_loss == [None, None]
    assert row.train_loss == row.loss


def test_thinning_keeps_spikes_installs_and_the_last_row() -> None:
    """Of many rows those stay that a person would miss."""
    many = rows(1, 10_000)
    many["train_loss"][5_000] = 9.0
    many["hidden_units"][7_777:] = 1
    few = thinned(many, 100)
    assert len(few) <= 103
    assert {5_001, 7_777, 7_778, 10_000} <= set(few["epoch"].tolist())
    assert thinned(few, 200) is few


def test_what_a_snapshot_lacks_is_not_made_up() -> None:
    """A snapshot may have some columns of the metrics, or none."""
    (row,) = rows_of({"epoch": np.array([7]), "train_loss": np.array([0.5], np.float32)})
    assert (row["epoch"], row["train_loss"], row["hidden_units"]) == (7, 0.5, 0)
    assert np.isnan(row["val_loss"])
    assert len(rows_of({})) == 0
