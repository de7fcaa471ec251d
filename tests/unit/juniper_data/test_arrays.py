import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from juniper_data.arrays import DatasetArrays, arrange
from juniper_data.errors import InvalidParametersError
from juniper_data.generators import GeneratorParameters, LabelledPoints


def _points(n: int) -> LabelledPoints:
    return LabelledPoints(X=np.arange(n, dtype=float)[:, None], labels=np.arange(n) % 3, n_classes=3)


def _arranged(n: int, **parameters: object) -> DatasetArrays:
    return arrange(_points(n), GeneratorParameters.model_validate(parameters), np.random.default_rng(0))


def test_demo_set_splits_into_320_and_80() -> None:
    """Four hundred points at .8 and .2 are 320 to train on and 80 to test on."""
    arrays = _arranged(400)
    assert (len(arrays.train), len(arrays.test), len(arrays.val)) == (320, 80, 0)


@given(n=st.integers(2, 500), train=st.floats(0.5, 0.9), part=st.floats(0, 1))
def test_shares_that_add_up_to_one_lose_no_sample(n: int, train: float, part: float) -> None:
    """Train, test and validation together are the whole set, each sample once."""
    test = (1 - train) * part
    val = max(0.0, 1 - train - test)
    arrays = _arranged(n, train_ratio=train, test_ratio=test, val_ratio=val)
    parts = np.concatenate([arrays.train.X, arrays.test.X, arrays.val.X])
    assert sorted(parts[:, 0].tolist()) == list(range(n))


@given(n=st.integers(1, 300), train=st.floats(0.01, 1), test=st.floats(0, 0.99))
def test_splits_are_disjoint_and_near_their_shares(n: int, train: float, test: float) -> None:
    """No sample is in two splits, and a split is at most one sample off its share."""
    assume(train + test <= 1 and round(n * train) > 0)
    arrays = _arranged(n, train_ratio=train, test_ratio=test)
    assert not set(arrays.train.X[:, 0]) & set(arrays.test.X[:, 0])
    assert abs(len(arrays.train) - n * train) <= 1
    assert abs(len(arrays.test) - n * test) <= 1


def test_targets_are_one_hot_and_stay_with_their_samples() -> None:
    """Each row of y has a single 1, at the class of its sample, and everything is float32."""
    full = _arranged(30).full
    assert {full.X.dtype, full.y.dtype} == {np.dtype(np.float32)}
    assert np.array_equal(full.y.argmax(axis=1), full.X[:, 0] % 3)
    assert (full.y.sum(axis=1) == 1).all()


def test_many_classes_take_no_more_than_their_targets() -> None:
    """A class for each sample, and more classes than samples, are still one 1 a row."""
    points = LabelledPoints(X=np.ones((3, 1)), labels=np.array([0, 500_000, 999_999]), n_classes=1_000_000)
    y = arrange(points, GeneratorParameters(shuffle=False), np.random.default_rng(0)).full.y
    assert np.argwhere(y).tolist() == [[0, 0], [1, 500_000], [2, 999_999]]


def test_without_shuffle_the_order_stays() -> None:
    """Shuffle off leaves the samples as they were made."""
    assert _arranged(10, shuffle=False).full.X[:, 0].tolist() == list(range(10))


def test_validation_arrays_are_there_only_where_asked() -> None:
    """X_val and y_val are in the artifact just when a share was asked for."""
    assert list(_arranged(10).by_name()) == ["X_train", "y_train", "X_test", "y_test", "X_full", "y_full"]
    assert list(_arranged(10, test_ratio=0.1, val_ratio=0.1).by_name())[-2:] == ["X_val", "y_val"]


def test_nothing_to_train_on_is_an_error() -> None:
    """A share too small for one sample is refused by name."""
    with pytest.raises(InvalidParametersError) as refused:
        _arranged(10, train_ratio=0.01)
    assert refused.value.problems[0].loc == ["params", "train_ratio"]


def test_more_than_the_whole_is_an_error() -> None:
    """Shares that add up to more than one are refused."""
    with pytest.raises(ValueError, match="at most 1"):
        GeneratorParameters(train_ratio=0.9)
