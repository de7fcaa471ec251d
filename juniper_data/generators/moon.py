"""Two half-moons that reach into each other."""

import numpy as np
from pydantic import Field

from juniper_data.generators.base import MAX_SAMPLES, Generator, GeneratorParameters, LabelledPoints


class MoonParameters(GeneratorParameters):
    """Size of the set. The moons have radius 1."""

    n_samples: int = Field(200, ge=2, le=MAX_SAMPLES, description="Points on both moons together")
    noise: float = Field(0.1, ge=0, le=2, description="Standard deviation of the normal noise on each coordinate")


def generate_moons(p: MoonParameters, rng: np.random.Generator) -> LabelledPoints:
    """The upper moon, class 0, then the lower, class 1, evenly spaced; of an odd number the lower has one more.

    Draws the noise of all x, then of all y. With t from 0 to π, the upper is (cos t, sin t), the lower
    (1 − cos t, ½ − sin t): the shape of scikit-learn's `make_moons` (Pedregosa et al. 2011).
    """
    n_upper = p.n_samples // 2
    upper, lower = np.linspace(0, np.pi, n_upper), np.linspace(0, np.pi, p.n_samples - n_upper)
    x = np.concatenate([np.cos(upper), 1 - np.cos(lower)]) + p.noise * rng.standard_normal(p.n_samples)
    y = np.concatenate([np.sin(upper), 0.5 - np.sin(lower)]) + p.noise * rng.standard_normal(p.n_samples)
    return LabelledPoints(
        X=np.column_stack([x, y]),  # [n, 2]
        labels=np.repeat([0, 1], [len(upper), len(lower)]),
        n_classes=2,
    )


MOON = Generator(
    name="moon",
    version="1.0.0",
    description="Two interleaved half-moons, one class each",
    parameters=MoonParameters,
    generate=generate_moons,
)
