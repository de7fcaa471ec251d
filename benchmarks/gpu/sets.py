"""What whole trainings are measured on, made of NumPy alone: a GPU's machine need not have what the services need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.engine.parameters import Parameters

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Patterns to train on, and perhaps others to test on."""

    x: Floats  # [n, inputs]
    labels: Labels  # [n]
    x_test: Floats | None = None
    test_labels: Labels | None = None

    @property
    def targets(self) -> Floats:
        """0 and 1; two classes take one column."""
        n_classes = int(self.labels.max()) + 1
        one_hot = np.eye(n_classes, dtype=np.float32)[self.labels]
        return one_hot if n_classes > 2 else one_hot[:, 1:]


@dataclass(frozen=True, slots=True)
class Problem:
    """A set, and how it is trained."""

    name: str
    about: str
    pools: tuple[int, ...]
    make: Callable[[int], Patterns] = field(repr=False)  # of a seed
    parameters: Parameters = field(default_factory=Parameters)
    most_cpu_pool: int = 1_000_000  # with more the CPU would take minutes


def cmu_spirals(_: int) -> Patterns:
    """The two spirals of CMU, the same for each seed (Fahlman & Lebiere 1990)."""
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    positive = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]).astype(np.float32)
    return Patterns(np.concatenate([positive, -positive]), np.repeat([1, 0], 97))


def spirals(seed: int) -> Patterns:
    """Two spirals of 200 points and 1.5 turns; as benchmarks.engine draws them."""
    rng = np.random.default_rng(seed)
    radius, turned = np.linspace(0, 10, 200), np.linspace(0, 3 * np.pi, 200)
    arms = [
        np.column_stack([radius * of(turned + offset) + 0.15 * rng.standard_normal(200) for of in (np.cos, np.sin)])
        for offset in (0, np.pi)
    ]
    return Patterns(np.concatenate(arms).astype(np.float32), np.repeat([0, 1], 200))


def parity(_: int) -> Patterns:
    """Every pattern of eight bits, each ±1, and whether an odd number is +1."""
    bits = (np.arange(256)[:, np.newaxis] >> np.arange(8)) & 1
    return Patterns(2 * bits.astype(np.float32) - 1, bits.sum(axis=1) % 2)


def clusters(n_patterns: int, n_inputs: int, n_informative: int, n_classes: int) -> Patterns:
    """Two clusters a class, stretched at random, among inputs of noise; a sixth as many patterns to test on.

    2 % of the labels are of any class. It is what scikit-learn's make_classification makes, without its shuffling.
    """
    rng = np.random.default_rng(0)
    n = n_patterns + n_patterns // 6
    x = rng.standard_normal((n, n_inputs), np.float32)
    cluster = rng.integers(0, 2 * n_classes, n)
    for each in range(2 * n_classes):
        stretch = rng.uniform(-1, 1, (n_informative, n_informative)).astype(np.float32)
        centre = rng.choice(np.array([-1, 1], np.float32), n_informative)
        x[cluster == each, :n_informative] = x[cluster == each, :n_informative] @ stretch + centre
    labels = np.where(rng.random(n) < 0.02, rng.integers(0, n_classes, n), cluster % n_classes)
    return Patterns(x[:n_patterns], labels[:n_patterns], x[n_patterns:], labels[n_patterns:])


@cache
def _large() -> Patterns:
    return clusters(10_000, 64, 16, 4)


@cache
def _largest() -> Patterns:
    return clusters(60_000, 784, 64, 10)


PROBLEMS = (
    Problem("CMU spirals", "2 × 97 points, no noise", (8, 128, 1024), cmu_spirals),
    Problem("spirals, 1.5 turns", "2 × 200 points, σ 0.15, drawn anew for each seed", (8, 1024), spirals),
    Problem("8-bit parity", "256 patterns", (8, 1024), parity),
    Problem(
        "10k × 64",
        "16 informative inputs, 4 classes; 2 hidden units",
        (8, 1024),
        lambda _: _large(),
        Parameters(max_hidden_units=2),
    ),
    Problem(
        "60k × 784",
        "64 informative inputs, 10 classes; 1 hidden unit, at most 40 epochs a phase",
        (128, 1024),
        lambda _: _largest(),
        Parameters(max_hidden_units=1, candidate_epochs=40, output_epochs=40),
        most_cpu_pool=128,
    ),
)
