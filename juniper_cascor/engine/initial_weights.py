"""Random numbers that are a function of where they are used, not of when they are drawn.

A candidate's first weights depend on (seed, hidden unit, candidate) alone, so they stay the same whichever
worker trains it, however large the pool is, and after any interruption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / φ
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_MASK = (1 << 64) - 1
_BLOCK = 128  # candidates whose weights are drawn at once, as whole numbers of twice their size


def candidate_weights(seed: int, unit: int, n_candidates: int, n_weights: int) -> NDArray[np.float32]:
    """First input weights of a pool, uniform in (−1, 1): float32[n_candidates, n_weights].

    SplitMix64 (Steele, Lea & Flood 2014) used as a counter-based generator: (seed, unit) starts a stream, and
    candidate · 2^32 + weight is the position in it.
    """
    start = _mixed(_mixed(seed) + unit)
    weights = np.empty((n_candidates, n_weights), np.float32)
    for first in range(0, n_candidates, _BLOCK):
        weights[first : first + _BLOCK] = _uniform(start, first, min(_BLOCK, n_candidates - first), n_weights)
    return weights


def _uniform(start: int, first: int, n_candidates: int, n_weights: int) -> NDArray[np.float32]:
    candidates = np.arange(first, first + n_candidates, dtype=np.uint64) << np.uint64(32)
    z = np.add.outer(candidates, np.arange(1, n_weights + 1, dtype=np.uint64))
    z *= np.uint64(_GOLDEN)  # unsigned arrays wrap around silently, as is meant
    z += np.uint64(start)
    for shift, factor in _MIX:
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    # 23 bits and a half: symmetric around 0, and never ±1 when rounded to float32.
    weights: NDArray[np.float32] = (z >> np.uint64(41)).astype(np.float32)
    weights += np.float32(0.5)
    weights *= np.float32(2**-22)
    weights -= np.float32(1)
    return weights


def _mixed(counter: int) -> int:
    z = (counter + _GOLDEN) & _MASK
    for shift, factor in _MIX:
        z = ((z ^ (z >> shift)) * factor) & _MASK
    return z ^ (z >> 31)
