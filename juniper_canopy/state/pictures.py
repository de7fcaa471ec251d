"""The boundary and the patterns as the page draws them: small arrays instead of lists of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.training import DatasetData, DecisionBoundary

MAX_CLASSES = 10


def input_name(index: int, names: Sequence[str] = ()) -> str:
    """What the page calls an input: by its name in the dataset, where it has one."""
    return names[index] if index < len(names) else f"x{index + 1}"


@dataclass(frozen=True, slots=True)
class BoundaryPicture:
    """Class indices over a square grid, the lowest row first."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    resolution: int
    features: tuple[int, int]
    units: int
    cells: NDArray[np.uint8]

    @classmethod
    def of(cls, boundary: DecisionBoundary) -> Self | None:
        """None for a regression: its values have no boundary."""
        predictions = np.asarray(boundary.predictions)
        if predictions.dtype.kind not in "iu":
            return None
        rows_rise = boundary.grid_y[0][0] <= boundary.grid_y[-1][0]
        cells = predictions if rows_rise else predictions[::-1]
        return cls(
            x_range=boundary.x_range,
            y_range=boundary.y_range,
            resolution=boundary.resolution,
            features=boundary.features,
            units=boundary.hidden_units,
            cells=np.ascontiguousarray(cells % MAX_CLASSES, np.uint8).ravel(),
        )


@dataclass(frozen=True, slots=True)
class DatasetPicture:
    """Two features of each pattern and its class; the training patterns first."""

    dataset_id: str | None
    features: tuple[int, int]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    classes: NDArray[np.uint8]
    n_train: int
    n_classes: int
    name: str | None = None
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, dataset: DatasetData, features: tuple[int, int] = (0, 1), meta: DatasetMeta | None = None
    ) -> Self | None:
        """Of rows that are these two features alone; None when there is nothing to draw in a plane."""
        rows = np.asarray([*dataset.train_x, *dataset.val_x], np.float32)
        if rows.ndim != 2 or rows.shape[1] != 2:
            return None
        classes = np.concatenate([_classes(dataset.train_y), _classes(dataset.val_y)])
        return cls(
            dataset_id=dataset.dataset_id,
            features=features,
            x=np.ascontiguousarray(rows[:, 0]),
            y=np.ascontiguousarray(rows[:, 1]),
            classes=classes,
            n_train=len(dataset.train_x),
            n_classes=int(classes.max()) + 1,
            name=meta.dataset_name if meta else None,
            feature_names=(meta and meta.feature_names) or (),
            class_names=(meta and meta.class_names) or (),
        )

    @property
    def title(self) -> str:
        """The dataset in a few words. An id is `generator-version-digest`."""
        name = self.name or (self.dataset_id.rsplit("-", 2)[0].replace("_", " ") if self.dataset_id else "inline data")
        held_out = len(self.x) - self.n_train
        return f"{name}, {self.n_train}{f' + {held_out}' if held_out else ''} patterns"


def _classes(targets: list[int] | list[list[float]]) -> NDArray[np.uint8]:
    values = np.asarray(targets, np.float32)
    if values.size == 0:
        return np.empty(0, np.uint8)
    if values.ndim == 1:
        indices = values.astype(np.int64)
    elif values.shape[1] == 1:
        indices = (values[:, 0] > 0.5).astype(np.int64)
    else:
        indices = values.argmax(axis=1).astype(np.int64)
    return (indices % MAX_CLASSES).astype(np.uint8)
