"""A candidate pool on a torch device: candidates in groups of equal size, an epoch of a group as products of matrices.

Before each chunk the candidates that have not stopped are packed into the groups anew. Each group has as many rows as
any other, those that are left over unused, so every product has the same shape whatever is packed, and a candidate
comes to the same in any company. Importing this module loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.torch_math import (
    SCALES,
    Repeated,
    Step,
    multiply_by_slopes,
    padded,
    replace,
    respond,
    sum_over_patterns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.backend import CandidateState
    from juniper_cascor.engine.torch_math import OnDevice, Plan

_ROWS_UNIT = 32  # groups have a multiple of so many rows
_MANY_ROWS = 512  # whose products fill an H100 by themselves
# An activation that varies less than this share of its square sum is constant but for rounding.
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Candidates that are multiplied at once."""

    activation: Activation
    candidates: NDArray[np.int64]


def pack(state: CandidateState, n_rows: int) -> Sequence[Packed]:
    """The candidates that have not stopped, in groups of one activation function and at most so many rows."""
    groups = []
    for code, activation in enumerate(ACTIVATIONS):
        chosen = np.flatnonzero(state.active & (state.activations == code))
        groups += [Packed(activation, chosen[i : i + n_rows]) for i in range(0, len(chosen), n_rows)]
    return groups


