"""A dataset's arrays: labelled points, shuffled and split, as they are written to the artifact."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from juniper_common.wire.errors import FieldProblem
from juniper_data.errors import InvalidParametersError
from juniper_data.generators.base import GeneratorParameters, LabelledPoints

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Split:
    """Some samples and their one-hot targets."""

    X: FloatArray  # [samples, features]
    y: FloatArray  # [samples, classes]

    def __len__(self) -> int:
        return len(self.X)

    def class_counts(self) -> NDArray[np.int64]:
        """How many samples each class has."""
        counts: NDArray[np.int64] = np.count_nonzero(self.y, axis=0)
        return counts


@dataclass(frozen=True, slots=True)
class DatasetArrays:
    """Every split of a dataset. Without a validation share, `val` is empty and is not written."""

    full: Split
    train: Split
    test: Split
    val: Split

    def by_name(self) -> Mapping[str, FloatArray]:
        """The arrays under the names that they have in the artifact."""
        splits = {"train": self.train, "test": self.test, "full": self.full}
        if len(self.val):
            splits["val"] = self.val
        return {f"{letter}_{name}": getattr(split, letter) for name, split in splits.items() for letter in "Xy"}


def arrange(points: LabelledPoints, parameters: GeneratorParameters, rng: np.random.Generator) -> DatasetArrays:
    """Shuffle, then cut into train, test and validation in this order.

    Raises:
        InvalidParametersError: the shares leave nothing to train on.
    """
    n = len(points.X)
    X, labels = points.X.astype(np.float32, order="C", copy=False), points.labels
    if parameters.shuffle:
        order = rng.permutation(n)
        # take: many times as fast as indexing by `order`.
        X, labels = X.take(order, axis=0), labels.take(order)
    y = np.zeros((n, points.n_classes), np.float32)
    y[np.arange(n), labels] = 1

    ends = split_ends(n, parameters)
    train, test, val = (Split(X[start:end], y[start:end]) for start, end in zip([0, *ends[:2]], ends, strict=True))
    return DatasetArrays(full=Split(X, y), train=train, test=test, val=val)


def split_ends(n: int, parameters: GeneratorParameters) -> list[int]:
    """Where train, test and validation end among `n` samples.

    The cuts are at the rounded running sums of the shares: shares that add up to 1 leave no sample out.

    Raises:
        InvalidParametersError: the shares leave nothing to train on.
    """
    shares = np.cumsum([parameters.train_ratio, parameters.test_ratio, parameters.val_ratio])
    # min: three shares of 1/3 may add up to a hair more than 1.
    ends = [min(n, round(n * share)) for share in shares.tolist()]
    if ends[0] == 0:
        message = f"{parameters.train_ratio:g} of {n} samples leaves none to train on"
        raise InvalidParametersError((FieldProblem(loc=["params", "train_ratio"], msg=message),))
    return ends
