"""Patterns as a back end wants them: checked, standardised, feature-major and padded."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from juniper_cascor.engine.errors import DataError, ParameterError
from juniper_cascor.engine.network import standardised

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.parameters import Task

PADDING = 16  # patterns are padded to a multiple of this: one AVX-512 vector of float32
_SPARE_ROWS = 64  # for units to come; memory that is not written to takes no room
_BLOCK = 64  # columns that are brought to double precision at once


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """How values are brought to mean 0 and standard deviation 1, column by column."""

    mean: NDArray[np.floating[Any]]
    scale: NDArray[np.floating[Any]]

    @classmethod
    def of(cls, values: NDArray[np.floating[Any]]) -> Scaling:
        """The scaling of these rows; a constant column is centred, and its rounding errors stay small."""
        mean = values.mean(axis=0, dtype=np.float64)
        blocks = _column_blocks(values.shape[1])
        deviation = np.concatenate([values[:, block].std(axis=0, dtype=np.float64) for block in blocks])
        # Values that differ by their type's rounding alone are one value.
        constant = deviation <= 16 * np.finfo(values.dtype).eps * np.abs(mean)
        mean = np.where(constant, values[0] if len(values) else mean, mean)  # so that what is left is 0, not rounding
        scale = np.where(constant, np.maximum(np.abs(mean), 1.0), deviation)
        return cls(mean, np.maximum(scale, np.finfo(np.float64).tiny))

    @classmethod
    def none(cls, n_columns: int) -> Scaling:
        """The scaling that changes nothing."""
        return cls(np.zeros(n_columns), np.ones(n_columns))


@dataclass(slots=True, eq=False)
class Patterns:
    """The padding is zero everywhere, in the bias row too, so that sums over patterns need no mask."""

    features: NDArray[np.float32]  # [n_features and more, ld], bias row first, then inputs, then installed units
    n_features: int
    targets: NDArray[np.float32]  # [outputs, ld], ±0.5 for classification, standardised for regression
    labels: NDArray[np.int32]  # [ld], class index; −1 in the padding and for regression
    importances: NDArray[np.float32]  # [ld], what a squared error counts; 0 in the padding
    n: int  # patterns without the padding

    @classmethod
    def of(
        cls,
        x: NDArray[np.floating[Any]],
        y: NDArray[np.floating[Any]],
        task: Task,
        inputs: Scaling,
        targets: Scaling,
        class_weights: NDArray[np.float64] | None = None,
    ) -> Patterns:
        """Lay out checked rows."""
        n = len(x)
        ld = (-(-n // PADDING) | 1) * PADDING  # odd: rows a power of two apart would share their places in the cache
        importances = aligned_zeros(1, ld)[0]
        importances[:n] = 1 if class_weights is None else class_weights[class_indices(y)]
        n_features = 1 + x.shape[1]
        features = aligned_zeros(n_features + _SPARE_ROWS, ld)
        features[0, :n] = 1
        for block in _column_blocks(x.shape[1]):
            own = standardised(x[:, block], inputs.mean[block], inputs.scale[block])
            features[1 + block.start : 1 + block.stop, :n] = own.T
        padded_targets = aligned_zeros(y.shape[1], ld)
        labels = np.full(ld, -1, np.int32)
        if task == "classification":
            padded_targets[:, :n] = y.T - np.float32(0.5)
            labels[:n] = class_indices(y)
        else:
            padded_targets[:, :n] = standardised(y, targets.mean, targets.scale).T
        return cls(features, n_features, padded_targets, labels, importances, n)

    @property
    def own_features(self) -> NDArray[np.float32]:
        """The features there are: [n_features, ld]."""
        return self.features[: self.n_features]

    def add_row(self) -> NDArray[np.float32]:
        """The row of a new feature, which is to be filled: [ld]."""
        if self.n_features == len(self.features):
            grown = aligned_zeros(self.n_features + max(_SPARE_ROWS, self.n_features // 2), self.features.shape[1])
            grown[: self.n_features] = self.features
            self.features = grown
        self.n_features += 1
        row: NDArray[np.float32] = self.features[self.n_features - 1]
        return row


def aligned_zeros(n_rows: int, ld: int) -> NDArray[np.float32]:
    """Rows that begin where a cache line does, if ld is a multiple of PADDING: float32[n_rows, ld].

    A vector that straddles two lines costs a quarter of the speed.
    """
    size = 4 * n_rows * ld
    memory = np.zeros(size + 63, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size].view(np.float32).reshape(n_rows, ld)


def _column_blocks(n_columns: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, n_columns)) for start in range(0, n_columns, _BLOCK)]


def class_indices(y: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """The class of each row of targets, one-hot or one column of 0 and 1: int64[n]."""
    return y[:, 0].astype(np.int64) if y.shape[1] == 1 else y.argmax(axis=1)


def weights_of_classes(
    y: NDArray[np.floating[Any]], wanted: tuple[float, ...] | Literal["balanced"] | None
) -> NDArray[np.float64] | None:
    """What an error in each class counts, at mean 1 over the rows; None where all count alike.

    Balanced weights are n / (classes · patterns of the class) (King & Zeng 2001); a class without a pattern has none.

    Raises:
        ParameterError: there are not as many weights as classes.
    """
    if wanted is None:
        return None
    indices = class_indices(y)
    n_classes = max(2, y.shape[1])
    counts = np.bincount(indices, minlength=n_classes)
    if wanted == "balanced":
        weights = np.where(counts > 0, 1.0 / np.maximum(counts, 1), 0.0)
    else:
        weights = np.array(wanted, np.float64)
        if len(weights) != n_classes:
            raise ParameterError("class_weights", f"there are {n_classes} classes, but {len(weights)} weights")
    return cast("NDArray[np.float64]", weights * len(y) / weights[indices].sum())


def checked(
    x: ArrayLike, y: ArrayLike, task: Task, *, suffix: str = ""
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """Take x and y as matrices of floats, if they can be trained on; float32 stays float32, others become float64.

    Raises:
        DataError: naming the array, and the row and column where one value is to blame.
    """
    inputs, targets = _as_matrix(x, "x" + suffix), _as_matrix(y, "y" + suffix)
    if len(inputs) != len(targets):
        raise DataError("y" + suffix, f"has {len(targets)} rows, but x{suffix} has {len(inputs)}")
    if task == "classification":
        _check_classes(targets, "y" + suffix)
    return inputs, targets


def check_several_classes(y: NDArray[np.floating[Any]]) -> None:
    """Refuse training targets that hold one class only: there is nothing to tell apart.

    Raises:
        DataError: naming the class.
    """
    labels = class_indices(y)
    if (labels == labels[0]).all():
        raise DataError("y", f"holds one class only: class {int(labels[0])} in all {len(y)} rows")


def checksum(*arrays: NDArray[np.float32]) -> int:
    """CRC-32 of the arrays' bytes, to notice that a state is taken up with other data."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, crc)
    return crc


