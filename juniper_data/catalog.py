"""The catalog: from a request to a dataset in the store, and from an id to what is known of it.

Every call blocks; the routes call it off the event loop. It knows nothing of HTTP.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from juniper_common.errors import field_problems
from juniper_common.wire.dataset_queries import DatasetFilter, DatasetLineage, DatasetStats, FoundDatasets
from juniper_common.wire.datasets import (
    CreateDatasetRequest,
    DatasetMeta,
    DatasetPreview,
    GeneratorPreview,
    JsonObject,
    UploadQuery,
)
from juniper_common.wire.errors import FieldProblem
from juniper_data import constraints
from juniper_data.accesses import AccessCounter
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    KeyReusedError,
    UnknownGeneratorError,
)
from juniper_data.generators import AnyGenerator, GeneratorParameters, registry
from juniper_data.generators.base import MAX_SEED, Source
from juniper_data.identity import canonical_json, dataset_id
from juniper_data.imports.collection import CollectionSource
from juniper_data.imports.importer import COLLECTIONS, Importer
from juniper_data.imports.parameters import CSV_IMPORT, UPLOAD, CsvImportParameters, ImportParameters
from juniper_data.making import Made, generated
from juniper_data.npz import read_picked, read_pieces, read_rows
from juniper_data.sampling import classes_of, spread
from juniper_data.stores.protocol import Artifact, DatasetStore, Stored

MAX_ANCESTORS = 1000
"""A lineage is told this far back."""

MAX_PREVIEWED = 1_000_000
"""Numbers in a preview: as text and as Python's objects each takes fifty bytes, and nobody is answered meanwhile."""

KEYS_KEPT = timedelta(days=1)
"""How long an Idempotency-Key stands for the request that it first came with."""


P = TypeVar("P", bound=GeneratorParameters)


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


def draw_seed() -> int:
    """A seed that nobody had before."""
    return secrets.randbelow(MAX_SEED + 1)


@dataclass(frozen=True, slots=True)
class Order:
    """A dataset that is asked for: its id, and how to make it where it is not there."""

    dataset_id: str
    generator: str
    version: str
    params: JsonObject
    notes: CreateDatasetRequest
    make: Callable[[], AbstractContextManager[Made]]


