"""The catalog: from a request to a dataset in the store, and from an id to what is known of it.

Every call blocks; the routes call it off the event loop. It knows nothing of HTTP.
"""

import hashlib
import logging
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

import numpy as np
from pydantic import ValidationError

from juniper_common.errors import field_problems
from juniper_common.wire.datasets import CreateDatasetRequest, DatasetMeta, DatasetPreview
from juniper_data.arrays import DatasetArrays, arrange
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    StoreError,
    UnknownGeneratorError,
)
from juniper_data.generators import GENERATORS, AnyGenerator, GeneratorParameters
from juniper_data.generators.base import MAX_SEED
from juniper_data.identity import dataset_id
from juniper_data.npz import read_npz, write_npz
from juniper_data.stores.protocol import Artifact, DatasetStore, Stored

log = logging.getLogger(__name__)

# An artifact on its way to the store stays in memory up to this size.
_SPOOL_BYTES = 16 << 20


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def draw_seed() -> int:
    """A seed that nobody had before."""
    return secrets.randbelow(MAX_SEED + 1)


class Catalog:
    """Makes datasets, and finds them again."""

    def __init__(
        self,
        store: DatasetStore,
        *,
        generators: Mapping[str, AnyGenerator] = GENERATORS,
        clock: Callable[[], datetime] = utc_now,
        seeds: Callable[[], int] = draw_seed,
    ) -> None:
        self._store = store
        self._generators = generators
        self._clock = clock
        self._seeds = seeds

    def check(self) -> None:
        """Raise `StoreError` where the store does not take or give."""
        self._store.check()

    def generators(self) -> Sequence[AnyGenerator]:
        """All generators, by name."""
        return [self._generators[name] for name in sorted(self._generators)]

    def generator(self, name: str) -> AnyGenerator:
        """The generator of this name."""
        try:
            return self._generators[name]
        except KeyError:
            raise UnknownGeneratorError(name, tuple(sorted(self._generators))) from None

    def create(self, request: CreateDatasetRequest) -> Stored:
        """The dataset that was asked for: the stored one if it is there and has not expired, else a new one.

        What is there keeps its own notes (name, tags, time to live). Without a seed one is drawn and noted in
        the params, so that no such set is ever taken for another and each can be made again.
        """
        generator = self.generator(request.generator)
        parameters = self._parameters(generator, request)
        params = parameters.model_dump(mode="json")
        new_id = dataset_id(generator.name, generator.version, params)
        if request.persist and (there := self._unexpired(new_id)):
            return Stored(there, created=False)

        rng = np.random.default_rng(parameters.seed)
        arrays = arrange(generator.generate(parameters, rng), parameters, rng)
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
            artifact = cast("BinaryIO", spool)
            write_npz(artifact, arrays.by_name())
            created_at = self._clock()
            meta = DatasetMeta(
                dataset_id=new_id,
                generator=generator.name,
                generator_version=generator.version,
                params=params,
                n_samples=len(arrays.full),
                n_features=arrays.full.X.shape[1],
                n_classes=arrays.full.y.shape[1],
                n_train=len(arrays.train),
                n_test=len(arrays.test),
                n_val=len(arrays.val),
                class_distribution=_class_distribution(arrays),
                created_at=created_at,
                checksum=_sha256(artifact),
                tags=request.tags,
                ttl_seconds=request.ttl_seconds,
                expires_at=request.ttl_seconds and created_at + timedelta(seconds=request.ttl_seconds),
                dataset_name=request.name,
                description=request.description,
                created_by=request.created_by,
                parent_dataset_id=request.parent_dataset_id,
            )
            return self._store.put(meta, artifact) if request.persist else Stored(meta, created=True)

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        return self._store.ids(limit, offset)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """What is known of a dataset. An expired one is there until it is deleted or made again."""
        return self._store.meta(dataset_id)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._store.delete(dataset_id)

    def checksum(self, dataset_id: str) -> str:
        """The artifact's checksum; reads nothing of the artifact and counts no access."""
        return self._store.meta(dataset_id).checksum

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start; counts an access."""
        artifact = self._store.open_artifact(dataset_id)
        try:
            self._store.record_access(dataset_id, self._clock())
        except (StoreError, DatasetNotFoundError) as error:
            # Reading goes on: a full disk, or a delete in this very moment, takes nothing from an open artifact.
            log.warning("an access of %s was not counted: %s", dataset_id, error)
        return artifact

    def preview(self, dataset_id: str, n: int) -> DatasetPreview:
        """The first `n` samples of the whole set; counts an access."""
        with self.open_artifact(dataset_id).file as file:
            try:
                X, y = read_npz(file, ("X_full", "y_full"))
            except ValueError as error:
                raise DatasetDamagedError(dataset_id, f"its artifact cannot be read: {error}") from error
        sample = X[:n].tolist()
        return DatasetPreview(n_samples=len(sample), X_sample=sample, y_sample=y[:n].tolist())

    def _parameters(self, generator: AnyGenerator, request: CreateDatasetRequest) -> GeneratorParameters:
        try:
            parameters: GeneratorParameters = generator.parameters.model_validate(request.params)
        except ValidationError as error:
            raise InvalidParametersError(
                tuple(problem.model_copy(update={"loc": ["params", *problem.loc]}) for problem in field_problems(error))
            ) from error
        return parameters if parameters.seed is not None else parameters.model_copy(update={"seed": self._seeds()})

    def _unexpired(self, dataset_id: str) -> DatasetMeta | None:
        """What is stored under the id; an expired dataset makes room for its successor."""
        try:
            meta = self._store.meta(dataset_id)
            if meta.expires_at is None or meta.expires_at > self._clock():
                return meta
            self._store.delete(dataset_id)
        except DatasetNotFoundError:
            pass
        return None


def _class_distribution(arrays: DatasetArrays) -> dict[str, int]:
    return {str(index): int(count) for index, count in enumerate(arrays.full.y.sum(axis=0, dtype=np.float64))}


def _sha256(file: BinaryIO) -> str:
    """The checksum of the whole file, which is left open at its start."""
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
