"""The snapshots of a run that grew a hidden unit each 100 epochs, of which the last 50 trained candidates."""

from pathlib import Path

import numpy as np

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.history import ROW, Rows
from juniper_cascor.runs.snapshot_files import id_of
from juniper_cascor.snapshots import METRICS, Snapshot
from tests.unit.juniper_cascor.snapshot_data import CARD

RUN = str(CARD.run_id)
N_UNITS = 3
EPOCHS = 100
IDS = [id_of(f"{RUN}/{units:05}-{units * EPOCHS:09}.h5") for units in (1, 2, 3)]


def rows(n_units: int) -> Rows:
    """The metrics up to the installation of so many units; the score of a candidate epoch is a thousandth of it."""
    made = np.zeros(n_units * EPOCHS, ROW)
    made["epoch"] = np.arange(1, len(made) + 1)
    made["time"] = made["epoch"]
    made["train_loss"] = 1 / made["epoch"]
    made["hidden_units"] = (made["epoch"] - 1) // EPOCHS
    made["phase"] = (made["epoch"] - 1) % EPOCHS >= EPOCHS // 2
    made["score"] = np.where(made["phase"] == 1, made["epoch"] / 1_000, np.nan)
    return made


def network(n_units: int) -> Network:
    """A network of two inputs and two classes."""
    return Network(
        feature_mean=np.zeros(2),
        feature_scale=np.ones(2),
        hidden_weights=tuple(np.ones(3 + i, np.float32) for i in range(n_units)),
        activations=tuple("tanh" for _ in range(n_units)),
        output_weights=np.ones((2, 3 + n_units)),
    )


def write_growth(folder: Path) -> list[Path]:
    """Write the run's snapshots; where they stand."""
    return [snapshot_folder.write(folder, _snapshot(n_units)) for n_units in range(1, N_UNITS + 1)]


def _snapshot(n_units: int) -> Snapshot:
    card = CARD.model_copy(update={"epoch": n_units * EPOCHS, "hidden_units": n_units})
    return Snapshot(card, network(n_units), metrics={name: rows(n_units)[name] for name in METRICS})
