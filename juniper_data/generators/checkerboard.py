"""A checkerboard: squares of two classes in turn."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from juniper_data.generators.base import MAX_SAMPLES, Coordinate, Generator, GeneratorParameters, LabelledPoints


def _goes_up(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise ValueError(f"the low end, {ends[0]:g}, must be less than the high end, {ends[1]:g}")
    return ends


Range = Annotated[tuple[Coordinate, Coordinate], AfterValidator(_goes_up)]


class CheckerboardParameters(GeneratorParameters):
    """Extent and grain of the board."""

    n_samples: int = Field(200, ge=2, le=MAX_SAMPLES, description="Points on the whole board")
    n_squares: int = Field(4, ge=2, le=16, title="Squares a side", description="Squares along each side")
    x_range: Range = Field((0.0, 1.0), description="Lowest and highest x before noise")
    y_range: Range = Field((0.0, 1.0), description="Lowest and highest y before noise")
    noise: float = Field(0.0, ge=0, le=2, description="Standard deviation of the normal noise on each coordinate")


def generate_checkerboard(p: CheckerboardParameters, rng: np.random.Generator) -> LabelledPoints:
    """Draws all x, all y, evenly over the board, then the noise of all x, then of all y.

    The class is (column + row) mod 2, counted from the corner of low x and low y: that of the point before noise.
    """
    across, up = rng.random(p.n_samples), rng.random(p.n_samples)  # shares of the board's width and height
    # A share is less than 1, also after rounding: no point is in a square past the last.
    column, row = (np.floor(share * p.n_squares).astype(np.int64) for share in (across, up))
    x = p.x_range[0] + across * (p.x_range[1] - p.x_range[0]) + p.noise * rng.standard_normal(p.n_samples)
    y = p.y_range[0] + up * (p.y_range[1] - p.y_range[0]) + p.noise * rng.standard_normal(p.n_samples)
    return LabelledPoints(
        X=np.column_stack([x, y]),  # [n, 2]
        labels=(column + row) % 2,
        n_classes=2,
    )


CHECKERBOARD = Generator(
    name="checkerboard",
    version="1.0.0",
    description="Squares of a board, of two classes in turn",
    parameters=CheckerboardParameters,
    generate=generate_checkerboard,
)
