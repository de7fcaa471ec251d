"""Interleaved spirals, one class each."""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AliasChoices, Field, model_validator

from juniper_data.generators.base import Coordinate, Generator, GeneratorParameters, LabelledPoints, check_size


class SpiralParameters(GeneratorParameters):
    """Shape of the spirals.

    The legacy algorithm takes the angle from the distance: `n_rotations` has no effect there.
    """

    n_spirals: int = Field(2, ge=2, le=10, description="Number of spirals, which is the number of classes")
    n_points_per_spiral: int = Field(
        97,
        ge=10,
        le=500_000,
        validation_alias=AliasChoices("n_points_per_spiral", "n_points"),
        description="Points on each spiral (alias n_points)",
    )
    n_rotations: float = Field(3.0, ge=0.5, le=10, title="Turns", description="Turns from the centre to the outer end")
    noise: float = Field(
        0.25,
        ge=0,
        le=2,
        validation_alias=AliasChoices("noise", "noise_level"),
        description="Scale of the noise added to each coordinate (alias noise_level)",
    )
    clockwise: bool = Field(True, description="Sense of rotation")
    algorithm: Literal["modern", "legacy_cascor"] = Field(
        "modern",
        description="modern: evenly spaced, normal noise; legacy_cascor: random distance, uniform noise",
    )
    radius: float = Field(10.0, gt=0, le=1e6, description="Distance of the outer end from the origin")
    origin: tuple[Coordinate, Coordinate] = Field((0.0, 0.0), description="Centre of the spirals")

    @model_validator(mode="after")
    def _is_not_too_large(self) -> Self:
        n_samples = self.n_spirals * self.n_points_per_spiral
        check_size("n_spirals × n_points_per_spiral", n_samples, 2, self.n_spirals)
        return self


def generate_spirals(p: SpiralParameters, rng: np.random.Generator) -> LabelledPoints:
    """Spiral after spiral, each drawing (its distances,) its x noise, then its y noise."""
    arm = _modern_arm if p.algorithm == "modern" else _legacy_arm
    arms = [arm(p, 2 * np.pi * i / p.n_spirals, rng) for i in range(p.n_spirals)]
    return LabelledPoints(
        X=np.concatenate(arms) + np.asarray(p.origin),
        labels=np.repeat(np.arange(p.n_spirals), p.n_points_per_spiral),
        n_classes=p.n_spirals,
    )


def _modern_arm(p: SpiralParameters, offset: float, rng: np.random.Generator) -> NDArray[np.float64]:
    n = p.n_points_per_spiral
    r = np.linspace(0, p.radius, n)
    theta = np.linspace(0, 2 * np.pi * p.n_rotations, n) + offset
    s = 1 if p.clockwise else -1
    x = s * r * np.cos(theta) + p.noise * rng.standard_normal(n)
    y = s * r * np.sin(theta) + p.noise * rng.standard_normal(n)
    return np.column_stack([x, y])  # [n, 2]


def _legacy_arm(p: SpiralParameters, offset: float, rng: np.random.Generator) -> NDArray[np.float64]:
    n = p.n_points_per_spiral
    d = np.sqrt(rng.random(n)) * p.radius
    theta = (1 if p.clockwise else -1) * (d + offset)
    x = d * np.cos(theta) + p.noise * rng.random(n)
    y = d * np.sin(theta) + p.noise * rng.random(n)
    return np.column_stack([x, y])  # [n, 2]


SPIRAL = Generator(
    name="spiral",
    version="1.0.0",
    description="Interleaved spirals with noise, one class each",
    parameters=SpiralParameters,
    generate=generate_spirals,
)