class Catalog:
    """Makes datasets, and finds them again.

    Args:
        store: keeps them.
        importer: reads files; None: there is no csv_import, no mnist, no arc_agi and no upload.
        generators: by their names; None: all there are.
        clock: the time of day, with its zone.
        seeds: draws a seed for a request that has none.
    """

    def __init__(
        self,
        store: DatasetStore,
        importer: Importer | None = None,
        *,
        generators: Mapping[str, AnyGenerator] | None = None,
        clock: Callable[[], datetime] = utc_now,
        seeds: Callable[[], int] = draw_seed,
    ) -> None:
        self._store = store
        self._importer = importer
        self._generators = registry.generators() if generators is None else generators
        sources: list[Source[Any]] = [*self._generators.values(), *([CSV_IMPORT, *COLLECTIONS] if importer else [])]
        self._sources = {source.name: source for source in sorted(sources, key=lambda source: source.name)}
        self._clock = clock
        self._seeds = seeds
        self.accesses = AccessCounter(store)

    def check(self) -> str | None:
        """Raise `StoreError` where the store does not take or give. Returns what else to warn of."""
        return self._store.check()

    def sources(self) -> Sequence[Source[Any]]:
        """What datasets can be asked of, by name, and what is missing where nothing can be made of one now."""
        return [
            replace(source, install_hint=self._files.lacks(source)) if isinstance(source, CollectionSource) else source
            for source in self._sources.values()
        ]

    def source(self, name: str) -> Source[Any]:
        """What has this name."""
        try:
            return self._sources[name]
        except KeyError:
            raise UnknownGeneratorError(name, tuple(self._sources)) from None

    def order(self, request: CreateDatasetRequest, key: str | None = None) -> Order:
        """What a request asks for.

        Without a seed one is drawn and noted in the params, so that no such set is ever taken for another and each
        can be made again. An idempotency key draws the seed: the same request with it is the same set.

        Args:
            request: as it came.
            key: of this caller, for this request alone.

        Raises:
            UnknownGeneratorError, InvalidParametersError, KeyReusedError: it cannot be made.
        """
        self._check_parent(request.parent_dataset_id)
        source = self.source(request.generator)
        parameters = _validated(source.parameters, request.params)
        fingerprint = self._claim(key, request) if key else ""
        if parameters.seed is None:
            seed = _seed_of(f"{key} {fingerprint}") if key else self._seeds()
            parameters = parameters.model_copy(update={"seed": seed})
        if isinstance(parameters, CsvImportParameters):
            return self._import_order(parameters, request)
        if isinstance(source, CollectionSource):
            return self._collection_order(source, parameters, request)
        generator = self._generators[source.name]
        params = parameters.model_dump(mode="json")
        return Order(
            dataset_id(generator.name, generator.version, params),
            generator.name,
            generator.version,
            params,
            request,
            lambda: generated(generator, parameters),
        )

    def upload_order(self, query: UploadQuery, file: Path, sha256: str) -> Order:
        """What an uploaded file asks for; the file must stay until the order is made.

        Raises:
            InvalidParametersError: it cannot be made.
        """
        self._check_parent(query.parent_dataset_id)
        asked = query.model_dump(exclude={"format", *CreateDatasetRequest.model_fields})
        asked["feature_columns"] = None if query.feature_columns is None else query.feature_columns.split(",")
        parameters = _validated(UPLOAD.parameters, asked | {"file_format": query.format})
        told = query.model_dump(include={"name", "ttl_seconds", "description", "created_by", "parent_dataset_id"})
        tags = [tag.strip() for tag in (query.tags or "").split(",") if tag.strip()]
        try:
            demanded = None if query.constraints is None else from_json(query.constraints)
            notes = CreateDatasetRequest(generator=UPLOAD.name, tags=tuple(tags), constraints=demanded, **told)
        except ValidationError as error:
            raise InvalidParametersError(field_problems(error)) from error
        except ValueError as error:
            raise InvalidParametersError((FieldProblem(loc=["constraints"], msg=f"is no JSON: {error}"),)) from error
        return self._file_order(UPLOAD, parameters, sha256, notes, lambda: file.open("rb"))

    def find_made(self, order: Order) -> Stored | None:
        """The dataset of an order where it is there and has not expired.

        What is there keeps its own notes (tags, time to live, description), but takes a further name.

        Raises:
            ConstraintError: it is not as the request demands.
        """
        if not order.notes.persist:
            return None
        try:
            meta = self._store.meta(order.dataset_id)
        except DatasetNotFoundError:
            return None
        if _is_expired(meta, self._clock()):
            return None
        if order.notes.constraints:
            constraints.check(order.notes.constraints, meta)
        if order.notes.name and order.notes.name != meta.dataset_name:
            meta = self._store.add_version(order.dataset_id, order.notes.name)
        return Stored(self.accesses.seen(meta), created=False)

    def make(self, order: Order) -> Stored:
        """Make the dataset of an order, and keep it where that is asked for.

        Raises:
            InvalidParametersError: it cannot be made, or is not as the request demands.
        """
        notes = order.notes
        with order.make() as made:
            created_at = self._clock()
            meta = DatasetMeta(
                dataset_id=order.dataset_id,
                generator=order.generator,
                generator_version=order.version,
                params=order.params,
                **dict(made.facts),
                created_at=created_at,
                tags=tuple(dict.fromkeys(notes.tags)),
                ttl_seconds=notes.ttl_seconds,
                expires_at=notes.ttl_seconds and created_at + timedelta(seconds=notes.ttl_seconds),
                dataset_name=notes.name,
                description=notes.description,
                created_by=notes.created_by,
                parent_dataset_id=notes.parent_dataset_id,
            )
            if notes.constraints:
                constraints.check(notes.constraints, meta)
            return self._store.put(meta, made.artifact) if notes.persist else Stored(meta, created=True)

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        return self._store.ids(limit, offset)

    def find(self, query: DatasetFilter) -> FoundDatasets:
        """One page of the datasets that fit; see DatasetStore."""
        return self._store.find(query, self._clock())

    def stats(self) -> DatasetStats:
        """The store in figures."""
        return self._store.stats(self._clock())

    def versions(self, name: str, last: int | None = None) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version; all, or so many of the last."""
        return self._store.versions(name, last)

    def meta(self, dataset_id: str) -> DatasetMeta:
        """What is known of a dataset. An expired one is there until it is deleted or made again."""
        return self.accesses.seen(self._store.meta(dataset_id))

    def lineage(self, dataset_id: str) -> DatasetLineage:
        """Where a dataset comes from, and what was made of it. A parent that is gone ends the line."""
        ancestors = list(islice(self._ancestors(self._store.meta(dataset_id)), MAX_ANCESTORS))
        children = self._store.find(
            DatasetFilter(parent_dataset_id=dataset_id, limit=1000, include_expired=True), self._clock()
        )
        return DatasetLineage(
            dataset_id=dataset_id,
            ancestors=tuple(ancestors),
            children=tuple(child.dataset_id for child in children.datasets),
        )

    def _ancestors(self, meta: DatasetMeta) -> Iterator[str]:
        with suppress(DatasetNotFoundError):
            while meta.parent_dataset_id is not None:
                yield meta.parent_dataset_id
                meta = self._store.meta(meta.parent_dataset_id)

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some."""
        return self.accesses.seen(self._store.change_tags(dataset_id, add, remove))

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._store.delete(dataset_id)
        self.accesses.forget(dataset_id)

    def delete_expired(self) -> Sequence[str]:
        """Remove what has expired; returns the ids."""
        deleted = self._store.delete_expired(self._clock())
        for each in deleted:
            self.accesses.forget(each)
        return deleted

    def checksum(self, dataset_id: str) -> str:
        """The artifact's checksum; reads nothing of the artifact and counts no access."""
        return self._store.meta(dataset_id).checksum

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start; counts an access."""
        artifact = self._store.open_artifact(dataset_id)
        self.accesses.count(dataset_id, self._clock())
        return artifact

    def preview(self, dataset_id: str, n: int, *, is_spread: bool = False) -> DatasetPreview:
        """Samples of the whole set, the first or evenly of each class: `n`, or fewer of wide ones; counts an access."""
        with self.open_artifact(dataset_id).file as file:
            try:
                return _sampled(file, n, is_spread=is_spread)
            except ValueError as error:
                raise DatasetDamagedError(dataset_id, f"its artifact cannot be read: {error}") from error

    def preview_order(self, order: Order, n: int) -> GeneratorPreview:
        """What an order would make, with samples evenly of each class. Nothing of it is kept.

        Raises:
            InvalidParametersError: it cannot be made.
        """
        with order.make() as made:
            facts = made.facts.model_dump(include=set(GeneratorPreview.model_fields))
            samples = _sampled(made.artifact, n, is_spread=True)
        return GeneratorPreview(
            generator=order.generator,
            params=order.params,
            **facts,
            X_sample=samples.X_sample,
            y_sample=samples.y_sample,
        )

    def _import_order(self, parameters: CsvImportParameters, request: CreateDatasetRequest) -> Order:
        def opened() -> BufferedReader:
            return self._files.open(parameters.file_path)

        with opened() as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return self._file_order(CSV_IMPORT, parameters, sha256, request, opened)

    def _collection_order(self, source: CollectionSource[Any], parameters: Any, request: CreateDatasetRequest) -> Order:
        found = self._files.find(source, parameters)
        params = parameters.model_dump(mode="json") | {"files_sha256": found.sha256}
        return Order(
            dataset_id(source.name, source.version, params),
            source.name,
            source.version,
            params,
            request,
            lambda: self._files.made_of(found, parameters),
        )

    def _file_order(
        self,
        source: Source[Any],
        parameters: ImportParameters,
        sha256: str,
        notes: CreateDatasetRequest,
        opened: Callable[[], BufferedReader],
    ) -> Order:
        @contextmanager
        def make() -> Iterator[Made]:
            with opened() as file, self._files.made(file, sha256, parameters) as made:
                yield made

        params = parameters.model_dump(mode="json") | {"file_sha256": sha256}
        new_id = dataset_id(source.name, source.version, params)
        return Order(new_id, source.name, source.version, params, notes, make)

    @property
    def _files(self) -> Importer:
        if self._importer is None:
            raise UnknownGeneratorError(UPLOAD.name, tuple(self._sources))
        return self._importer

    def _check_parent(self, parent: str | None) -> None:
        if parent is not None:
            try:
                self._store.meta(parent)
            except DatasetNotFoundError as error:
                problem = FieldProblem(loc=["parent_dataset_id"], msg=str(error))
                raise InvalidParametersError((problem,)) from None

    def _claim(self, key: str, request: BaseModel) -> str:
        now = self._clock()
        fingerprint = hashlib.sha256(canonical_json(request.model_dump(mode="json")).encode()).hexdigest()
        if self._store.claim_key(key, fingerprint, now, now + KEYS_KEPT) != fingerprint:
            raise KeyReusedError(key)
        return fingerprint


def _validated(kind: type[P], params: JsonObject) -> P:
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        raise InvalidParametersError(
            tuple(problem.model_copy(update={"loc": ["params", *problem.loc]}) for problem in field_problems(error))
        ) from error


def _sampled(file: IO[bytes], n: int, *, is_spread: bool) -> DatasetPreview:
    """Samples of an artifact. Raises ValueError where it is none."""
    names = ("X_full", "y_full")
    width = sum(read_rows(file, name, 1).size for name in names)
    n = max(1, min(n, MAX_PREVIEWED // max(1, width)))
    if is_spread:
        classes = np.concatenate([np.zeros(0, np.uint16), *(classes_of(y) for y in read_pieces(file, "y_full"))])
        places = spread(classes, n)
        X, y = (read_picked(file, name, places) for name in names)
    else:
        X, y = (read_rows(file, name, n) for name in names)
    # An image may be rows of its own.
    return DatasetPreview(n_samples=len(X), X_sample=X.reshape(len(X), -1).tolist(), y_sample=y.tolist())


def _seed_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % (MAX_SEED + 1)


def _is_expired(meta: DatasetMeta, now: datetime) -> bool:
    return meta.expires_at is not None and meta.expires_at <= now
