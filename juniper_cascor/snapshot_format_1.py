"""Snapshots of format 1, which had no seal: read by being upgraded.

Its digest covers the card and the arrays, not the bytes of HDF5 around them. Every hidden unit was tanh and saw all
units before it. The state in it belongs to an engine that is no longer there, so it is left out: the network predicts
and can be grown on from, but its training cannot be resumed.
"""

import hashlib
import io
from typing import Any

import numpy as np
import orjson

from juniper_cascor import plain_hdf5
from juniper_cascor.plain_hdf5 import Arrays


class NoCardError(ValueError):
    """A sound HDF5 file of something else: it has no card."""


def read(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """The card's fields and the network's arrays, as the present format has them.

    Raises:
        NoCardError: another program wrote it.
        PlainHdf5Error, OSError, RuntimeError, KeyError, TypeError, ValueError: it is damaged, or no such file.
    """
    import h5py  # only now, as in plain_hdf5

    with h5py.File(io.BytesIO(content), "r") as file:
        if "card" not in file.attrs:
            raise NoCardError("it is an HDF5 file of another program: it has no card")
        text = str(file.attrs["card"])
        groups = plain_hdf5.read_groups(file, ("network", "state"), len(content))
        if file.attrs["digest"] != _digest(text, groups):
            raise ValueError("its content does not match its digest")
    card: dict[str, Any] = orjson.loads(text)
    if card.pop("activation", "tanh") != "tanh":
        raise ValueError("it has another activation than tanh")
    network = groups["network"]
    n_features = 1 + len(network["feature_mean"])
    n_units = network["output_weights"].shape[1] - n_features
    derived: Arrays = {
        "fan_ins": n_features + np.arange(n_units, dtype=np.int64),
        "activations": np.zeros(n_units, np.uint8),
    }
    doubles = {name: network[name].astype(np.float64) for name in ("feature_mean", "feature_scale", "output_weights")}
    return card, {**derived, **network, **doubles}


def _digest(text: str, groups: dict[str, Arrays]) -> str:
    digest = hashlib.sha256(text.encode())
    for group, arrays in groups.items():
        for name in sorted(arrays):
            array = arrays[name]
            digest.update(f"{group}/{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
