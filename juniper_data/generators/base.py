"""What a generator is: parameters that are checked, and one pure function from them to labelled points.

It knows nothing of splits, files or HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from juniper_common.wire.titles import title_of

# The largest whole number that every JSON reader keeps exact.
MAX_SEED = 2**53 - 1

# What one request may make. In float32, and counted twice since an artifact has the whole set and its splits, this many
# numbers are 160 MB.
MAX_SAMPLES = 1_000_000
MAX_NUMBERS = 20_000_000

# Far from where float32 ends, whatever noise comes on top.
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]

_LARGEST = float(np.finfo(np.float32).max)


class GeneratorParameters(BaseModel):
    """What every generator takes. Unknown fields, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, field_title_generator=title_of)

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


class WholeSetParameters(GeneratorParameters):
    """Of a benchmark that is to learn every sample: by default all are trained on."""

    train_ratio: float = Field(1.0, gt=0, le=1, description="Share of the samples to train on")
    test_ratio: float = Field(0.0, ge=0, lt=1, description="Share of the samples to test on")


def check_size(formula: str, n_samples: int, n_features: int, n_classes: int) -> None:
    """Raise ValueError where so many samples are more than one request may make.

    Args:
        formula: what the caller set to get so many samples, in the names of the parameters.
        n_samples: that many.
        n_features: of each sample.
        n_classes: each a number in a sample's one-hot target.
    """
    if n_samples > MAX_SAMPLES:
        raise ValueError(f"{formula} must be at most {MAX_SAMPLES:,} samples, not {n_samples:,}")
    numbers = n_samples * (n_features + n_classes)
    if numbers > MAX_NUMBERS:
        raise ValueError(f"{formula} × (features + classes) must be at most {MAX_NUMBERS:,} numbers, not {numbers:,}")


@dataclass(frozen=True, slots=True)
class LabelledPoints:
    """Samples before split and shuffle."""

    X: NDArray[np.float64]  # [samples, features]
    labels: NDArray[np.int64]  # [samples], each 0 … n_classes − 1
    n_classes: int
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None

    def check(self) -> None:
        """Raise ValueError where these are no samples with a class each, or are more than one request may make.

        A number that float32 cannot hold is none.
        """
        if self.X.ndim != 2 or self.X.size == 0 or not np.issubdtype(self.X.dtype, np.floating):
            raise ValueError(f"X must be numbers [samples, features], not {self.X.dtype} of shape {self.X.shape}")
        n_samples, n_features = self.X.shape
        if self.labels.shape != (n_samples,) or not np.issubdtype(self.labels.dtype, np.signedinteger):
            got = f"{self.labels.dtype} of shape {self.labels.shape}"
            raise ValueError(f"labels must be {n_samples} signed whole numbers, one a sample, not {got}")
        if self.labels.min() < 0 or self.labels.max() >= self.n_classes:
            got = f"{self.labels.min()} to {self.labels.max()}"
            raise ValueError(f"labels must be from 0 to n_classes − 1 = {self.n_classes - 1}, not {got}")
        # No comparison with NaN is true.
        if not -_LARGEST <= self.X.min() <= self.X.max() <= _LARGEST:
            raise ValueError("X has a number that is infinite, NaN or too large for float32")
        for names, count in ((self.feature_names, n_features), (self.class_names, self.n_classes)):
            if names is not None and len(names) != count:
                raise ValueError(f"{len(names)} names for {count} features or classes")
        check_size("X", n_samples, n_features, self.n_classes)


P = TypeVar("P", bound=GeneratorParameters)


@dataclass(frozen=True, slots=True)
class Source(Generic[P]):
    """A named way to a dataset.

    `version` changes whenever the same parameters would give other bytes: it is part of every dataset's id.

    `install_hint` says what is missing where nothing can be made of it on this host; None: nothing is.
    """

    name: str
    version: str
    description: str
    parameters: type[P]
    install_hint: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Generator(Source[P]):
    """A source that needs nothing but its parameters.

    `generate` draws from the random generator it is given and from nothing else.
    """

    generate: Callable[[P, np.random.Generator], LabelledPoints]


# Any: each generator takes parameters of its own class, and only ever those that its own class validated.
AnyGenerator = Generator[Any]
