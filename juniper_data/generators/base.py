"""What a generator is: parameters that are checked, and one pure function from them to labelled points.

It knows nothing of splits, files or HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

# The largest whole number that every JSON reader keeps exact.
MAX_SEED = 2**53 - 1


class GeneratorParameters(BaseModel):
    """What every generator takes. Unknown fields, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int | None = Field(
        42,
        ge=0,
        le=MAX_SEED,
        description="Seed of all random draws; null draws a fresh one, which is recorded",
    )
    train_ratio: float = Field(0.8, gt=0, le=1, description="Share of the samples to train on")
    test_ratio: float = Field(0.2, ge=0, lt=1, description="Share of the samples to test on")
    val_ratio: float = Field(0.0, ge=0, lt=1, description="Share of the samples to validate on; 0: no such split")
    shuffle: bool = Field(True, description="Shuffle the samples before the split")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        total = self.train_ratio + self.test_ratio + self.val_ratio
        if total > 1 + 1e-9:
            raise ValueError(f"train_ratio + test_ratio + val_ratio must be at most 1, not {total:g}")
        return self


@dataclass(frozen=True, slots=True)
class LabelledPoints:
    """Samples before split and shuffle."""

    X: NDArray[np.float64]  # [samples, features]
    labels: NDArray[np.int64]  # [samples], each 0 … n_classes − 1
    n_classes: int


P = TypeVar("P", bound=GeneratorParameters)


@dataclass(frozen=True, slots=True)
class Generator(Generic[P]):
    """A named way to make a dataset.

    `version` changes whenever the same parameters would give other bytes: it is part of every dataset's id.
    `generate` draws from the random generator it is given and from nothing else.
    """

    name: str
    version: str
    description: str
    parameters: type[P]
    generate: Callable[[P, np.random.Generator], LabelledPoints]
