"""The data that all are measured on. A set is made for a seed: all who train with that seed get the same arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.model_selection import train_test_split

from juniper_data.generators import generators

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

SPIRAL_SETS = ("CMU spirals", "spirals, 1.5 turns", "spirals, 3 turns")

_TEST_SHARE = VALIDATION_SHARE = 0.25
_FRESH_DRAW = 10_000  # added to a seed, for patterns to test on


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Inputs and the class of each."""

    x: Floats  # [n, inputs]
    labels: Labels  # [n]

    def targets(self, n_classes: int, *, one_hot: bool = False) -> Floats:
        """0 and 1, [n, classes]; two classes take one column, unless one_hot."""
        if n_classes == 2 and not one_hot:
            return self.labels[:, np.newaxis].astype(np.float32)
        return np.eye(n_classes, dtype=np.float32)[self.labels]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Patterns to train on, and perhaps others to test on."""

    train: Patterns
    test: Patterns | None = None
    has_noise: bool = (
        False  # then the size of what is trained is chosen on held-out patterns; else all are to be learnt
    )

    @property
    def n_classes(self) -> int:
        """Classes there are."""
        return int(self.train.labels.max()) + 1

    def held_out(self, seed: int) -> tuple[Patterns, Patterns]:
        """The training patterns, less a quarter to choose a size on; and that quarter."""
        return _split(self.train.x, self.train.labels, VALIDATION_SHARE, seed)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dataset comes from."""

    name: str
    about: str
    make: Callable[[int], Dataset] = field(repr=False)


def cmu_spirals(_: int) -> Dataset:
    """The two spirals of CMU, the same for each seed."""
    return Dataset(_generated("cmu_spirals", {}))


def _spirals(n_rotations: float, noise: float) -> Callable[[int], Dataset]:
    """As many points again to test on, from another draw of the noise."""
    fixed = {"n_points_per_spiral": 200, "n_rotations": n_rotations, "noise": noise}

    def make(seed: int) -> Dataset:
        train, test = (_generated("spiral", fixed | {"seed": each}) for each in (seed, seed + _FRESH_DRAW))
        return Dataset(train, test)

    return make


def _generated(name: str, params: dict[str, Any]) -> Patterns:
    generator = generators()[name]
    parameters = generator.parameters.model_validate(params)
    points = generator.generate(parameters, np.random.default_rng(parameters.seed))
    return Patterns(points.X.astype(np.float32), points.labels)


def parity(n_bits: int) -> Callable[[int], Dataset]:
    """Every pattern of so many bits, each ±1, and whether an odd number is +1; the same for each seed."""
    bits = (np.arange(2**n_bits)[:, np.newaxis] >> np.arange(n_bits)) & 1
    data = Dataset(Patterns(2 * bits.astype(np.float32) - 1, bits.sum(axis=1) % 2))
    return lambda _: data


def _real(load: Callable[[], tuple[NDArray[np.float64], Labels]]) -> Callable[[int], Dataset]:
    def make(seed: int) -> Dataset:
        x, labels = load()
        return Dataset(*_split(x.astype(np.float32), labels, _TEST_SHARE, seed), has_noise=True)

    return make


def _split(x: Floats, labels: Labels, share: float, seed: int) -> tuple[Patterns, Patterns]:
    x_kept, x_apart, kept, apart = train_test_split(x, labels, test_size=share, random_state=seed, stratify=labels)
    return Patterns(x_kept, kept), Patterns(x_apart, apart)


@cache
def _synthetic() -> tuple[NDArray[np.float64], Labels]:
    x, labels = make_classification(
        n_samples=13_333, n_features=64, n_informative=16, n_classes=4, flip_y=0.02, random_state=0
    )
    return x, labels.astype(np.int64)


SOURCES = (
    Source("CMU spirals", "2 × 97 points, no noise", cmu_spirals),
    Source("spirals, 1.5 turns", "2 × 200 points, σ 0.15, drawn anew for each seed", _spirals(1.5, 0.15)),
    Source("spirals, 3 turns", "2 × 200 points, σ 0.2, drawn anew for each seed", _spirals(3.0, 0.2)),
    Source("8-bit parity", "256 patterns", parity(8)),
    Source("breast cancer", "569 × 30, a quarter to test on", _real(lambda: load_breast_cancer(return_X_y=True))),
    Source("digits", "1797 × 64, 10 classes, a quarter to test on", _real(lambda: load_digits(return_X_y=True))),
    Source("10k × 64", "make_classification: 16 informative inputs of 64, 4 classes", _real(_synthetic)),
)
