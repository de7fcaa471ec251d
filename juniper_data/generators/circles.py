"""A circle within another, one class each."""

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from juniper_data.generators.base import MAX_SAMPLES, Generator, GeneratorParameters, LabelledPoints


class CirclesParameters(GeneratorParameters):
    """Sizes of the circles, and how the points are shared between them."""

    n_samples: int = Field(100, ge=2, le=MAX_SAMPLES, description="Points on both circles together")
    outer_radius: float = Field(1.0, gt=0, le=1e6, description="Radius of the outer circle")
    factor: float = Field(
        0.5, gt=0, lt=1, title="Radius ratio", description="The inner radius as a share of the outer one"
    )
    noise: float = Field(0.0, ge=0, le=2, description="Standard deviation of the normal noise on each coordinate")
    inner_ratio: float = Field(0.5, gt=0, lt=1, description="Share of the points that lie on the inner circle")

    @property
    def n_inner(self) -> int:
        """Points on the inner circle; one half is rounded up."""
        return int(self.n_samples * self.inner_ratio + 0.5)

    @model_validator(mode="after")
    def _each_circle_has_a_point(self) -> Self:
        if not 0 < self.n_inner < self.n_samples:
            shares = f"{self.n_inner} and {self.n_samples - self.n_inner}"
            raise ValueError(f"inner_ratio must leave each circle a point: of n_samples they get {shares}")
        return self


def generate_circles(p: CirclesParameters, rng: np.random.Generator) -> LabelledPoints:
    """The outer circle, class 0, then the inner, class 1, evenly spaced from angle 0 on.

    Draws the noise of all x, then of all y. The shape is that of scikit-learn's `make_circles` (Pedregosa et al.
    2011), whose outer radius is 1.
    """
    counts = [p.n_samples - p.n_inner, p.n_inner]
    angle = np.concatenate([np.linspace(0, 2 * np.pi, count, endpoint=False) for count in counts])
    radius = np.repeat([p.outer_radius, p.outer_radius * p.factor], counts)
    x = radius * np.cos(angle) + p.noise * rng.standard_normal(p.n_samples)
    y = radius * np.sin(angle) + p.noise * rng.standard_normal(p.n_samples)
    return LabelledPoints(
        X=np.column_stack([x, y]),  # [n, 2]
        labels=np.repeat([0, 1], counts),
        n_classes=2,
    )


CIRCLES = Generator(
    name="circles",
    version="1.0.0",
    description="Two circles around the same centre, one class each",
    parameters=CirclesParameters,
    generate=generate_circles,
)
