"""The installed units of a training, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.saved_state import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.saved_state import SavedState


class HiddenUnits:
    """Input weights and activation of each unit; the weights are frozen, since networks handed out share them."""

    def __init__(self) -> None:
        self._weights: list[NDArray[np.float32]] = []
        self._activations: list[Activation] = []

    def __len__(self) -> int:
        return len(self._weights)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], Activation]]:
        return zip(self._weights, self._activations, strict=True)

    @property
    def weights(self) -> tuple[NDArray[np.float32], ...]:
        """Of each unit: [1 + inputs + units it sees], bias first."""
        return tuple(self._weights)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """Of each unit."""
        return tuple(self._activations)

    @property
    def fan_ins(self) -> list[int]:
        """How many weights each unit has."""
        return [len(weights) for weights in self._weights]

    def append(self, weights: NDArray[np.float32], activation: Activation) -> None:
        """Add a unit, and freeze its weights."""
        weights.flags.writeable = False
        self._weights.append(weights)
        self._activations.append(activation)

    def truncate(self, n_units: int) -> None:
        """Leave the first so many."""
        del self._weights[n_units:]
        del self._activations[n_units:]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The units as arrays of numbers, for a saved state."""
        return {
            "hidden_weights": np.concatenate([np.zeros(0, np.float32), *self._weights]),
            "fan_ins": np.array(self.fan_ins, np.int64),
            "activations": np.array([ACTIVATIONS.index(name) for name in self._activations], np.int64),
        }


def saved_units(saved: SavedState, n_features: int) -> list[tuple[NDArray[np.float32], Activation]]:
    """Weights and activation of each unit of `HiddenUnits.arrays`, which may see n_features and the units before it.

    Raises:
        StateError: the arrays are not those of a cascade.
    """
    n_units = len(saved.array("fan_ins").reshape(-1))
    fan_ins, codes = saved.integers("fan_ins", n_units), saved.integers("activations", n_units)
    may_see = (n_features <= fan_ins) & (fan_ins <= n_features + np.arange(n_units))
    require(bool(may_see.all()), "fan_ins are not those of a cascade")
    require(bool(((codes >= 0) & (codes < len(ACTIVATIONS))).all()), "activations are unknown")
    flat = saved.floats("hidden_weights", int(fan_ins.sum()))
    ends = np.cumsum(fan_ins)
    return [
        (flat[end - fan_in : end].copy(), ACTIVATIONS[code])
        for end, fan_in, code in zip(ends, fan_ins, codes, strict=True)
    ]
