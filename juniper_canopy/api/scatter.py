"""Samples laid on a plane: two of their features, or their first two principal components."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from juniper_common.errors import BadRequestError
from juniper_common.wire.datasets import TaskType

Matrix = NDArray[np.float64]
FeatureIndex = Annotated[int, Field(ge=0, le=10_000_000)]


class Axes(BaseModel):
    """What the plane is of."""

    model_config = ConfigDict(extra="forbid")

    axes: Literal["features", "principal"] = "features"
    x: FeatureIndex = 0
    y: FeatureIndex | None = Field(default=None, description="null: the second feature; of a single one, the target.")


class Scatter(BaseModel):
    """Points of the plane, with their class or the value to predict."""

    titles: tuple[str, str] = Field(description="Of the two axes.")
    x: list[float]
    y: list[float]
    classes: list[int] | None = Field(description="Null for a regression.")
    values: list[float] | None = Field(description="To predict; null for classes.")
    feature_names: list[str] = Field(description="Of every feature, made up where they have none.")
    shown: int
    total: int = Field(description="Samples of the whole set.")


def scatter(
    X_sample: Sequence[Sequence[float]],
    y_sample: Sequence[Sequence[float]],
    axes: Axes,
    *,
    total: int,
    task_type: TaskType,
    feature_names: Sequence[str] | None,
) -> Scatter:
    """The plane of some samples. Raises BadRequestError where they have no such axes."""
    X = np.asarray(X_sample, np.float64)  # [samples, features]
    y = np.asarray(y_sample, np.float64)  # [samples, outputs]
    names = list(feature_names or (f"x{index + 1}" for index in range(X.shape[1])))
    is_regression = task_type == "regression"
    targets = y[:, 0] if is_regression else y.argmax(axis=1).astype(np.float64)
    if axes.axes == "principal":
        titles, plane = _principal(X)
    else:
        titles, plane = _of_features(X, targets, names, axes)
    return Scatter(
        titles=titles,
        x=_short(plane[:, 0]),
        y=_short(plane[:, 1]),
        classes=None if is_regression else [int(target) for target in targets],
        values=_short(targets) if is_regression else None,
        feature_names=names,
        shown=len(X),
        total=total,
    )


def principal_components(X: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """Samples [n, features ≥ 2] on their first two principal components [n, 2], and the variance that each explains.

    By the singular value decomposition of the centred samples (Jolliffe 2002, section 3.5). Of the two directions of
    each component the one is taken along which its largest weight is positive: a set always looks the same.
    """
    centred = X - X.mean(axis=0)
    # Over the scale: the squares of large numbers would be infinite.
    scale = float(np.abs(centred).max()) or 1.0
    _, singular, directions = np.linalg.svd(centred / scale, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    signs = np.where(directions[np.arange(len(directions)), largest] < 0, -1, 1)
    if len(directions) < 2:  # a single sample
        return np.zeros((len(X), 2)), (0.0, 0.0)
    plane = centred @ (directions[:2] * signs[:2, np.newaxis]).T
    variance = singular**2
    first, second = (variance[:2] / (variance.sum() or 1.0)).tolist()
    return plane, (first, second)


def _principal(X: Matrix) -> tuple[tuple[str, str], Matrix]:
    if X.shape[1] < 2:
        raise BadRequestError("A set of one feature has no two principal components.")
    plane, (first, second) = principal_components(X)
    return (_component(1, first), _component(2, second)), plane


def _component(number: int, share: float) -> str:
    return f"Principal component {number} ({100 * share:.1f} % of the variance)"


def _of_features(
    X: Matrix, targets: NDArray[np.float64], names: Sequence[str], axes: Axes
) -> tuple[tuple[str, str], Matrix]:
    count = X.shape[1]
    for index in (axes.x, axes.y or 0):
        if index >= count:
            raise BadRequestError(f"There is no feature {index}: the set has {count}, counted from 0.")
    if axes.y is None and count == 1:
        return (names[0], "target"), np.column_stack([X[:, 0], targets])
    second = 1 if axes.y is None else axes.y
    return (names[axes.x], names[second]), X[:, [axes.x, second]]


def _short(numbers: NDArray[np.float64]) -> list[float]:
    """Numbers as far as a picture shows them."""
    return [float(f"{number:.6g}") for number in numbers.tolist()]
