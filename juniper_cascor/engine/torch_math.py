"""What both halves of the torch back end are made of: patterns on a device, products, optimiser steps, CUDA graphs.

Importing this module loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch
from torch import Tensor

from juniper_cascor.engine.cuda.cupy_backend import install
from juniper_cascor.engine.parameters import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.cuda.device import Device
    from juniper_cascor.engine.patterns import Patterns

_ROW_PADDING = 8  # features: rows of weights begin where cuBLAS can load four floats at once
_WARP = 32  # patterns: so that rows of features do
_LEAST_SEGMENT = 256  # patterns
_SPARE_ROWS = 64

_IRPROP, _QUICKPROP = (get_args(Optimizer).index(name) for name in ("irprop-", "quickprop"))

# iRprop−: Igel & Hüsken 2003.
_GROWTH, _SHRINKAGE = 1.2, 0.5
_MIN_STEP, _MAX_STEP = 1e-6, 50.0
# Adam: Kingma & Ba 2015.
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True)
class Plan:
    """How a pool is cut up, by sizes alone. All of it enters into a result's bits: what is summed where."""

    rows: int = 512  # candidates multiplied at once
    segments: int = 32  # of the patterns, a power of 2: summed apart where a product would not fill the chip
    tile_bytes: int = 2**28  # of the candidates' sums over so many patterns as are worked on at once

    def segments_for(self, n: int) -> int:
        """So many segments for n patterns."""
        return self.segments if n >= self.segments * _LEAST_SEGMENT else 1


