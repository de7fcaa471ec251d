"""Random numbers that are a function of where they are used, not of when they are drawn.

A candidate's first weights depend on (seed, hidden unit, candidate) alone, so they stay the same whichever
worker trains it, however large the pool is, and after any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / φ, the increment of SplitMix64
_MASK = (1 << 64) - 1


def candidate_weights(seed: int, unit: int, n_candidates: int, n_weights: int) -> NDArray[np.float32]:
    """First input weights of a pool, uniform in (−1, 1): float32[n_candidates, n_weights].

    Each value is SplitMix64's output function (Steele, Lea & Flood 2014) of a chain of counters.
    """
    key = np.array(_mixed(_mixed(seed & _MASK) + unit), np.uint64)
    candidates = _mixed_array(np.add(key, np.arange(n_candidates, dtype=np.uint64)))
    bits = _mixed_array(np.add.outer(candidates, np.arange(n_weights, dtype=np.uint64)))
    # 23 bits and a half: symmetric around 0, and never ±1 when rounded to float32.
    return (((bits >> np.uint64(41)).astype(np.float32) + np.float32(0.5)) * np.float32(2**-22)) - np.float32(1)


def _mixed(counter: int) -> int:
    z = (counter + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _mixed_array(counters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = counters + np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
