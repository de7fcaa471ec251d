"""MNIST and Fashion-MNIST: 70,000 images of 28×28 grey pixels, ten classes (LeCun et al. 1998, Xiao et al. 2017)."""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from juniper_data.imports.collection import Collection, CollectionParameters, CollectionSource, Places, on_hub
from juniper_data.imports.hub import INSTALL
from juniper_data.imports.refusals import refused

MAX_IMAGES = 70_000
"""Of both splits together."""

MnistName = Literal["mnist", "fashion_mnist"]

_ON_HUB: Mapping[MnistName, str] = MappingProxyType(
    {"mnist": "ylecun/mnist", "fashion_mnist": "zalandoresearch/fashion_mnist"}
)

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Each may end with .gz."""


class MnistParameters(CollectionParameters):
    """Which images, and how they become numbers. The set's own samples to train and to test on are kept apart."""

    train_ratio: float = Field(0.8, gt=0, le=1, description="Without effect: the set says what to train on")
    test_ratio: float = Field(0.2, ge=0, lt=1, description="Without effect: the set says what to test on")
    val_ratio: float = Field(0.0, ge=0, lt=1, description="Share of the samples to train on that is validated on")
    shuffle: bool = Field(True, description="Shuffle the samples within each split")
    dataset: MnistName = Field("mnist", description="Digits, or pieces of clothing")
    n_samples: int | None = Field(
        None, ge=10, le=MAX_IMAGES, description="So many, drawn of each split and class by its share; null: all"
    )
    flatten: bool = Field(True, description="A row of 784 numbers for each image; false: 28 rows of 28")
    normalize: bool = Field(True, description="Numbers from 0 to 1; false: from 0 to 255, as in the files")
    one_hot_labels: bool = Field(True, description="Labels are classes; false: numbers to predict (a regression)")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        """Of the shares one alone has an effect."""
        return self


def _find(p: MnistParameters, places: Places) -> Collection:
    names = _whole_set(places.names(p.dataset))
    if names:
        return places.local(p.dataset, names)
    if places.hub is None:
        raise refused(_hint(places, p.dataset), "dataset")
    paths = [f"{p.dataset}/{split}-00000-of-00001.parquet" for split in ("train", "test")]
    return on_hub(places.hub, _ON_HUB[p.dataset], paths)


def _lacks(places: Places) -> str | None:
    is_there = places.hub is not None or any(_whole_set(places.names(name)) for name in _ON_HUB)
    return None if is_there else _hint(places, "mnist", "or those of Fashion-MNIST into its folder fashion_mnist, ")


def _hint(places: Places, name: str, more: str = "") -> str:
    files = f"{', '.join(IDX_FILES)} (each may end with .gz), or train*.parquet and test*.parquet"
    return f"put {files}, into the folder {places.folder / name}, {more}or: {INSTALL}"


def _whole_set(names: Set[str]) -> list[str]:
    """The files of a whole set among these: IDX before Parquet; none where something is missing."""
    idx = [next((found for found in (name, f"{name}.gz") if found in names), None) for name in IDX_FILES]
    if None not in idx:
        return [name for name in idx if name]
    parquet = [
        [name for name in sorted(names) if name.startswith(split) and name.endswith(".parquet")]
        for split in ("train", "test")
    ]
    return [*parquet[0], *parquet[1]] if all(parquet) else []


MNIST = CollectionSource(
    name="mnist",
    version="1.0.0",
    description="MNIST or Fashion-MNIST: 70,000 images of 28×28 pixels, ten classes",
    parameters=MnistParameters,
    find=_find,
    lacks=_lacks,
)
