"""The two-spirals benchmark of the CMU collection: 194 fixed points, no noise (Fahlman & Lebiere 1990)."""

import numpy as np

from juniper_data.generators.base import Generator, LabelledPoints, WholeSetParameters

POINTS_PER_SPIRAL = 97


class CmuSpiralsParameters(WholeSetParameters):
    """The split alone. The benchmark is to learn every point, so by default all 194 are trained on."""


def generate_cmu_spirals(_: CmuSpiralsParameters, __: np.random.Generator) -> LabelledPoints:
    """The benchmark's +1 is class 1; its mirror through the origin, −1, is class 0. Nothing is drawn."""
    i = np.arange(POINTS_PER_SPIRAL)
    angle = i * np.pi / 16
    radius = 6.5 * (104 - i) / 104
    positive = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])  # [97, 2]
    return LabelledPoints(
        X=np.concatenate([positive, -positive]),
        labels=np.repeat([1, 0], POINTS_PER_SPIRAL),
        n_classes=2,
    )


CMU_SPIRALS = Generator(
    name="cmu_spirals",
    version="1.0.0",
    description="The two-spirals benchmark of CMU: 194 points without noise, all to train on",
    parameters=CmuSpiralsParameters,
    generate=generate_cmu_spirals,
)
