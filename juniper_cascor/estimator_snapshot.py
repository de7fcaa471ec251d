"""A fitted estimator as a snapshot, the file that the training service writes too, and back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from juniper_cascor import versions
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.growing import Growth
from juniper_cascor.snapshots import Card, Snapshot, SnapshotError

if TYPE_CHECKING:
    from juniper_cascor.estimator_base import CascadeCorrelation
    from juniper_cascor.growing import Ending

    Estimator = TypeVar("Estimator", bound=CascadeCorrelation)


def snapshot_of(estimator: CascadeCorrelation) -> Snapshot:
    """What a file of this fitted estimator holds: all but the state of the training, which has ended."""
    names = getattr(estimator, "feature_names_in_", None)
    classes = getattr(estimator, "classes_", None)
    card = Card(
        epoch=estimator.n_iter_,
        hidden_units=estimator.n_hidden_units_,
        created_at=time.time(),
        seed=estimator.seed_,
        task=estimator.network_.task,
        parameters=estimator.parameters_.as_dict(),
        backend=estimator.backend_,
        versions=versions.here(),
        labels=None if classes is None else classes.tolist(),
        feature_names=None if names is None else names.tolist(),
        outcome=estimator.outcome_,
    )
    return Snapshot(card, estimator.network_, metrics=estimator.metrics_)


def estimator_of(kind: type[Estimator], snapshot: Snapshot) -> Estimator:
    """The fitted estimator of a snapshot; its parameters say how it was trained.

    Raises:
        SnapshotError: the network is for another task than this kind of estimator, or this version does not know what
            it was trained with.
    """
    card, network = snapshot.card, snapshot.network
    if card.task != kind.task:
        raise SnapshotError(f"it holds a network for {card.task}, and {kind.__name__} is for {kind.task}")
    try:
        parameters = Parameters(**card.parameters)  # type: ignore[arg-type] # it validates itself
    except (TypeError, ParameterError) as error:
        raise SnapshotError(f"it was trained with what this version does not know: {error}") from error
    # Of all presets the default one has None wherever None is a value, so that what differs says everything.
    estimator, preset = kind(preset="default", random_state=card.seed), Parameters()
    for name in set(parameter_fields()) & set(estimator.get_params()):
        if (value := getattr(parameters, name)) != getattr(preset, name):
            setattr(estimator, name, value)
    ending = cast("Ending | None", card.outcome)
    estimator.become(Growth(network, ending, card.epoch, card.backend, snapshot.metrics), parameters, card.seed)
    estimator.n_features_in_ = network.n_inputs
    if card.feature_names is not None:
        estimator.feature_names_in_ = np.array(card.feature_names, dtype=object)
    estimator.become_labelled(card.labels)
    return estimator
