"""A grown network as named arrays, for the channel and for snapshots."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.engine.network import Network


def to_arrays(network: Network) -> dict[str, NDArray[np.float32]]:
    """`hidden_weights` are the units' rows one after another: unit i has 1 + inputs + i of them, bias first."""
    return {
        "feature_mean": network.feature_mean,
        "feature_scale": network.feature_scale,
        "hidden_weights": np.concatenate([np.empty(0, np.float32), *network.hidden_weights]),
        "output_weights": network.output_weights,
    }


def from_arrays(arrays: Mapping[str, NDArray[np.generic]], *, task: str, activation: str) -> Network:
    """The network of `to_arrays`. Raises ValueError when the arrays are not those of one network."""
    mean, scale, hidden, output = (
        np.asarray(arrays[name], np.float32)
        for name in ("feature_mean", "feature_scale", "hidden_weights", "output_weights")
    )
    n_features = 1 + len(mean)
    units = output.shape[1] - n_features if output.ndim == 2 else -1
    ends = np.cumsum([n_features + i for i in range(max(units, 0))], dtype=np.int64)
    if units < 0 or mean.shape != scale.shape or len(hidden) != (ends[-1] if units else 0):
        raise ValueError("the arrays do not make one network")
    if task not in ("classification", "regression") or activation != "tanh":
        raise ValueError(f"unknown task {task!r} or activation {activation!r}")
    return Network(
        feature_mean=mean,
        feature_scale=scale,
        hidden_weights=tuple(np.split(hidden, ends[:-1])) if units else (),
        output_weights=output,
        task="classification" if task == "classification" else "regression",
        activation="tanh",
    )
