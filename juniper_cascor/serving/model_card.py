"""What is said of a version of a named model: its snapshot's card, its network's size and its last metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from juniper_common.wire.models import ModelCard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from juniper_cascor.serving.model_folder import Note
    from juniper_cascor.snapshots import Snapshot

METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


def model_card(name: str, version: int, note: Note, snapshot: Snapshot) -> ModelCard:
    """The card of a version that answers."""
    card, network = snapshot.card, snapshot.network
    return ModelCard(
        name=name,
        version=version,
        is_current=True,
        created_at=note.created_at,
        trained_at=card.created_at,
        snapshot_id=note.snapshot_id,
        run_id=card.run_id,
        notes=note.notes,
        task=network.task,
        n_inputs=network.n_inputs,
        n_outputs=network.n_outputs,
        hidden_units=network.n_hidden_units,
        activations=list(network.activations),
        labels=card.labels,
        feature_names=card.feature_names,
        dataset_id=card.dataset_id,
        dataset_checksum=card.dataset_checksum,
        seed=card.seed,
        parameters=card.parameters,
        backend=card.backend,
        versions=card.versions,
        epoch=card.epoch,
        outcome=card.outcome,
        metrics=_last(snapshot.metrics),
    )


def _last(metrics: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The last value of each column that is defined."""
    finite = {name: metrics[name][np.isfinite(metrics[name])] for name in METRICS if name in metrics}
    return {name: float(column[-1]) for name, column in finite.items() if len(column)}
