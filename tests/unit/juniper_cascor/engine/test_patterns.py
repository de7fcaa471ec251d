"""Patterns that cannot be trained on are refused, and the place is named."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from juniper_cascor.engine.errors import DataError
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training

X = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]
Y = [[1, 0], [0, 1], [1, 0]]


def refusal(x: ArrayLike, y: ArrayLike, x_val: ArrayLike | None = None, y_val: ArrayLike | None = None) -> DataError:
    """What starting a training on these says."""
    with pytest.raises(DataError) as caught:
        Training.start(x, y, Parameters(), seed=0, x_val=x_val, y_val=y_val)
    return caught.value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_value_that_is_not_finite(value: float) -> None:
    """NaN and infinity are named by row and column; a double too large for float32 counts as infinite."""
    error = refusal(np.array([[0, 1], [1, value], [2, 2]]), Y)
    assert (error.array, error.row, error.column) == ("x", 1, 1)
    assert "x row 1, column 1" in str(error)


def test_nan_in_the_targets() -> None:
    """The targets are checked as the inputs are."""
    error = refusal(X, np.array([[1, 0], [0, 1], [np.nan, 0]]))
    assert (error.array, error.row, error.column) == ("y", 2, 0)


def test_nan_in_validation() -> None:
    """So are the validation patterns, and the message says which array."""
    error = refusal(X, Y, np.array([[0, 1], [np.nan, 1]]), Y[:2])
    assert (error.array, error.row, error.column) == ("x_val", 1, 0)


@pytest.mark.parametrize("y", [[[1, 0], [1, 0], [1, 0]], [[1], [1], [1]]])
def test_one_class_only(y: list[list[int]]) -> None:
    """Labels of a single class are refused."""
    assert "one class only" in str(refusal(X, y))


def test_validation_of_one_class_is_fine() -> None:
    """Validation patterns may all be of one class: they are only watched."""
    Training.start(X, Y, Parameters(), seed=0, x_val=X[:1], y_val=Y[:1])


@pytest.mark.parametrize(
    ("y", "row"), [([[1, 0], [1, 1], [0, 1]], 1), ([[1, 0], [0, 1], [0, 0]], 2)], ids=["two classes", "no class"]
)
def test_targets_that_are_not_one_hot(y: list[list[int]], row: int) -> None:
    """A pattern of two classes or of none is named."""
    error = refusal(X, y)
    assert (error.array, error.row, error.column) == ("y", row, None)
    assert "not one-hot" in str(error)


def test_targets_that_are_neither_0_nor_1() -> None:
    """A class column holds 0 and 1 alone; whoever has numbers to predict is told how."""
    error = refusal(X, [[0], [1], [2]])
    assert (error.row, error.column) == (2, 0)
    assert "task = regression predicts numbers" in str(error)


@pytest.mark.parametrize("empty", [np.zeros((0, 2)), np.zeros((3, 0))])
def test_empty(empty: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """Nothing to train on is said to be nothing."""
    assert "empty" in str(refusal(empty, Y))


@pytest.mark.parametrize("x", [[0.0, 1.0, 2.0], 3.0, [[[0.0]]]])
def test_wrong_dimensions(x: ArrayLike) -> None:
    """Arrays have rows and columns."""
    assert "two dimensions" in str(refusal(x, Y))


def test_words_are_no_numbers() -> None:
    """What is no number is refused as such."""
    assert "not a matrix of numbers" in str(refusal([["a", "b"]], Y))


def test_ragged_rows() -> None:
    """Rows of different length are no matrix."""
    assert "not a matrix of numbers" in str(refusal([[0.0, 1.0], [1.0]], Y))


def test_different_numbers_of_rows() -> None:
    """Inputs and targets have as many rows."""
    assert "has 2 rows, but x has 3" in str(refusal(X, Y[:2]))


def test_validation_of_another_shape() -> None:
    """Validation patterns have the columns of the training patterns."""
    assert "x_val: has 1 columns, but x has 2" in str(refusal(X, Y, [[1.0]], [[1, 0]]))
    assert "y_val: has 1 columns, but y has 2" in str(refusal(X, Y, [[1.0, 2.0]], [[1]]))


def test_half_a_validation_set() -> None:
    """Validation inputs need their targets, and the other way round."""
    assert "y_val: is missing" in str(refusal(X, Y, X))
    assert "x_val: is missing" in str(refusal(X, Y, None, Y))
