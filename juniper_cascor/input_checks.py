"""Patterns and labels as people hand them over: what cannot be trained on is refused, and its row and column named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from juniper_cascor.engine.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_LARGEST = float(np.finfo(np.float32).max)


def check_finite(values: NDArray[Any], array: str, columns: Sequence[str] | None = None) -> None:
    """Refuse what the engine's float32 does not hold, in numbers [n] or [n, columns].

    Raises:
        DataError: naming the first wrong value's row and column, the column by its name too where it has one.
    """
    matrix = values.reshape(len(values), -1)
    is_wrong = ~(np.abs(matrix) <= _LARGEST)  # NaN is not less than anything
    if not is_wrong.any():
        return
    row, column = (int(i) for i in np.argwhere(is_wrong)[0])
    value = matrix[row, column]
    where = "" if columns is None else f" in {columns[column]!r}"
    said = "NaN" if np.isnan(value) else f"{value:g}"
    what = "is beyond single precision" if np.isfinite(value) else "is not a finite number"
    raise DataError(array, f"{said}{where} {what}", row=row, column=column if values.ndim > 1 else None)


def check_no_dates(values: ArrayLike, array: str) -> None:
    """Refuse dates and time spans, which NumPy would turn into numbers of whatever unit they have.

    Raises:
        DataError: naming their type, and their column where a data frame has it.
    """
    own = [(None, getattr(np.asarray(values[:1]) if isinstance(values, list) else values, "dtype", None))]
    of_columns = getattr(getattr(values, "dtypes", None), "items", lambda: own)
    for name, dtype in of_columns():
        if getattr(dtype, "kind", None) in ("M", "m"):
            where = "" if name is None else f" in {name!r}"
            raise DataError(array, f"{dtype}{where} is not a number")


def first_word(values: ArrayLike, array: str) -> DataError | None:
    """The error that names the first value that is a word where a number should be; None where there is none."""
    cells = np.asarray(values, dtype=object)
    for row, numbers in enumerate(cells.reshape(len(cells), -1) if cells.size else ()):
        for column, value in enumerate(numbers):
            try:
                float(value)
            except ValueError:
                place = column if cells.ndim > 1 else None
                return DataError(array, f"{str(value)!r} is not a number", row=row, column=place)
            except TypeError:  # not even a word: numpy's own error says it best
                return None
    return None


def as_labels(given: NDArray[Any], array: str) -> NDArray[Any]:
    """Labels of one type that can be sorted; objects of Python's own types as numpy's.

    Raises:
        DataError: naming the first row whose label is missing, or of another type than those before it.
    """
    if given.dtype.kind == "f":
        check_finite(given, array)
    if given.dtype != object:
        return given
    for row, label in enumerate(given):
        if label is None or (isinstance(label, float) and not np.isfinite(label)):
            raise DataError(array, f"{label} is no label", row=row)
        if type(label) is not type(given[0]):
            kinds = f"{type(label).__name__}, the labels before it are {type(given[0]).__name__}"
            raise DataError(array, f"{label!r} is {kinds}", row=row)
    return given if isinstance(given[0], str) else np.array(given.tolist())


def codes_of(labels: NDArray[Any], classes: NDArray[Any], array: str) -> NDArray[np.int64]:
    """The place of each label among the sorted classes.

    Raises:
        DataError: naming the first row whose label is none of them.
    """
    is_known = np.isin(labels, classes)
    if not is_known.all():
        row = int(np.argmin(is_known))
        raise DataError(array, f"{str(labels[row])!r} is no class of the patterns trained on", row=row)
    return np.searchsorted(classes, labels)


def as_targets(codes: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Class indices as the engine takes them: one column of 0 and 1 for two classes, else one-hot."""
    if n_classes == 2:
        return codes[:, np.newaxis].astype(np.float32)
    return np.eye(n_classes, dtype=np.float32)[codes]
