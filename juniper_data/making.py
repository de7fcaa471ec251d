"""From parameters to an artifact: generate, arrange, profile, write. It knows nothing of stores and HTTP."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from juniper_common.wire.datasets import SplitDistributions, TaskType
from juniper_common.wire.profiles import DatasetProfile
from juniper_data.arrays import DatasetArrays, arrange
from juniper_data.errors import DataError, GeneratorError
from juniper_data.generators import AnyGenerator, GeneratorParameters, LabelledPoints
from juniper_data.npz import write_npz
from juniper_data.profiling import Profiler

# An artifact on its way to the store stays in memory up to this size.
_SPOOL_BYTES = 16 << 20


class Facts(BaseModel):
    """What a meta says of the data itself; the fields are the meta's."""

    model_config = ConfigDict(frozen=True)

    n_samples: int
    n_features: int
    n_classes: int
    n_train: int
    n_test: int
    n_val: int
    class_distribution: dict[str, int]
    split_distributions: SplitDistributions
    checksum: str
    size_bytes: int
    task_type: TaskType = "classification"
    feature_names: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    profile: DatasetProfile


@dataclass(frozen=True, slots=True)
class Made:
    """A new artifact, open at its start, and what is in it."""

    artifact: BinaryIO
    facts: Facts


@contextmanager
def generated(generator: AnyGenerator, parameters: GeneratorParameters) -> Iterator[Made]:
    """What a generator makes of parameters with a seed; its file is gone at the end of the `with`.

    Raises:
        InvalidParametersError: nothing is left to train on.
        GeneratorError: the generator has a mistake.
    """
    rng = np.random.default_rng(parameters.seed)
    points = _points(generator, parameters, rng)
    arrays = arrange(points, parameters, rng)
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        artifact = cast("BinaryIO", spool)
        write_npz(artifact, arrays.by_name())
        size = artifact.tell()
        artifact.seek(0)
        checksum = hashlib.file_digest(spool, "sha256").hexdigest()
        artifact.seek(0)
        counts = np.bincount(points.labels, minlength=points.n_classes)
        facts = Facts(
            n_samples=len(arrays.full),
            n_features=arrays.full.X.shape[1],
            n_classes=points.n_classes,
            n_train=len(arrays.train),
            n_test=len(arrays.test),
            n_val=len(arrays.val),
            class_distribution=distribution(counts),
            split_distributions={
                "train": distribution(arrays.train.class_counts()),
                "test": distribution(arrays.test.class_counts()),
                "val": distribution(arrays.val.class_counts()),
            },
            checksum=checksum,
            size_bytes=size,
            feature_names=points.feature_names,
            class_names=points.class_names,
            profile=_profile(arrays, counts.tolist(), points.feature_names),
        )
        yield Made(artifact, facts)


def distribution(counts: NDArray[np.int64]) -> dict[str, int]:
    """The samples of each class by its index, as a meta tells them."""
    return {str(index): count for index, count in enumerate(counts.tolist())}


def _points(generator: AnyGenerator, parameters: GeneratorParameters, rng: np.random.Generator) -> LabelledPoints:
    try:
        points = generator.generate(parameters, rng)
        points.check()
    except DataError:
        raise
    # Anybody's code runs here.
    except Exception as error:
        raise GeneratorError(generator.name, error) from error
    return points


def _profile(arrays: DatasetArrays, counts: list[int], names: tuple[str, ...] | None) -> DatasetProfile:
    profiler = Profiler(arrays.full.X.shape[1])
    n_train, n_used = len(arrays.train), len(arrays.train) + len(arrays.test) + len(arrays.val)
    profiler.add(arrays.train.X, "train")
    profiler.add(arrays.full.X[n_train:n_used], "held out")
    profiler.add(arrays.full.X[n_used:], "unused")
    return profiler.profile(counts, names)
