"""A grown network: arrays, and what they compute.

Plain NumPy, so that a service can answer without loading a compiler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from juniper_cascor.engine.activations import ACTIVATIONS, activate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.parameters import Task


MAX_INPUT = 1e30
"""Bound of a standardised input: no sum over features then overflows."""

MAX_WEIGHT = 1e15
"""Bound of a weight that no training found: the squares of a million such weights have a sum in float32."""

_STORED_AS = {
    "feature_mean": ("float64", 1),
    "feature_scale": ("float64", 1),
    "hidden_weights": ("float32", 1),
    "fan_ins": ("int64", 1),
    "activations": ("uint8", 1),
    "output_weights": ("float64", 2),
}  # type and dimensions of each of a network's arrays

_BLOCK = 4096  # patterns answered at once: what that takes in double precision stays small


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A cascade: each hidden unit sees the bias, all inputs and the units before it; each output sees them all.

    A unit that was placed as a sibling sees only the units before its layer: its weights are so many fewer.
    """

    # Inputs, and the values of a regression, may be large beside what they vary by: what scales them is double.
    feature_mean: NDArray[np.floating[Any]]  # [inputs]
    feature_scale: NDArray[np.floating[Any]]  # [inputs]; an input x enters as (x − mean) / scale
    hidden_weights: tuple[NDArray[np.float32], ...]  # unit i: [1 + inputs + units it sees], bias first
    activations: tuple[Activation, ...]  # of each hidden unit
    output_weights: NDArray[np.floating[Any]]  # [outputs, 1 + inputs + units], bias first
    task: Task = "classification"

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

    def outputs(self, x: ArrayLike) -> NDArray[np.float64]:
        """What the output units say to each pattern, whichever others are asked about: float64[n, outputs].

        For classification in (0, 1), on the scale of the targets; for regression in the targets' own units.

        Raises:
            ValueError: x is not [n, inputs].
        """
        inputs = np.asarray(x, dtype=np.float64)
        if inputs.ndim != 2 or inputs.shape[1] != self.n_inputs:
            raise ValueError(f"x must be [n, {self.n_inputs}], not {list(inputs.shape)}")
        blocks = [self._outputs(inputs[start : start + _BLOCK]) for start in range(0, len(inputs), _BLOCK)]
        return np.concatenate([np.empty((0, self.n_outputs)), *blocks])

    def _outputs(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """The outputs of a block of patterns, each the same in every bit whichever are asked for together.

        A cascade amplifies rounding errors, so each sum is taken in double precision and by itself: in a product of
        matrices the order of a pattern's sums depends on its place among the others.
        """
        n_seen = 1 + self.n_inputs
        features = np.empty((len(inputs), n_seen + self.n_hidden_units))
        features[:, 0] = 1
        features[:, 1:n_seen] = standardised(inputs, self.feature_mean, self.feature_scale)
        for i, (weights, activation) in enumerate(zip(self.hidden_weights, self.activations, strict=True), n_seen):
            features[:, i] = activate(activation, np.vecdot(features[:, : len(weights)], weights.astype(np.float64)))
        outputs = np.stack([np.vecdot(features, weights.astype(np.float64)) for weights in self.output_weights], axis=1)
        if self.task == "classification":
            outputs = np.tanh(outputs * 0.5) * 0.5 + 0.5
        return cast("NDArray[np.float64]", outputs)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The network as named arrays, for files and channels; the task goes beside them.

        `hidden_weights` are the units' rows one after another, `fan_ins` says how long each is; `activations` are
        the units' places in `ACTIVATIONS`.
        """
        return {
            "feature_mean": self.feature_mean.astype(np.float64),
            "feature_scale": self.feature_scale.astype(np.float64),
            "hidden_weights": np.concatenate([np.empty(0, np.float32), *self.hidden_weights]),
            "fan_ins": np.array([len(weights) for weights in self.hidden_weights], np.int64),
            "activations": np.array([ACTIVATIONS.index(name) for name in self.activations], np.uint8),
            "output_weights": self.output_weights.astype(np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], task: str) -> Network:
        """The network of `arrays`.

        Raises:
            ValueError: the arrays are not those of one network, of the types that `arrays` gives, or the task is
                unknown.
            KeyError: one is missing.
        """
        for name, (dtype, n_dimensions) in _STORED_AS.items():
            if arrays[name].dtype != dtype or arrays[name].ndim != n_dimensions:
                found = f"{arrays[name].dtype} in {arrays[name].ndim}"
                raise ValueError(f"{name} must be {dtype} in {n_dimensions} dimensions, not {found}")
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} is not finite")
        mean, scale, output = (
            cast("NDArray[np.float64]", arrays[name]) for name in ("feature_mean", "feature_scale", "output_weights")
        )
        hidden = cast("NDArray[np.float32]", arrays["hidden_weights"])
        fan_ins, codes = (arrays[name].astype(np.int64) for name in ("fan_ins", "activations"))
        n_features = 1 + len(mean)
        makes_one_network = (
            len(mean) > 0
            and mean.shape == scale.shape
            and fan_ins.shape == codes.shape
            and len(output) > 0
            and output.shape[1] == n_features + len(fan_ins)
            and bool((n_features <= fan_ins).all())
            and bool((fan_ins <= n_features + np.arange(len(fan_ins))).all())
            and len(hidden) == fan_ins.sum()
            and bool((codes < len(ACTIVATIONS)).all())
        )
        if not makes_one_network:
            raise ValueError("the arrays do not make one network")
        if not (scale > 0).all():
            raise ValueError("feature_scale is not positive")
        if task not in ("classification", "regression"):
            raise ValueError(f"unknown task {task!r}")
        return cls(
            feature_mean=mean,
            feature_scale=scale,
            hidden_weights=tuple(np.split(hidden, np.cumsum(fan_ins)[:-1])) if len(fan_ins) else (),
            activations=tuple(ACTIVATIONS[code] for code in codes),
            output_weights=output,
            task="classification" if task == "classification" else "regression",
        )

    def predict(self, x: ArrayLike) -> NDArray[np.int64] | NDArray[np.float64]:
        """The class index of each pattern, int64[n]; for regression the values, float64[n, outputs]."""
        return self.decided(self.outputs(x))

    def decided(self, outputs: NDArray[np.float64]) -> NDArray[np.int64] | NDArray[np.float64]:
        """What `predict` says where the output units say this: class indices, or the values themselves."""
        if self.task == "regression":
            return outputs
        if self.n_outputs == 1:
            return (outputs[:, 0] > 0.5).astype(np.int64)
        return cast("NDArray[np.int64]", outputs.argmax(axis=1))


def standardised(
    x: NDArray[np.floating[Any]], mean: NDArray[np.floating[Any]], scale: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """(x − mean) / scale per column, in double precision, bounded: no sum over features then overflows."""
    scaled: NDArray[np.float64] = np.clip((x.astype(np.float64) - mean) / scale, -MAX_INPUT, MAX_INPUT)
    return scaled
