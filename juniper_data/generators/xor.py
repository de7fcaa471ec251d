"""Exclusive or in the plane: opposite quadrants share a class."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from juniper_data.generators.base import Generator, GeneratorParameters, LabelledPoints

# Signs of x and y, counter-clockwise from the first quadrant.
QUADRANTS = ((1, 1), (-1, 1), (-1, -1), (1, -1))


class XorParameters(GeneratorParameters):
    """Extent of the quadrants, and the gap between them."""

    n_points_per_quadrant: int = Field(50, ge=1, le=10_000, description="Points in each quadrant")
    x_range: float = Field(1.0, gt=0, le=1e6, description="Largest |x| before noise")
    y_range: float = Field(1.0, gt=0, le=1e6, description="Largest |y| before noise")
    margin: float = Field(0.1, ge=0, le=1e6, description="Smallest |x| and |y| before noise")
    noise: float = Field(0.0, ge=0, le=2, description="Standard deviation of the normal noise on each coordinate")

    @model_validator(mode="after")
    def _margin_leaves_room(self) -> Self:
        if self.margin >= min(self.x_range, self.y_range):
            raise ValueError("margin must be smaller than x_range and y_range")
        return self


def generate_xor(p: XorParameters, rng: np.random.Generator) -> LabelledPoints:
    """Quadrant after quadrant, each drawing x, y, its x noise, then its y noise.

    Class 0 where x·y > 0. The class is that of the point before noise.
    """
    quadrants = [_quadrant(p, sign_x, sign_y, rng) for sign_x, sign_y in QUADRANTS]
    classes = [0 if sign_x * sign_y > 0 else 1 for sign_x, sign_y in QUADRANTS]
    return LabelledPoints(
        X=np.concatenate(quadrants),
        labels=np.repeat(np.asarray(classes), p.n_points_per_quadrant),
        n_classes=2,
    )


def _quadrant(p: XorParameters, sign_x: int, sign_y: int, rng: np.random.Generator) -> NDArray[np.float64]:
    n = p.n_points_per_quadrant
    x = sign_x * rng.uniform(p.margin, p.x_range, n)
    y = sign_y * rng.uniform(p.margin, p.y_range, n)
    x += p.noise * rng.standard_normal(n)
    y += p.noise * rng.standard_normal(n)
    return np.column_stack([x, y])  # [n, 2]


XOR = Generator(
    name="xor",
    version="1.0.0",
    description="Exclusive or: four quadrants, opposite ones share a class",
    parameters=XorParameters,
    generate=generate_xor,
)
