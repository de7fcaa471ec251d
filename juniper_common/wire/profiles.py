"""What a dataset's data is like, and what it can be asked to be like."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FeatureProfile(BaseModel):
    """One feature over the whole set. Figures are null where there is no sample."""

    model_config = ConfigDict(frozen=True)

    name: str | None = None
    min: float | None
    max: float | None
    mean: float | None
    std: float | None = Field(description="Standard deviation of the population")
    missing: int = Field(0, description="Cells that the source left empty; their rows were dropped")


class DatasetProfile(BaseModel):
    """Figures of a dataset. Two samples are the same where all their features are, whatever their targets."""

    model_config = ConfigDict(frozen=True)

    features: tuple[FeatureProfile, ...]
    class_balance: dict[str, float] = Field(description="Share of the samples per class index; empty for a regression")
    duplicates: int | None = Field(description="Samples that stand in the set before; null: too many to count")
    leaked: int | None = Field(description="Test and validation samples that stand among those to train on too")


class Constraints(BaseModel):
    """What a dataset must be like to be kept; what is left out is not looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    min_samples: int | None = Field(None, ge=1)
    max_samples: int | None = Field(None, ge=1)
    min_class_share: float | None = Field(None, ge=0, le=1, description="Of the rarest class")
    max_duplicates: int | None = Field(None, ge=0)
    max_leaked: int | None = Field(None, ge=0)
    max_missing: int | None = Field(None, ge=0, description="Over all features")
    min_value: float | None = Field(None, description="Of every feature")
    max_value: float | None = None
    no_constant_features: bool = False

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        for least, most in (("min_samples", "max_samples"), ("min_value", "max_value")):
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and low > high:
                raise ValueError(f"{least} = {low} is more than {most} = {high}")
        return self
