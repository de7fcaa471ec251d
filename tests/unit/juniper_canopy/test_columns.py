import numpy as np

from juniper_canopy.state.columns import MetricColumns
from juniper_common.wire.training import Points


def columns(count: int) -> MetricColumns:
    """Rising epochs with a flat loss."""
    made = MetricColumns.empty(count)
    made.epoch[:] = np.arange(1, count + 1)
    for name in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
        getattr(made, name)[:] = 0.5
    made.hidden_units[:] = 0
    made.timestamp[:] = 0
    return made


def test_missing_values_become_nan() -> None:
    """None on the wire, which says that a value is not defined, is NaN in a column."""
    points = Points(
        epoch=[1], train_loss=[0.2], train_accuracy=[0.5], val_loss=[None], val_accuracy=[None], hidden_units=[0]
    )

    made = MetricColumns.of_points(points, timestamp=1.0)

    assert np.isnan(made.val_loss[0])
    assert made.train_loss[0] == np.float32(0.2)


def test_few_rows_are_not_thinned() -> None:
    """What fits stays as it is."""
    few = columns(10)

    assert few.thinned(10) is few


def test_thinning_keeps_every_spike() -> None:
    """A single row that stands out, as where a unit is installed, survives any thinning."""
    many = columns(100_000)
    many.train_loss[54_321] = 9.0
    many.val_accuracy[12_345] = 0.01

    thin = many.thinned(1_000)

    assert len(thin) <= 1_000
    assert 54_322 in thin.epoch
    assert 12_346 in thin.epoch


def test_thinning_keeps_the_ends_and_the_order() -> None:
    """The first and the newest row stay, and epochs rise."""
    thin = columns(50_001).thinned(500)

    assert thin.epoch[0] == 1
    assert thin.epoch[-1] == 50_001
    assert (np.diff(thin.epoch.astype(np.int64)) > 0).all()


def test_thinning_bears_undefined_values() -> None:
    """A run without validation data thins as any other."""
    many = columns(10_000)
    many.val_loss[:] = np.nan

    assert len(many.thinned(100)) <= 100