def _as_matrix(values: ArrayLike, name: str) -> NDArray[np.floating[Any]]:
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":
            raise TypeError(f"its type is {given.dtype}")
        kind = np.float32 if given.dtype == np.float32 else np.float64
        matrix: NDArray[np.floating[Any]] = np.ascontiguousarray(given, kind)
    except (TypeError, ValueError) as error:
        raise DataError(name, f"is not a matrix of numbers: {error}") from error
    if given.ndim != 2:
        raise DataError(name, f"must have two dimensions, [patterns, columns], not shape {given.shape}")
    if matrix.size == 0:
        raise DataError(name, f"is empty: shape {matrix.shape}")
    # What float32 does not hold would overflow where squares are summed.
    largest = np.finfo(np.float32).max
    if not (matrix.min() >= -largest and matrix.max() <= largest):
        row, column = (int(i) for i in np.argwhere(~(np.abs(matrix) <= largest))[0])
        raise DataError(name, f"{matrix[row, column]} is not a finite number of float32", row=row, column=column)
    return matrix


def _check_classes(y: NDArray[np.floating[Any]], name: str) -> None:
    neither = (y != 0) & (y != 1)
    if neither.any():
        row, column = (int(i) for i in np.argwhere(neither)[0])
        message = f"{y[row, column]} is neither 0 nor 1; task = regression predicts numbers"
        raise DataError(name, message, row=row, column=column)
    if y.shape[1] > 1:
        not_one_hot = y.sum(axis=1) != 1
        if not_one_hot.any():
            row = int(not_one_hot.argmax())
            raise DataError(name, f"is not one-hot: {int(y[row].sum())} columns are 1", row=row)
