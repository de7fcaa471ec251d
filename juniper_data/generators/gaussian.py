"""Normal clouds, one class each."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Tag, model_validator

from juniper_data.generators.base import Coordinate, Generator, GeneratorParameters, LabelledPoints, check_size

MAX_CLASSES = 10
MAX_FEATURES = 1000

Deviation = Annotated[float, Field(gt=0, le=1e6)]
Deviations = Annotated[tuple[Deviation, ...], Field(max_length=MAX_CLASSES)]
Centre = Annotated[tuple[Coordinate, ...], Field(max_length=MAX_FEATURES)]


def _kind(value: object) -> str:
    return "each" if isinstance(value, list | tuple) else "all"


# Told apart by hand: a value that is wrong is then refused as what it was meant to be, not as both.
OneOrEach = Annotated[Annotated[Deviation, Tag("all")] | Annotated[Deviations, Tag("each")], Discriminator(_kind)]


class GaussianParameters(GeneratorParameters):
    """Where the clouds are, and how wide."""

    n_classes: int = Field(2, ge=2, le=MAX_CLASSES, description="Number of clouds, which is the number of classes")
    n_samples_per_class: int = Field(50, ge=1, le=500_000, description="Points in each cloud")
    n_features: int = Field(2, ge=2, le=MAX_FEATURES, description="Number of coordinates")
    class_std: OneOrEach = Field(
        1.0, title="Deviation", description="Standard deviation of all clouds, or a list of each one's"
    )
    centers: Annotated[tuple[Centre, ...], Field(max_length=MAX_CLASSES)] | None = Field(
        None, description="A list of coordinates for each class; null: on a circle in the first two coordinates"
    )
    center_radius: float = Field(
        3.0, gt=0, le=1e6, title="Centre radius", description="Radius of that circle around the origin"
    )
    noise: float = Field(0.0, ge=0, le=2, description="Standard deviation of a further noise on each coordinate")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if isinstance(self.class_std, tuple) and len(self.class_std) != self.n_classes:
            raise ValueError(
                f"class_std must be one number or a list of n_classes = {self.n_classes}, not of {len(self.class_std)}"
            )
        if self.centers is not None:
            if len(self.centers) != self.n_classes:
                raise ValueError(f"centers must be a list of n_classes = {self.n_classes}, not of {len(self.centers)}")
            for i, center in enumerate(self.centers):
                if len(center) != self.n_features:
                    wanted = f"n_features = {self.n_features} numbers"
                    raise ValueError(f"centers[{i}] must have {wanted}, not {len(center)}")
        n_samples = self.n_classes * self.n_samples_per_class
        check_size("n_classes × n_samples_per_class", n_samples, self.n_features, self.n_classes)
        return self


def generate_gaussian(p: GaussianParameters, rng: np.random.Generator) -> LabelledPoints:
    """Class after class, each drawing its deviations [samples, features], then its noise, of the same shape.

    x = centre + class_std·N(0, 1) + noise·N(0, 1).
    """
    stds = p.class_std if isinstance(p.class_std, tuple) else (p.class_std,) * p.n_classes
    clouds = np.empty((p.n_classes, p.n_samples_per_class, p.n_features))
    for cloud, center, std in zip(clouds, _centers(p), stds, strict=True):
        # In place: a wide set is large.
        rng.standard_normal(out=cloud)
        cloud *= std
        cloud += center
        cloud += p.noise * rng.standard_normal(cloud.shape)
    return LabelledPoints(
        X=clouds.reshape(-1, p.n_features),
        labels=np.repeat(np.arange(p.n_classes), p.n_samples_per_class),
        n_classes=p.n_classes,
    )


def _centers(p: GaussianParameters) -> NDArray[np.float64]:
    """Without given ones, centre i is at angle 2πi/n_classes of the circle; coordinates past the second are 0."""
    if p.centers is not None:
        return np.asarray(p.centers)
    angle = 2 * np.pi * np.arange(p.n_classes) / p.n_classes
    centers = np.zeros((p.n_classes, p.n_features))
    centers[:, 0] = p.center_radius * np.cos(angle)
    centers[:, 1] = p.center_radius * np.sin(angle)
    return centers


GAUSSIAN = Generator(
    name="gaussian",
    version="1.0.0",
    description="Normal clouds, one class each",
    parameters=GaussianParameters,
    generate=generate_gaussian,
)
