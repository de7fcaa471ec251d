"""A training in a process of its own, to be killed.

`python -m tests.integration.resumed_run FOLDER CASE MAX_EPOCHS THREADS`

It takes up the run from its newest snapshot that reads well, or starts it where there is none, and says so with a byte.
For each byte on its standard input it trains one chunk of at most MAX_EPOCHS epochs, writes a snapshot, and answers
with a byte: so the one who kills it knows that it is at work, and that it cannot be further than was allowed.
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from juniper_cascor import versions
from juniper_cascor.engine.backend import BackendName
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training
from juniper_cascor.resuming import resume
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.history import ROW
from juniper_cascor.runs.recording import Curve
from juniper_cascor.snapshots import Card, Snapshot
from tests.unit.juniper_cascor.engine.data import cmu_spirals, one_hot

RUN = "20260101-000000-00000000"
SEED = 11


@dataclass(frozen=True)
class Data:
    """What a case trains on."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    x_val: NDArray[np.float32] | None = None
    y_val: NDArray[np.float32] | None = None


def spirals() -> Data:
    """The CMU spirals, two classes in two columns."""
    points = cmu_spirals()
    return Data(points.x, one_hot(points.labels))


def waves() -> Data:
    """Two values of three inputs, and patterns that are held out."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (240, 3))
    y = np.column_stack([np.sin(x @ [1, 2, 3]), x[:, 0] * x[:, 1]]) + rng.normal(0, 0.2, (240, 2))
    return halves(x, y)


def blobs() -> Data:
    """Two classes in one column that overlap, and patterns that are held out."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(240, 4))
    return halves(x, x[:, :1] * x[:, 1:2] + rng.normal(0, 0.5, (240, 1)) > 0)


def halves(x: NDArray[np.float64], y: NDArray[np.generic]) -> Data:
    """The first half to train on, the second one to watch."""
    inputs, targets = x.astype(np.float32), y.astype(np.float32)
    n = len(x) // 2
    return Data(inputs[:n], targets[:n], inputs[n:], targets[n:])


@dataclass(frozen=True)
class Case:
    """A training: what it is told, on what, and by which back end."""

    data: Data
    parameters: Parameters
    backend: BackendName


SHORT = Parameters(max_hidden_units=8)

CASES = {
    "defaults": Case(spirals(), Parameters(), "numba-serial"),
    "parallel": Case(spirals(), Parameters(candidate_pool_size=12), "numba-parallel"),
    "batched": Case(spirals(), Parameters(candidate_pool_size=12), "numba-batched"),
    "quickprop": Case(
        spirals(), replace(SHORT, optimizer_type="quickprop", candidate_optimizer_type="quickprop"), "numba-serial"
    ),
    "adam": Case(spirals(), replace(SHORT, optimizer_type="adam", candidate_optimizer_type="adam"), "numba-parallel"),
    "compact, siblings": Case(
        spirals(),
        Parameters.preset("compact", candidate_placement="sibling-or-descendant", max_hidden_units=8),
        "numba-batched",
    ),
    "regression": Case(waves(), Parameters.preset("regression", max_hidden_units=8, output_ridge=1e-3), "numba-serial"),
    "validation": Case(blobs(), Parameters(validation_patience=3, class_weights="balanced"), "numba-parallel"),
}


def begun(case: Case) -> Training:
    """The case's training before its first epoch."""
    data = case.data
    return Training.start(
        data.x, data.y, case.parameters, seed=SEED, x_val=data.x_val, y_val=data.y_val, backend=case.backend
    )


def snapshot_of(training: Training, curve: Curve) -> Snapshot:
    """The training between two chunks."""
    network = training.network
    card = Card(
        run_id=RUN,
        epoch=training.epoch,
        hidden_units=network.n_hidden_units,
        created_at=time.time(),
        seed=SEED,
        task=network.task,
        parameters=training.parameters.as_dict(),
        backend=training.backend,
        versions=versions.here(),
        outcome=training.finished,
    )
    return Snapshot(card, network, training.state(), curve.columns())


def advance(training: Training, curve: Curve, max_epochs: int | None) -> None:
    """One chunk."""
    progress = training.advance(max_epochs)
    rows = np.zeros(len(progress.rows), ROW)
    for name in ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "score"):
        rows[name] = getattr(progress.rows, name)
    rows["hidden_units"] = progress.n_hidden_units
    rows["phase"] = progress.phase == "candidate"
    curve.append(rows)


def main(folder: Path, case: Case, max_epochs: int, threads: int) -> None:
    """Train while told to."""
    snapshot = snapshot_folder.newest(folder, RUN)
    data = case.data
    training = (
        begun(case)
        if snapshot is None
        else resume(snapshot, data.x, data.y, x_val=data.x_val, y_val=data.y_val, threads=threads)
    )
    curve = Curve(None if snapshot is None else snapshot.metrics)
    os.write(1, b".")
    while training.finished is None and os.read(0, 1):
        advance(training, curve, max_epochs)
        snapshot_folder.write(folder, snapshot_of(training, curve))
        os.write(1, b".")


if __name__ == "__main__":
    main(Path(sys.argv[1]), CASES[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4]))
