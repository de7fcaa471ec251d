"""A candidate pool on a torch device: candidates in groups of equal size, an epoch of a group as two products.

Before each chunk the candidates that have not stopped are packed into the groups anew. Each group has as many rows as
any other, those that are left over unused, so every product has the same shape whatever is packed, and a candidate
comes to the same in any company. What stands between the products, and what comes after them, is a kernel each: see
cuda/products.cu. Importing this module loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from juniper_cascor.engine.cuda.cupy_backend import PER_CANDIDATE
from juniper_cascor.engine.cuda.device import Kernel, Launch
from juniper_cascor.engine.torch_math import Repeated, address, padded, products_of_segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.engine.backend import CandidateState
    from juniper_cascor.engine.cuda.device import Device
    from juniper_cascor.engine.torch_math import OnDevice, Plan

UNITS = 4
"""Candidates that a block of `correlate` takes; the rows of a group are a multiple of them."""

_ROWS_UNIT = 32  # groups have a multiple of so many rows
_THREADS = 128
_TILE = 4 * _THREADS  # patterns of a block of `correlate`
# A product with as large an output fills an H100 by itself, or cuBLAS splits it better than segments do.
_LARGE_OUTPUT = 140_000


def rows_for(pool: int, most: int) -> int:
    """Rows of each group: as few as hold the pool in as few groups of at most so many rows."""
    n_groups = -(-pool // most)
    return -(-pool // (n_groups * _ROWS_UNIT)) * _ROWS_UNIT


def segments_for(n_rows: int, n_columns: int, most: int) -> int:
    """In so many parts patterns are summed so that a product with such an output fills the chip: measured."""
    return most if n_rows * n_columns < _LARGE_OUTPUT else 1


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """What candidates aim at."""

    residuals: Tensor  # [outputs, ld], centred
    sum_of_squares: float  # of them
    is_normalised: bool


class Pool:
    """A candidate phase on a device.

    Args:
        state: Which phase. All but the scores, the clock and which candidates are active comes back with `fetch`.
        train: The patterns.
        objective: What they are correlated with.
        plan: How the pool is cut up.
        most_epochs: Of a chunk.
        kernels: The same device, for what is no product.
    """

    def __init__(
        self,
        state: CandidateState,
        train: OnDevice,
        objective: Objective,
        plan: Plan,
        most_epochs: int,
        kernels: Device,
    ) -> None:
        self.state = state
        self._train, self._objective, self._kernels = train, objective, kernels
        device = train.device
        pool, n_features = state.weights.shape
        n_outputs = len(objective.residuals)
        n_rows, n_columns = rows_for(pool, plan.rows), padded(n_features)
        self._all = {name: torch.tensor(getattr(state, name), device=device) for name in PER_CANDIDATE}
        self._weights = torch.zeros((n_rows, n_columns), device=device)
        self._chosen = torch.full((n_rows,), -1, dtype=torch.int32, device=device)
        self._clock = torch.zeros(2, dtype=torch.int32, device=device)
        self._best = torch.zeros((n_rows, most_epochs), device=device)
        self._run = torch.zeros((n_rows,), dtype=torch.int32, device=device)

        segments = segments_for(n_rows, n_columns, train.segments)
        unit = max(_TILE, train.tile_unit)
        width = min(train.ld, max(1, plan.tile_bytes // (4 * n_rows * unit)) * unit)
        starts = range(0, train.ld, width)
        self._sums = torch.zeros((n_rows * width,), device=device)
        self._slopes = torch.zeros((len(starts), segments, n_rows, n_columns), device=device)
        n_parts = -(-train.ld // _TILE)
        self._parts = torch.zeros((n_parts, n_rows, n_outputs), device=device)
        self._totals = torch.zeros((n_parts, n_rows, 2), dtype=torch.float64, device=device)
        self._tiles = [slice(start, min(start + width, train.ld)) for start in starts]
        self._epochs = Repeated(self._train_once, device)

    def train(self, epochs: int) -> NDArray[np.float32]:
        """Run a chunk of so many epochs, or fewer where all candidates stop: the best score of each."""
        state, n_rows = self.state, len(self._chosen)
        device = self._train.device
        going = np.flatnonzero(state.active)
        # Those that had stopped before count with what they came to.
        best, run = torch.full((epochs,), state.scores.max(), device=device), 0
        for low in range(0, len(going), n_rows):
            chosen = torch.tensor(going[low : low + n_rows], device=device)
            n_chosen = len(chosen)
            self._chosen.fill_(-1)
            self._chosen[:n_chosen] = chosen
            self._weights[:n_chosen, : state.weights.shape[1]] = self._all["weights"][chosen]
            self._clock.copy_(torch.tensor([state.clock[0], 0]))
            self._run.zero_()
            self._epochs.run(epochs)
            best = torch.maximum(best, self._best[:, :epochs].amax(dim=0))
            run = max(run, int(self._run.max()))
        state.scores[...] = self._all["scores"].cpu().numpy()
        state.active[...] = self._all["active"].cpu().numpy()
        state.clock[0] += run
        return np.asarray(best[:run].cpu().numpy())

    def fetch(self) -> None:
        """Make all of the state's arrays true."""
        for name, tensor in self._all.items():
            getattr(self.state, name)[...] = tensor.cpu().numpy()

    def _train_once(self) -> None:
        """An epoch of the candidates in the group that have not stopped."""
        state, train, residuals = self.state, self._train, self._objective.residuals
        n_rows, n_columns = self._weights.shape
        n_outputs, ld = residuals.shape
        common = (
            address(self._chosen),
            np.int32(n_rows),
            np.int32(n_outputs),
            np.int32(train.n),
            np.float64(self._objective.sum_of_squares),
            np.int32(self._objective.is_normalised),
            address(self._parts),
            address(self._totals),
            address(self._clock),
            np.int32(state.weights.shape[1]),
            *map(address, self._all.values()),
        )
        shared_bytes = 4 * UNITS * (_TILE + 2 * n_outputs + 12) + 16
        for tile, slopes in zip(self._tiles, self._slopes, strict=True):
            width = tile.stop - tile.start
            sums, features = self._sums[: n_rows * width].view(n_rows, width), train.features[:n_columns, tile]
            torch.mm(self._weights, features, out=sums)
            self._kernels.launch(
                Kernel("correlate", UNITS),
                Launch(n_rows // UNITS * -(-width // _TILE), _THREADS, shared_bytes),
                *common,
                address(residuals),
                np.int32(ld),
                address(sums),
                np.int32(width),
                np.int32(tile.start),
                np.int32(tile.start // _TILE),
            )
            if len(slopes) == 1:  # then cuBLAS may split them itself
                torch.mm(sums, features.T, out=slopes[0])
            else:
                products_of_segments(sums, features, slopes)
        change, rate, mu = state.settings
        self._kernels.launch(
            Kernel("end_epoch"),
            Launch(n_rows, _THREADS, 4 * n_outputs + 64),
            *common,
            np.int32(len(self._parts)),
            address(self._slopes),
            np.int32(self._slopes.shape[0] * self._slopes.shape[1]),
            address(self._weights),
            np.int32(n_columns),
            *state.limits.astype(np.int32),
            np.int32(state.rule[0]),
            change,
            np.float32(rate),
            np.float32(mu),
            address(self._best),
            np.int32(self._best.shape[1]),
            address(self._run),
        )
