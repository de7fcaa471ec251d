"""An output layer on a torch device: its response to the patterns, the epochs of its phase.

Importing this module loads torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from juniper_cascor.engine.backend import OutputChunk
from juniper_cascor.engine.torch_math import Repeated, Step, padded_weights, replace, sum_over_patterns

if TYPE_CHECKING:
    from juniper_cascor.engine.backend import OutputState
    from juniper_cascor.engine.torch_math import OnDevice

# Keeps a saturated output unit learning: Fahlman 1988.
_PRIME_OFFSET = 0.1
# A pattern that counts less than this share of the average need not be learnt for the layer to have solved.
_LEAST_IMPORTANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """What an output layer makes of patterns, and what that is off."""

    outputs: Tensor  # [outputs, ld]
    errors: Tensor  # [outputs, ld]
    weighed: Tensor  # [outputs, ld], by importance
    deltas: Tensor  # [outputs, ld]: the weighed errors × (σ′ + 0.1)

    @classmethod
    def of(cls, weights: Tensor, patterns: OnDevice, *, is_linear: bool) -> Response:
        """The response of the layer with these weights: [outputs, padded features]."""
        outputs = weights @ patterns.features[: weights.shape[1]]
        if not is_linear:
            outputs.mul_(0.5).tanh_().mul_(0.5)
        errors = outputs - patterns.targets
        weighed = errors * patterns.importances
        deltas = weighed if is_linear else weighed * (0.25 + _PRIME_OFFSET - outputs.square())
        return cls(outputs, errors, weighed, deltas)

    def loss(self, n: int) -> Tensor:
        """Mean squared error over n patterns: a float64."""
        return (self.weighed * self.errors).sum(dtype=torch.float64) / (n * len(self.errors))

    def accuracy(self, patterns: OnDevice) -> Tensor:
        """The share of the patterns whose label is chosen: a float64."""
        labels = patterns.labels
        if len(self.outputs) == 1:
            is_right = ((self.outputs[0] > 0) == (labels == 1)) & (labels >= 0)
        else:
            is_right = self.outputs.argmax(dim=0) == labels  # of equal ones the first
        return is_right.sum() / float(patterns.n)


class OutputLayer:
    """An output phase on a device.

    Args:
        state: Which phase. What changes in it goes to the device and comes back at each chunk.
        train: What the layer learns.
        held_out: What it is measured on besides, where there are any.
        is_linear: Whether its units are.
        most_epochs: Of a chunk.
    """

    def __init__(
        self, state: OutputState, train: OnDevice, held_out: OnDevice, *, is_linear: bool, most_epochs: int
    ) -> None:
        self.state = state
        self._train, self._held_out, self._is_linear = train, held_out, is_linear
        self._change, self._near_enough, rate, mu, self._ridge = state.settings.tolist()
        self._max_epochs, self._patience = state.limits.tolist()
        self._step = Step(int(state.rule[0]), rate, mu)
        device = train.device
        self._weights, self._memory, self._steps = (
            padded_weights(values, device) for values in (state.weights, state.memory, state.steps)
        )
        self._clock = torch.zeros(2, dtype=torch.int64, device=device)
        self._mark = torch.zeros(1, dtype=torch.float64, device=device)
        self._has_ended = torch.ones(1, dtype=torch.bool, device=device)
        self._has_solved = torch.zeros(1, dtype=torch.bool, device=device)
        self._rows = torch.zeros((most_epochs, 4), device=device)
        self._row = torch.zeros(1, dtype=torch.int64, device=device)
        self._counts = (train.importances >= _LEAST_IMPORTANCE).float()
        self._nothing = torch.full((), torch.nan, dtype=torch.float64, device=device)
        self._epochs = Repeated(self._train_once, device)

    def train(self, epochs: int) -> OutputChunk:
        """Run a chunk of so many epochs, or fewer where the phase ends."""
        state = self.state
        n_features = state.weights.shape[1]
        changing = {
            "weights": self._weights[:, :n_features],
            "memory": self._memory[:, :n_features],
            "steps": self._steps[:, :n_features],
            "clock": self._clock,
            "mark": self._mark,
        }
        for name, tensor in changing.items():
            tensor.copy_(torch.tensor(getattr(state, name)))
        for tensor in (self._has_ended, self._has_solved, self._row):
            tensor.zero_()
        self._epochs.run(epochs)
        before = int(state.clock[0])
        for name, tensor in changing.items():
            getattr(state, name)[...] = tensor.cpu().numpy()
        rows = np.ascontiguousarray(self._rows[: int(state.clock[0]) - before].cpu().numpy())
        return OutputChunk(rows, bool(self._has_ended), bool(self._has_solved))

    def _train_once(self) -> None:
        """An epoch; where the phase has ended, nothing but a row that nobody reads."""
        train, held_out = self._train, self._held_out
        own = Response.of(self._weights, train, is_linear=self._is_linear)
        loss = own.loss(train.n)
        measured = [loss, self._accuracy(own, train), self._nothing, self._nothing]
        if held_out.n:
            other = Response.of(self._weights, held_out, is_linear=self._is_linear)
            measured[2:] = other.loss(held_out.n), self._accuracy(other, held_out)
        self._rows.index_copy_(0, self._row, torch.stack(measured).float().unsqueeze(0))
        self._row.add_(1)
        goes_on = self._conclude(loss, (own.errors * self._counts).abs().amax())
        slopes = sum_over_patterns(own.deltas, train.features[: self._weights.shape[1]], train.segments)
        slopes.mul_(1 / train.n)
        if self._ridge:
            slopes[:, 1:].add_(self._weights[:, 1:], alpha=self._ridge)
        self._step.take(self._weights, slopes, self._memory, self._steps, self._clock[0].double(), goes_on)

    def _accuracy(self, response: Response, patterns: OnDevice) -> Tensor:
        return self._nothing if self._is_linear else response.accuracy(patterns)

    def _conclude(self, loss: Tensor, largest: Tensor) -> Tensor:
        """Count an epoch, unless the phase has ended before: whether the phase goes on."""
        is_running = ~self._has_ended
        has_changed = ((loss - self._mark).abs() > self._change * self._mark) | (self._clock[0] == 0)
        epoch = self._clock[:1] + 1
        waited = (self._clock[1:] + 1).masked_fill(has_changed, 0)
        has_solved = largest.double() < self._near_enough
        replace(self._mark, is_running & has_changed, loss)
        replace(self._clock, is_running, torch.cat([epoch, waited]))
        replace(self._has_solved, is_running, has_solved)
        self._has_ended.logical_or_(has_solved | (waited >= self._patience) | (epoch >= self._max_epochs))
        return ~self._has_ended
