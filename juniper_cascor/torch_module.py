"""A grown network as a PyTorch module: to fine-tune, to serve, to export. Importing this module loads torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from juniper_cascor.engine.network import MAX_INPUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.engine.activations import Activation
    from juniper_cascor.engine.network import Network


class CascadeModule(nn.Module):
    """Inputs [n, features] as they are measured → what `Network.outputs` says, [n, outputs], in the inputs' type.

    It computes in double precision, as `Network.outputs` does, for a cascade amplifies rounding errors; `.float()`
    makes it compute in single precision, off by 1e-5 and more in deep networks. The hidden units are frozen, as in the
    paper (`requires_grad` is False); the output layer can be trained, and `requires_grad_()` thaws all.

    The state dict has `feature_mean` and `feature_scale`, `hidden.I.weight` [1, inputs + units that unit I sees],
    `hidden.I.bias` [1], `output.weight` [outputs, inputs + units] and `output.bias` [outputs].
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.activations: tuple[Activation, ...] = network.activations
        self.task = network.task
        self.register_buffer("feature_mean", _double(network.feature_mean))
        self.register_buffer("feature_scale", _double(network.feature_scale))
        self.hidden = nn.ModuleList(_linear(weights[np.newaxis]) for weights in network.hidden_weights)
        self.hidden.requires_grad_(requires_grad=False)
        self.output = _linear(network.output_weights)
        self.eval()  # it does the same in either mode, but exporters warn of the other

    def forward(self, x: Tensor) -> Tensor:
        """What the output units say to each pattern: in (0, 1) for classification, values for regression."""
        inputs = x.to(self.feature_mean.dtype)
        features = ((inputs - self.feature_mean) / self.feature_scale).clamp(-MAX_INPUT, MAX_INPUT)
        for unit, activation in zip(self.hidden, self.activations, strict=True):
            seen = features[:, : unit.in_features]
            features = torch.cat([features, _activate(activation, unit(seen))], dim=1)
        sums = self.output(features)
        return (sums if self.task == "regression" else torch.sigmoid(sums)).to(x.dtype)


def _activate(activation: Activation, sums: Tensor) -> Tensor:
    """See `juniper_cascor.engine.activations.activate`."""
    if activation == "tanh":
        return torch.tanh(sums)
    if activation == "sigmoid":
        return torch.sigmoid(sums) - 0.5
    if activation == "gaussian":
        bounded = sums.clamp(-20, 20)
        return torch.exp(-0.5 * bounded * bounded)
    return torch.sin(sums)


def _linear(weights: NDArray[np.float32]) -> nn.Linear:
    """A layer of these weights [units, 1 + inputs], bias first."""
    rows = _double(weights)
    # skip_init: initialising would draw from torch's global random numbers, for nothing.
    layer: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Linear, rows.shape[1] - 1, len(rows), dtype=rows.dtype
    )
    # Copies: exporters keep whole tensors, not parts of one.
    layer.weight = nn.Parameter(rows[:, 1:].clone())
    layer.bias = nn.Parameter(rows[:, 0].clone())
    return layer


def _double(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(values.astype(np.float64))