class OnDevice:
    """Patterns on a device, padded as there is best; features are added as units are installed."""

    def __init__(self, patterns: Patterns, plan: Plan, device: torch.device) -> None:
        self.n, self.n_features = patterns.n, patterns.n_features
        self.segments = plan.segments_for(self.n)
        self.tile_unit = _WARP * self.segments
        self.ld = max(1, -(-self.n // self.tile_unit)) * self.tile_unit
        self.device = device
        self.features = self._padded(patterns.own_features, padded(self.n_features + _SPARE_ROWS))
        self.targets = self._padded(patterns.targets, len(patterns.targets))
        self.importances = self._padded(patterns.importances[np.newaxis], 1)[0]
        self.labels = torch.full((self.ld,), -1, dtype=torch.int64, device=device)
        self.labels[: self.n] = torch.tensor(patterns.labels[: self.n])

    def _padded(self, values: NDArray[np.float32], n_rows: int) -> Tensor:
        whole = torch.zeros((n_rows, self.ld), device=self.device)
        whole[: len(values), : self.n] = torch.tensor(values[:, : self.n])
        return whole

    def add_unit(self, weights: NDArray[np.float32], activation: Activation, kernels: Device) -> None:
        """Compute a unit's activations as a new feature; 0 in the padding."""
        if self.n_features == len(self.features):
            n_rows = padded(self.n_features + max(_SPARE_ROWS, self.n_features // 2))
            whole = torch.zeros((n_rows, self.ld), device=self.device)
            whole[: self.n_features] = self.features
            self.features = whole
        own, row = torch.tensor(weights, device=self.device), self.features[self.n_features]
        install(kernels, address(self.features), self.n, self.ld, address(own), len(weights), activation, address(row))
        self.n_features += 1


def address(tensor: Tensor) -> np.uint64:
    """A tensor as the kernels beside CuPy's take it."""
    return np.uint64(tensor.data_ptr())


def padded(n_features: int) -> int:
    """The columns of an array that holds weights for so many features; those beyond are 0."""
    return -(-n_features // _ROW_PADDING) * _ROW_PADDING


def padded_weights(weights: NDArray[np.float32], device: torch.device) -> Tensor:
    """A copy on the device: [rows, padded(columns)]."""
    whole = torch.zeros((len(weights), padded(weights.shape[1])), device=device)
    whole[:, : weights.shape[1]] = torch.tensor(weights)
    return whole


def sum_over_patterns(left: Tensor, right: Tensor, segments: int) -> Tensor:
    """The product left @ right.T, whose inner dimension is that of the patterns: in segments, summed in their order."""
    if segments == 1:
        return left @ right.T
    parts = left.new_empty((segments, len(left), len(right)))
    products_of_segments(left, right, parts)
    return parts.sum(dim=0)


def products_of_segments(left: Tensor, right: Tensor, out: Tensor) -> None:
    """Write left @ right.T of each segment of the patterns: [segments, rows of left, rows of right]."""
    lefts, rights = (own.view(len(own), len(out), -1).transpose(0, 1) for own in (left, right))
    torch.bmm(lefts, rights.transpose(1, 2), out=out)


@dataclass(frozen=True, slots=True)
class Step:
    """An optimiser with its settings."""

    rule: int  # which, as in a state's rule
    rate: float
    mu: float

    def take(
        self, weights: Tensor, slopes: Tensor, memory: Tensor, steps: Tensor, time: Tensor, goes_on: Tensor
    ) -> None:
        """One step down the slopes where it goes on; `memory` and `steps` are what the optimiser keeps.

        Time, counted from 1, is a float64.
        """
        if self.rule == _IRPROP:
            changed = _irprop(weights, slopes, memory, steps)
        elif self.rule == _QUICKPROP:
            changed = self._quickprop(weights, slopes, memory, steps)
        else:
            changed = self._adam(weights, slopes, memory, steps, time)
        for old, new in zip((weights, memory, steps), changed, strict=True):
            replace(old, goes_on, new)

    def _quickprop(
        self, weights: Tensor, slopes: Tensor, last_slopes: Tensor, moves: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        # Seen in the direction of the last move: that was along −sign.
        sign = torch.where(moves < 0, 1.0, -1.0)
        ahead, before = sign * slopes, sign * last_slopes
        is_steep = ahead >= self.mu / (1 + self.mu) * before
        jumps = torch.where(is_steep, self.mu * moves, moves * slopes / (last_slopes - slopes))
        downhill = -self.rate * slopes
        next_moves = torch.where(moves == 0, downhill, jumps + torch.where(ahead > 0, downhill, 0.0))
        next_moves.clamp_(-_MAX_STEP, _MAX_STEP)
        return weights + next_moves, slopes, next_moves

    def _adam(
        self, weights: Tensor, slopes: Tensor, means: Tensor, squares: Tensor, time: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean_bias, square_bias = ((1 - torch.pow(beta, time)).float() for beta in (_BETA1, _BETA2))
        means = torch.add(_BETA1 * means, slopes, alpha=1 - _BETA1)
        squares = torch.addcmul(_BETA2 * squares, slopes, slopes, value=1 - _BETA2)
        root = (squares / square_bias).sqrt_().add_(_EPSILON)
        return torch.addcdiv(weights, means / mean_bias, root, value=-self.rate), means, squares


def _irprop(weights: Tensor, slopes: Tensor, last_slopes: Tensor, steps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    agreement = slopes * last_slopes
    is_opposed = agreement < 0
    grown = torch.where(agreement > 0, steps * _GROWTH, steps)
    steps = torch.where(is_opposed, steps * _SHRINKAGE, grown).clamp_(_MIN_STEP, _MAX_STEP)
    slopes = slopes.masked_fill(is_opposed, 0.0)
    return torch.addcmul(weights, slopes.sign(), steps, value=-1), slopes, steps


def replace(old: Tensor, where: Tensor, new: Tensor) -> None:
    """Overwrite what is old by what is new, where that holds."""
    torch.where(where, new, old, out=old)


class Repeated:
    """What is to be run again and again, without a word from the host: on a GPU as a graph, launched as one.

    Args:
        work: Runs on the current stream and reads and writes the same tensors each time. On a GPU it is run once
            at first, for whatever is made on first use.
        device: Where.
    """

    def __init__(self, work: Callable[[], None], device: torch.device) -> None:
        self._run: Callable[[], Any] = work
        if device.type == "cuda":
            work()
            graph = torch.cuda.CUDAGraph()
            # Other threads of this process may use the device meanwhile.
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
                work()
            self._run = graph.replay

    def run(self, times: int) -> None:
        """Run it so many times."""
        for _ in range(times):
            self._run()
