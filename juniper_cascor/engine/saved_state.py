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
        StateError: an array is missing, or the state has another version.
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

    def floats(self, name: str) -> NDArray[np.float32]:
        """One array as float32, a copy."""
        return self.array(name).astype(np.float32)

    def integers(self, name: str) -> NDArray[np.int64]:
        """One array as int64, a copy."""
        return self.array(name).astype(np.int64)

    def real(self, name: str) -> float:
        """A single real number."""
        return float(self.array(name).astype(np.float64).item())

    def number(self, name: str) -> int:
        """A single whole number."""
        return int(self.array(name).astype(np.int64).item(0))
