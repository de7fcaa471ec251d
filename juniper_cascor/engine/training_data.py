"""The data of a training, on the engine's own scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from juniper_cascor.engine.errors import DataError, ParameterError
from juniper_cascor.engine.network import MAX_WEIGHT
from juniper_cascor.engine.patterns import (
    Patterns,
    Scaling,
    check_several_classes,
    checked,
    checksum,
    weights_of_classes,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.network import Network
    from juniper_cascor.engine.parameters import Parameters


class TrainingData:
    """The checked patterns of a training, and how values outside become values inside and back.

    Raises:
        DataError: naming the row and column that cannot be trained on.
        ParameterError: the class weights are not as many as the classes.
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        x_val: ArrayLike | None,
        y_val: ArrayLike | None,
        parameters: Parameters,
        scaling: Scaling | None,
    ) -> None:
        self.task = parameters.task
        inputs, targets = checked(x, y, self.task)
        self.n_inputs: int = inputs.shape[1]
        self.n_outputs: int = targets.shape[1]
        if self.task == "classification":
            check_several_classes(targets)
        self.inputs = Scaling.of(inputs) if scaling is None else scaling
        if len(self.inputs.mean) != self.n_inputs:
            raise DataError("x", f"has {self.n_inputs} columns, but the network {len(self.inputs.mean)} inputs")
        # Targets of a regression may have any scale, steps and thresholds have not.
        self._targets = Scaling.of(targets) if self.task == "regression" else Scaling.none(self.n_outputs)
        weights = weights_of_classes(targets, parameters.class_weights)
        self.has_validation = x_val is not None or y_val is not None
        x_held, y_held = inputs[:0], targets[:0]
        if x_val is not None and y_val is not None:
            x_held, y_held = checked(x_val, y_val, self.task, suffix="_val")
            for name, held, own in (("x_val", x_held, inputs), ("y_val", y_held, targets)):
                if held.shape[1] != own.shape[1]:
                    raise DataError(name, f"has {held.shape[1]} columns, but {name[0]} has {own.shape[1]}")
        elif self.has_validation:
            raise DataError("x_val" if x_val is None else "y_val", "is missing")
        self.patterns = Patterns.of(inputs, targets, self.task, self.inputs, self._targets, weights)
        self.validation = Patterns.of(x_held, y_held, self.task, self.inputs, self._targets, weights)
        self.checksum = checksum(
            *(array for each in (self.patterns, self.validation) for array in (each.own_features, each.targets))
        )

    def check_shape_of(self, network: Network) -> None:
        """Raise where a network to grow on from does not fit: DataError, ParameterError."""
        if network.n_outputs != self.n_outputs:
            raise DataError("y", f"has {self.n_outputs} columns, but the network {network.n_outputs} outputs")
        if network.task != self.task:
            raise ParameterError("task", f"is {self.task}, but the network's is {network.task}")

    def to_external(self, weights: NDArray[np.float32]) -> NDArray[np.float64]:
        """Output weights for standardised targets → for the targets themselves."""
        external = weights.astype(np.float64) * self._targets.scale[:, np.newaxis]
        external[:, 0] += self._targets.mean
        return external

    def to_internal(self, weights: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """The inverse of to_external, bounded: targets of another size by far must not make a sum overflow."""
        internal = weights.astype(np.float64)
        internal[:, 0] -= self._targets.mean
        with np.errstate(over="ignore"):
            internal /= self._targets.scale[:, np.newaxis]
        return internal.clip(-MAX_WEIGHT, MAX_WEIGHT).astype(np.float32)
