"""The sets that the engine is measured on, as the data service makes them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.engine.network import Network
from juniper_cascor.engine.parameters import Parameters
from juniper_cascor.engine.training import Training


class Split(NamedTuple):
    """Inputs and class indices to train on, and to hold out."""

    x: NDArray[np.float32]
    labels: NDArray[np.int64]
    x_val: NDArray[np.float32]
    labels_val: NDArray[np.int64]


def cmu_spirals() -> Split:
    """The two spirals of CMU: 97 points and their negations."""
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    arm = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    x, labels = np.concatenate([arm, -arm]).astype(np.float32), np.repeat([1, 0], 97)
    return Split(x, labels, x[:0], labels[:0])


def demo_spirals() -> Split:
    """The demo: two arms of 200 points, three turns, noise 0.15, of which four fifths are trained on."""
    rng = np.random.default_rng(42)
    r, theta = np.linspace(0, 10, 200), np.linspace(0, 6 * np.pi, 200)
    arms = []
    for arm in range(2):
        x = r * np.cos(theta + arm * np.pi) + 0.15 * rng.standard_normal(200)
        y = r * np.sin(theta + arm * np.pi) + 0.15 * rng.standard_normal(200)
        arms.append(np.column_stack([x, y]))
    order = rng.permutation(400)
    points, labels = np.concatenate(arms).astype(np.float32)[order], np.repeat([0, 1], 200)[order]
    return Split(points[:320], labels[:320], points[320:], labels[320:])


def one_hot(labels: NDArray[np.int64], n_classes: int = 2) -> NDArray[np.float32]:
    """A column for each class."""
    return np.eye(n_classes, dtype=np.float32)[labels]


def one_column(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Two classes in a single column of 0 and 1."""
    return labels[:, np.newaxis].astype(np.float32)


def noisy_points(
    n: int, n_inputs: int = 3, n_classes: int = 2, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points whose class is not to be had without hidden units; every class occurs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_inputs)).astype(np.float32)
    labels = (np.abs(x).sum(axis=1) * 2).astype(np.int64) % n_classes
    labels[:n_classes] = np.arange(n_classes)
    return x, one_hot(labels, n_classes)


def grown(training: Training, max_epochs: int | None = None) -> Training:
    """Advance to the end."""
    while training.finished is None:
        training.advance(max_epochs)
    return training


def assert_same_network(network: Network, other: Network) -> None:
    """Compare bit for bit."""
    assert network.output_weights.tobytes() == other.output_weights.tobytes()
    assert [w.tobytes() for w in network.hidden_weights] == [w.tobytes() for w in other.hidden_weights]


FAST = Parameters(max_hidden_units=3, candidate_pool_size=4, candidate_epochs=20, output_epochs=20)
"""Short phases, for tests of how a training runs rather than of what it learns."""

KINDS = {
    "defaults": FAST,
    "quickprop": replace(FAST, optimizer_type="quickprop", candidate_optimizer_type="quickprop"),
    "adam": replace(FAST, optimizer_type="adam", candidate_optimizer_type="adam"),
    "mixed siblings": replace(
        FAST, activation_function_name="sin+gaussian+sigmoid", candidate_placement="sibling-or-descendant"
    ),
    "normalised": replace(FAST, candidate_objective="normalised", output_ridge=1e-3, class_weights="balanced"),
    "early stopping": replace(FAST, validation_patience=1, max_hidden_units=6),
}
"""Short trainings of every kind."""