def rows_for(state: CandidateState, most: int) -> int:
    """Rows of each group in a phase: as few as hold the pool in as few groups of at most so many rows."""
    largest = int(np.bincount(state.activations).max())
    n_groups = -(-largest // most)
    return -(-largest // (n_groups * _ROWS_UNIT)) * _ROWS_UNIT


@dataclass(frozen=True, slots=True, eq=False)
class _Arrays:
    """What there is of each candidate, as in CandidateState; rows of weights are padded with zeros."""

    weights: Tensor
    memory: Tensor
    steps: Tensor
    covariances: Tensor
    moments: Tensor
    scores: Tensor
    best_weights: Tensor
    best_covariances: Tensor
    best_moments: Tensor
    marks: Tensor
    waited: Tensor
    active: Tensor
    fan_ins: Tensor

    @classmethod
    def of(cls, state: CandidateState, device: torch.device) -> _Arrays:
        """Copies on the device."""
        tensors = {item.name: torch.tensor(getattr(state, item.name), device=device) for item in fields(cls)}
        n_features = state.weights.shape[1]
        for name in ("weights", "memory", "steps", "best_weights"):
            tensors[name] = torch.nn.functional.pad(tensors[name], (0, padded(n_features) - n_features))
        return cls(**tensors)

    def vacant(self, n_rows: int) -> _Arrays:
        """Such arrays with so many rows, of candidates that have stopped."""
        return _Arrays(**{name: own.new_zeros((n_rows, *own.shape[1:])) for name, own in self.items()})

    def items(self) -> Sequence[tuple[str, Tensor]]:
        """Each with its name."""
        return [(item.name, getattr(self, item.name)) for item in fields(self)]

    def take(self, other: _Arrays, chosen: Tensor) -> None:
        """Fill the first rows with those that are chosen of others; the rest become vacant."""
        for name, own in self.items():
            torch.index_select(getattr(other, name), 0, chosen, out=own[: len(chosen)])
            own[len(chosen) :] = 0

    def put(self, other: _Arrays, chosen: Tensor) -> None:
        """Write the first rows back to where they were taken from."""
        for name, own in self.items():
            getattr(other, name).index_copy_(0, chosen, own[: len(chosen)])


class Pool:
    """A candidate phase on a device.

    Args:
        state: Which phase. All but the scores, the clock and which candidates are active comes back with `fetch`.
        train: The patterns.
        residuals: Of the outputs, centred, and a row that is 1 on each pattern: [outputs + 1, ld].
        sum_of_squares: Of the residuals.
        plan: How the pool is cut up.
        most_epochs: Of a chunk.
    """

    def __init__(
        self,
        state: CandidateState,
        train: OnDevice,
        residuals: Tensor,
        sum_of_squares: float,
        plan: Plan,
        most_epochs: int,
    ) -> None:
        self.state = state
        self._train, self._residuals, self._sum_of_squares = train, residuals, sum_of_squares
        # Residuals that are all alike leave nothing to correlate with: every score is 0.
        self._inverse = 1 / sum_of_squares if sum_of_squares > 0 else 0.0
        self._change, rate, mu = state.settings.tolist()
        self._max_epochs, self._patience = state.limits.tolist()
        self._step = Step(int(state.rule[0]), rate, mu)
        device = train.device
        self._all = _Arrays.of(state, device)
        self._n_rows = rows_for(state, plan.rows)
        self._own = self._all.vacant(self._n_rows)
        self._segments = train.segments if self._n_rows < _MANY_ROWS else 1
        n_columns = self._all.weights.shape[1]
        self._columns = torch.arange(n_columns, device=device)
        self._has_siblings = bool((state.fan_ins < state.weights.shape[1]).any())

        units = max(1, plan.tile_bytes // (4 * self._n_rows * train.tile_unit))
        width = min(train.ld, units * train.tile_unit)
        self._tiles = [slice(start, min(start + width, train.ld)) for start in range(0, train.ld, width)]
        kinds = [ACTIVATIONS[code] for code in np.unique(state.activations)]
        needs_third = any(name in ("gaussian", "sin") for name in kinds)
        self._room = torch.zeros((3 if needs_third else 2, self._n_rows * width), device=device)

        self._epoch = torch.zeros(1, dtype=torch.int64, device=device)
        self._place = torch.zeros(1, dtype=torch.int64, device=device)  # where the next row is written
        most_groups = sum(-(-count // self._n_rows) for count in np.bincount(state.activations).tolist())
        self._rows = torch.zeros((most_groups * most_epochs, 2), device=device)  # best score, whether any was active
        self._epochs = {name: Repeated(partial(self._train_once, name), device) for name in kinds}

    def train(self, epochs: int) -> NDArray[np.float32]:
        """Run a chunk of so many epochs, or fewer where all candidates stop: the best score of each."""
        state = self.state
        groups = pack(state, self._n_rows)
        order = torch.tensor(np.concatenate([group.candidates for group in groups]), device=self._train.device)
        high = 0
        for number, group in enumerate(groups):
            low, high = high, high + len(group.candidates)
            self._own.take(self._all, order[low:high])
            self._epoch.fill_(int(state.clock[0]))
            self._place.fill_(number * epochs)
            self._epochs[group.activation].run(epochs)
            self._own.put(self._all, order[low:high])
        rows = self._rows[: len(groups) * epochs].cpu().numpy().reshape(len(groups), epochs, 2).max(axis=0)
        run = int(rows[:, 1].sum())
        # Those that had stopped before count with what they came to.
        best: NDArray[np.float32] = np.maximum(rows[:run, 0], state.scores.max())
        state.scores[...] = self._all.scores.cpu().numpy()
        state.active[...] = self._all.active.cpu().numpy()
        state.clock[0] += run
        return best

    def fetch(self) -> None:
        """Make all of the state's arrays true."""
        for name, tensor in self._all.items():
            own: NDArray[np.generic] = getattr(self.state, name)
            own[...] = tensor.cpu().numpy()[:, : own.shape[1]] if own.ndim == 2 else tensor.cpu().numpy()

    def _train_once(self, activation: Activation) -> None:
        """An epoch of the candidates in the group that have not stopped."""
        own = self._own
        was_active = own.active.clone()
        slopes, covariances, moments = self._correlate(activation)
        self._keep(covariances, moments)
        goes_on = own.active.unsqueeze(1)
        if self._has_siblings:
            goes_on = goes_on & (self._columns < own.fan_ins.unsqueeze(1))
        # The first epoch knows no signs and so no slopes: time starts with the second.
        time = self._epoch.clamp(min=1).double()
        self._step.take(own.weights, slopes, own.memory, own.steps, time, goes_on)
        row = torch.stack([own.scores.max(), was_active.any().float()])
        self._rows.index_copy_(0, self._place, row.unsqueeze(0))
        self._epoch.add_(1)
        self._place.add_(1)

    def _aims(self, activation: Activation) -> tuple[Tensor, Tensor | None]:
        """What the slopes are made of, by the epoch before: coefficients of the residuals, and pulls.

        The slope of −S by an activation V is Σ coefficient · residual + pull · V, with the scale of a step and that of
        the activation's own slope in it; for the normalised objective the last residual is that row of ones.
        """
        own, scales = self._own, SCALES[activation]
        if not self.state.is_normalised:
            return own.covariances.sign() * (-self._inverse * scales.slope), None
        means, variances = own.moments[:, :1], own.moments[:, 1:]
        shares = torch.where(variances > 0, own.covariances / variances, 0.0)
        pulls = shares.square().sum(dim=1, keepdim=True) * (2 * scales.slope * self._sum_of_squares)
        return torch.cat([shares * (-2 * scales.slope), -pulls * means], dim=1), pulls * scales.outer

    def _correlate(self, activation: Activation) -> tuple[Tensor, Tensor, Tensor | None]:
        """One pass over the patterns: slopes of −S, covariances as shares of the squared residuals, moments."""
        own, train, scales = self._own, self._train, SCALES[activation]
        n_outputs = len(self._residuals) - 1
        coefficients, pulls = self._aims(activation)
        weights = own.weights if scales.inner == 1 else own.weights * scales.inner
        slopes = torch.zeros_like(own.weights)
        covariances = torch.zeros_like(own.covariances)
        parts = []
        for tile in self._tiles:
            width = tile.stop - tile.start
            sums, deltas, *room = self._room[:, : self._n_rows * width].view(-1, self._n_rows, width)
            features, residuals = train.features[: weights.shape[1], tile], self._residuals[:, tile]
            torch.mm(weights, features, out=sums)
            torch.mm(coefficients, residuals[: coefficients.shape[1]], out=deltas)
            values, own_slopes = respond(activation, sums, *room)
            if pulls is not None:
                deltas.addcmul_(values, pulls)
                n = min(width, train.n - tile.start)
                parts.append((n, *torch.var_mean(values[:, :n], dim=1, correction=0)))
            multiply_by_slopes(deltas, values, own_slopes)
            covariances.add_(sum_over_patterns(values, residuals[:n_outputs], self._segments))
            slopes.add_(sum_over_patterns(deltas, features, self._segments))
        covariances.mul_(scales.outer * self._inverse)
        return slopes, covariances, _moments(parts, scales.outer) if parts else None

    def _keep(self, covariances: Tensor, moments: Tensor | None) -> None:
        """Score a pass of the group, keep what was best, and find out which candidates go on."""
        own = self._own
        is_active = own.active
        if moments is None:
            scores = covariances.abs().sum(dim=1)
        else:
            explained = covariances.square().sum(dim=1) * self._sum_of_squares
            scores = torch.where(moments[:, 1] > 0, explained / moments[:, 1], 0.0)
            replace(own.moments, is_active.unsqueeze(1), moments)
        replace(own.covariances, is_active.unsqueeze(1), covariances)

        is_better = is_active & (scores > own.scores)
        replace(own.scores, is_better, scores)
        replace(own.best_weights, is_better.unsqueeze(1), own.weights)
        replace(own.best_covariances, is_better.unsqueeze(1), covariances)
        if moments is not None:
            replace(own.best_moments, is_better.unsqueeze(1), moments)

        has_changed = ((scores - own.marks).abs() > self._change * own.marks) | (self._epoch == 0)
        replace(own.marks, is_active & has_changed, scores)
        replace(own.waited, is_active, (own.waited + 1).masked_fill(has_changed, 0))
        own.active.logical_and_((own.waited < self._patience) & (self._epoch + 1 < self._max_epochs))


def _moments(parts: Sequence[tuple[int, Tensor, Tensor]], scale: float) -> Tensor:
    """Means and sums of squared distances from them, of tiles of n patterns with their variances and means.

    [candidates, 2]; a sum is 0 where it is rounding alone.
    """
    n = sum(count for count, _, _ in parts)
    mean = torch.stack([own.double() * (count / n) for count, _, own in parts]).sum(dim=0)
    distances = torch.stack([(own - mean).square().add_(variance).mul_(count) for count, variance, own in parts]).sum(
        dim=0
    )
    is_constant = distances <= _LEAST_VARIANCE * (distances + n * mean.square())
    return torch.stack([mean * scale, distances.masked_fill(is_constant, 0.0) * scale**2], dim=1).float()
