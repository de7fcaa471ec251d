"""A small snapshot with everything in it, and what others may have made of it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from juniper_cascor import snapshot_seal, snapshots
from juniper_cascor.engine.network import Network
from juniper_cascor.snapshots import METRICS, Card, Snapshot

CARD = Card(
    run_id="20260101-000000-abcdef01",
    epoch=120,
    hidden_units=2,
    created_at=1.5,
    seed=7,
    task="classification",
    parameters={"max_hidden_units": 64, "patience": None},
    dataset_id="xor-1.0.0-0",
    dataset_checksum="00",
    backend="numba",
    versions={"numpy": "2"},
    labels=["setosa", "virginica"],
    feature_names=["width", "length"],
)
NETWORK = Network(
    feature_mean=np.array([1, 2], np.float32),
    feature_scale=np.array([3, 4], np.float32),
    hidden_weights=(np.array([1, 2, 3], np.float32), np.array([4, 5, 6, 7], np.float32)),
    activations=("tanh", "sin"),
    output_weights=np.arange(10, dtype=np.float32).reshape(2, 5),
)
STATE = {
    "counter": np.array(3),
    "active": np.array([True, False]),
    "none": np.empty((0, 3), np.float32),
    "steps": np.linspace(0, 1, 7, dtype=np.float32),
}
N_ROWS = 4
COLUMNS = {name: np.arange(N_ROWS).astype(dtype) for name, dtype in METRICS.items()}
SNAPSHOT = Snapshot(CARD, NETWORK, STATE, COLUMNS)

Change = Callable[[Any], object]


def snapshot_with(path: Path, change: Change) -> Path:
    """A snapshot whose HDF5 file was changed, sealed as if it had been written so."""
    snapshots.write(path, SNAPSHOT)
    buffer = io.BytesIO(path.read_bytes())
    with h5py.File(buffer, "r+") as file:
        change(file)
    snapshot_seal.seal(buffer.getbuffer(), snapshots.FORMAT)
    path.write_bytes(buffer.getvalue())
    return path


def set_card(text: bytes) -> Change:
    """Another text in the card's place."""

    def change(file: Any) -> None:
        del file["card"]
        file["card"] = np.bytes_(text)

    return change
