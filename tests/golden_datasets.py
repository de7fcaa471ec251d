"""Datasets of every generator, to hold their bytes under the pinned NumPy on x86-64.

`scripts/golden-datasets` writes what they are to `tests/data/golden-datasets.json`.
"""

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from juniper_common.wire.datasets import JsonObject
from juniper_data.generators import generators
from juniper_data.identity import dataset_id
from juniper_data.making import generated

FILE = Path(__file__).parent / "data" / "golden-datasets.json"

PARAMETER_SETS: Mapping[str, Sequence[JsonObject]] = {
    "checkerboard": (
        {},
        {"seed": 1, "n_samples": 999, "n_squares": 7, "noise": 0.05},
        {"seed": 2, "n_squares": 2, "x_range": [-3, 5], "y_range": [10, 10.5], "val_ratio": 0.1, "test_ratio": 0.1},
        {"seed": 3, "shuffle": False},
    ),
    "circles": (
        {},
        {"seed": 1, "n_samples": 501, "noise": 0.1, "factor": 0.8},
        {"seed": 2, "inner_ratio": 0.2, "outer_radius": 4, "train_ratio": 0.5},
        {"seed": 3, "shuffle": False, "noise": 0.02},
    ),
    "cmu_spirals": (
        {},
        {"seed": 1, "train_ratio": 0.5, "test_ratio": 0.5},
        {"shuffle": False},
    ),
    "gaussian": (
        {},
        {"seed": 1, "n_classes": 5, "n_samples_per_class": 77, "center_radius": 6, "noise": 0.2},
        {"seed": 2, "n_classes": 3, "class_std": [0.5, 1, 2], "centers": [[0, 0], [4, 0], [0, 4]]},
        {"seed": 3, "n_features": 20, "val_ratio": 0.2, "train_ratio": 0.6},
        {"seed": 4, "shuffle": False, "class_std": 0.1},
    ),
    "moon": (
        {},
        {"seed": 1, "n_samples": 501, "noise": 0.3},
        {"seed": 2, "noise": 0, "train_ratio": 0.7, "val_ratio": 0.1},
        {"seed": 3, "shuffle": False},
    ),
    "parity": (
        {},
        {"seed": 1, "n_bits": 12, "train_ratio": 0.75, "test_ratio": 0.25},
        {"n_bits": 2, "shuffle": False},
    ),
    "spiral": (
        {},
        {"seed": 7, "n_points": 200, "noise": 0.15},
        {"algorithm": "legacy_cascor"},
        {"seed": 1, "n_spirals": 3, "n_points": 10_000, "noise": 1.5, "val_ratio": 0.1, "test_ratio": 0.1},
        {"shuffle": False, "clockwise": False, "origin": [1, -2], "n_rotations": 1.5, "radius": 4},
        {"seed": 2, "algorithm": "legacy_cascor", "n_spirals": 10, "n_points": 1000, "noise": 0, "clockwise": False},
    ),
    "xor": (
        {},
        {"seed": 9},
        {"seed": 1, "noise": 0.3, "margin": 0, "x_range": 3, "y_range": 100},
        {"seed": 2, "n_points_per_quadrant": 10_000, "val_ratio": 0.1, "test_ratio": 0.1},
        {"shuffle": False, "train_ratio": 0.5, "test_ratio": 0.1},
    ),
}


class GoldenDataset(BaseModel):
    """A request, and the dataset that it has to give."""

    generator: str
    params: JsonObject
    dataset_id: str
    sha256: str


class GoldenDatasets(BaseModel):
    """The datasets, and the NumPy that made them."""

    numpy: str
    datasets: list[GoldenDataset]


def written() -> GoldenDatasets:
    """What the file says."""
    return GoldenDatasets.model_validate_json(FILE.read_text())


def remade() -> Iterator[GoldenDataset]:
    """What the generators make here and now."""
    for name, parameter_sets in PARAMETER_SETS.items():
        generator = generators()[name]
        for params in parameter_sets:
            parameters = generator.parameters.model_validate(params)
            new_id = dataset_id(name, generator.version, parameters.model_dump(mode="json"))
            with generated(generator, parameters) as made:
                yield GoldenDataset(generator=name, params=params, dataset_id=new_id, sha256=made.facts.checksum)


def pinned_numpy() -> str:
    """The version that constraints.txt asks for."""
    constraints = Path(__file__).parent.parent / "constraints.txt"
    pin = re.search(r"^numpy==(\S+)$", constraints.read_text(), re.MULTILINE)
    assert pin
    return pin[1]


def other_bytes() -> str | None:
    """Why the bytes may be others here; None: they may not."""
    if platform.machine() != "x86_64":
        return f"the golden datasets are of x86-64, not of {platform.machine()}"
    if np.__version__ != pinned_numpy():
        return f"the golden datasets are of numpy {pinned_numpy()}, not of {np.__version__}"
    return None
