"""The state of a training between two chunks, as it is saved and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juniper_cascor.engine.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STATE_VERSION = 2


class SavedState:
    """Reads a saved state, and says what it lacks.

    Raises:
        StateError: an array is missing or is not what it should be, or the state has another version.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays
        if self.number("version") != STATE_VERSION:
            raise StateError(f"the state has version {self.number('version')}, not {STATE_VERSION}")

    def array(self, name: str) -> NDArray[np.generic]:
        """One array as it was saved."""
        if name not in self._arrays:
            raise StateError(f"the state lacks {name}")
        return np.asarray(self._arrays[name])

    def floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        """One array as float32, a copy."""
        return self._shaped(name, shape).astype(np.float32)

    def doubles(self, name: str, *shape: int) -> NDArray[np.float64]:
        """One array of finite numbers as float64, a copy."""
        array = self._shaped(name, shape).astype(np.float64)
        require(bool(np.isfinite(array).all()), f"{name} holds what is no finite number")
        return array

    def integers(self, name: str, *shape: int) -> NDArray[np.int64]:
        """One array as int64, a copy."""
        return self._shaped(name, shape).astype(np.int64)

    def real(self, name: str) -> float:
        """A single real number."""
        return float(self._shaped(name, ()).astype(np.float64).item())

    def number(self, name: str, low: int = 0, high: int = 2**63 - 1) -> int:
        """A single whole number, from low to high."""
        value = int(self._shaped(name, ()).astype(np.int64).item())
        require(low <= value <= high, f"{name} is {value}, not {low} to {high}")
        return value

    def _shaped(self, name: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
        array = self.array(name)
        require(array.shape == shape, f"{name} has shape {list(array.shape)}, not {list(shape)}")
        return array


def require(condition: bool, problem: str) -> None:
    """Raise StateError unless the condition holds."""
    if not condition:
        raise StateError(f"the state is damaged: {problem}")
