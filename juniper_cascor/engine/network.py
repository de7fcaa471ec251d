"""A grown network: arrays, and what they compute.

Plain NumPy, so that a service can answer without loading a compiler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.parameters import Activation, Task


_MAX_INPUT = 1e30


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A cascade: each hidden unit, and each output, sees the bias, all inputs and all units before it."""

    feature_mean: NDArray[np.float32]  # [inputs]
    feature_scale: NDArray[np.float32]  # [inputs]; an input x enters as (x − mean) / scale
    hidden_weights: tuple[NDArray[np.float32], ...]  # unit i: [1 + inputs + i], bias first
    output_weights: NDArray[np.float32]  # [outputs, 1 + inputs + units], bias first
    task: Task = "classification"
    activation: Activation = "tanh"

    @property
    def n_inputs(self) -> int:
        """Features of a pattern."""
        return len(self.feature_mean)

    @property
    def n_outputs(self) -> int:
        """Outputs: classes, or 1 for two classes in one column; for regression, values."""
        return len(self.output_weights)

    @property
    def n_hidden_units(self) -> int:
        """Installed units."""
        return len(self.hidden_weights)

    def outputs(self, x: ArrayLike) -> NDArray[np.float32]:
        """What the output units say to each pattern: float32[n, outputs].

        For classification in (0, 1), on the scale of the targets; for regression in the targets' own units.

        Raises:
            ValueError: x is not [n, inputs].
        """
        inputs = np.asarray(x, dtype=np.float32)
        if inputs.ndim != 2 or inputs.shape[1] != self.n_inputs:
            raise ValueError(f"x must be [n, {self.n_inputs}], not {list(inputs.shape)}")
        n_features = 1 + self.n_inputs
        features = np.empty((len(inputs), n_features + self.n_hidden_units), dtype=np.float32)
        features[:, 0] = 1
        features[:, 1:n_features] = standardised(inputs, self.feature_mean, self.feature_scale)
        for i, weights in enumerate(self.hidden_weights):
            features[:, n_features + i] = np.tanh(features[:, : n_features + i] @ weights)
        sums = features @ self.output_weights.T
        if self.task == "regression":
            return sums
        return cast("NDArray[np.float32]", np.tanh(sums * np.float32(0.5)) * np.float32(0.5) + np.float32(0.5))

    def predict(self, x: ArrayLike) -> NDArray[np.int64] | NDArray[np.float32]:
        """The class index of each pattern, int64[n]; for regression the values, float32[n, outputs]."""
        outputs = self.outputs(x)
        if self.task == "regression":
            return outputs
        if self.n_outputs == 1:
            return (outputs[:, 0] > 0.5).astype(np.int64)
        return cast("NDArray[np.int64]", outputs.argmax(axis=1))


def standardised(x: NDArray[np.float32], mean: NDArray[np.float32], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    """(x − mean) / scale per column, in double precision, bounded: no sum over features then overflows."""
    return np.clip((x.astype(np.float64) - mean) / scale, -_MAX_INPUT, _MAX_INPUT).astype(np.float32)
