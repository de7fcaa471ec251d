"""A fitted estimator as a snapshot, the file that the training service writes too, and back."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np

from juniper_cascor import versions
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.parameters import Parameters, parameter_fields
from juniper_cascor.growing import Growth
from juniper_cascor.snapshots import Card, Snapshot, SnapshotError

Label: TypeAlias = str | int | float | bool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from juniper_cascor.estimator_base import CascadeCorrelation
    from juniper_cascor.growing import Ending

    Estimator = TypeVar("Estimator", bound=CascadeCorrelation)


def snapshot_of(estimator: CascadeCorrelation) -> Snapshot:
    """What a file of this fitted estimator holds: all but the state of the training, which has ended.

    Raises:
        TypeError: its labels are of a type that a card does not have.
        ValueError: a label or the name of an input is a text that a card cannot hold.
    """
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
        versions=versions.here(estimator.backend_),
        labels=None if classes is None else _as_labels(classes),
        feature_names=None if names is None else [_as_text(name) for name in names.tolist()],
        outcome=estimator.outcome_,
        estimator=_as_given(estimator),
        target_dimensions=estimator._target_dimensions,
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
    estimator = _untrained(kind, card, parameters)
    ending = cast("Ending | None", card.outcome)
    estimator.become(Growth(network, ending, card.epoch, card.backend, snapshot.metrics), parameters, card.seed)
    estimator.n_features_in_ = network.n_inputs
    if card.feature_names is not None:
        estimator.feature_names_in_ = np.array(card.feature_names, dtype=object)
    try:
        estimator.become_labelled(card)
    except (ValueError, OverflowError) as error:
        raise SnapshotError(f"its labels cannot be read: {error}") from error
    return estimator


def as_classes(labels: list[Label]) -> NDArray[Any]:
    """The labels of a card, which are of one type, as an array. Raises OverflowError for numbers beyond 64 bits."""
    is_large = any(isinstance(label, int) and label > np.iinfo(np.int64).max for label in labels)
    # numpy would take both kinds of whole numbers together as floating-point ones.
    return np.array(labels, np.uint64 if is_large else None)


def _as_labels(classes: NDArray[Any]) -> list[Label]:
    """Classes as a card has them, where they come back the same."""
    labels = classes.tolist()
    if classes.dtype.kind in "mM" or not all(isinstance(label, str | int | float) for label in labels):
        raise TypeError(f"labels of type {classes.dtype} cannot be kept in a file; strings, numbers and booleans can")
    kept = [_as_text(label) if isinstance(label, str) else label for label in labels]
    for label, again in zip(labels, as_classes(kept).tolist(), strict=True):
        if again != label:
            raise ValueError(f"the label {label!r} cannot be kept in a file: it would come back as {again!r}")
    return kept


def _as_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{text!r} cannot be kept in a file: it is no Unicode text") from error
    return str(text)


def _as_given(estimator: CascadeCorrelation) -> dict[str, Label | None]:
    """The constructor's parameters, those of JSON's types; seed and class weights are in the card anyway."""
    given = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in estimator.get_params().items()
        if name not in ("random_state", "class_weight")
    }
    return {name: value for name, value in given.items() if value is None or isinstance(value, str | int | float)}


def _untrained(kind: type[Estimator], card: Card, parameters: Parameters) -> Estimator:
    """An estimator that trains with these parameters: told them as it was, where the file says how."""
    given = card.estimator or {}
    try:
        estimator = kind(**given, random_state=card.seed)
    except TypeError as error:
        raise SnapshotError(f"it was trained with what this version does not know: {error}") from error
    if given:
        changes = {"class_weights": parameters.class_weights} if card.task == "classification" else {}
        # Where nothing was held out, and there is a patience nevertheless, it was given: this changes nothing then.
        is_held_out = parameters.validation_patience is not None
        # They may have been set to others since, and a preset may mean others in this version.
        with contextlib.suppress(ParameterError):
            if estimator._parameters(changes, is_held_out=is_held_out) == parameters:
                return estimator
    own = {name: given[name] for name in ("validation_fraction", "n_jobs", "verbose") if name in given}
    # Of all presets the default one has None wherever None is a value, so that what differs says everything.
    estimator, preset = kind(preset="default", random_state=card.seed, **own), Parameters()
    for name in set(parameter_fields()) & set(estimator.get_params()):
        if (value := getattr(parameters, name)) != getattr(preset, name):
            setattr(estimator, name, value)
    return estimator
