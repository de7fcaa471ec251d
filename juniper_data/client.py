"""Clients of the dataset service: one for threads, one for event loops, the same calls in both.

Each call raises a `juniper_common.http.ClientError` where it does not succeed: an `UnreachableError` without an answer,
a `ResponseError` of its status with one, a `ChecksumError` for an artifact that is not what it should be.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, TypeVar, Unpack, cast
from urllib.parse import quote

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError

from juniper_common.http import AsyncHttpClient, Call, ClientError, HttpClient, UnreachableError
from juniper_common.wire.datasets import (
    CreateDatasetResponse,
    DatasetMeta,
    DatasetPreview,
    GeneratorInfo,
    JsonObject,
)

PIECE_BYTES = 32 << 20
"""An artifact is fetched in pieces of this size, so that it never stands in memory whole."""

_POLL_S = 0.1
_READY_TIMEOUT_S = 2.0
_READY = "/v1/health/ready"
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)
_IDS = TypeAdapter(list[str])
_GENERATORS = TypeAdapter(list[GeneratorInfo])
_SCHEMA: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
_CREATED = TypeAdapter(CreateDatasetResponse)
_META = TypeAdapter(DatasetMeta)
_PREVIEW = TypeAdapter(DatasetPreview)

T = TypeVar("T")


class ChecksumError(ClientError):
    """The artifact that came is not the one that the service describes; nothing was kept."""


class Notes(TypedDict, total=False):
    """What can be noted beside a new dataset; no part of its id."""

    persist: bool
    tags: Sequence[str]
    ttl_seconds: int | None
    name: str | None
    description: str | None
    created_by: str | None
    parent_dataset_id: str | None


class JuniperDataClient(HttpClient):
    """The dataset service, for threads. Use it as a context manager, or call `close`. Arguments as HttpClient's."""

    def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return self._http.get(_READY, timeout=_READY_TIMEOUT_S).is_success
        except httpx.TransportError:
            return False

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            time.sleep(_POLL_S)

    def list_generators(self) -> list[GeneratorInfo]:
        """The generators, with the schemas of their params."""
        return _read(_GENERATORS, self.send(_list_generators()))

    def get_generator_schema(self, name: str) -> JsonObject:
        """JSON Schema of a generator's params."""
        return _read(_SCHEMA, self.send(_get_generator_schema(name)))

    def create_dataset(
        self, generator: str, params: Mapping[str, JsonValue] | None = None, **notes: Unpack[Notes]
    ) -> CreateDatasetResponse:
        """Make a dataset, or find the same one made before."""
        return _read(_CREATED, self.send(_create_dataset(generator, params, notes)))

    def list_datasets(self, limit: int = 100, offset: int = 0) -> list[str]:
        """Ids, in their alphabetical order."""
        return _read(_IDS, self.send(_list_datasets(limit, offset)))

    def get_dataset(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset but its samples."""
        return _read(_META, self.send(_get_dataset(dataset_id)))

    def delete_dataset(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self.send(_delete_dataset(dataset_id))

    def preview(self, dataset_id: str, n: int = 100) -> DatasetPreview:
        """The first samples of the whole set."""
        return _read(_PREVIEW, self.send(_preview(dataset_id, n)))

    def download_artifact(self, dataset_id: str, path: Path, *, checksum: str | None = None) -> str:
        """Put the NPZ at `path`, whole or not at all, and return its SHA-256.

        It is verified against `checksum`, as the dataset's meta has it, or else against the service's ETag.
        """
        with _Download(dataset_id, path, checksum) as download:
            while not download.is_complete:
                download.take(self.send(download.next_piece()))
            return download.keep()


class AsyncJuniperDataClient(AsyncHttpClient):
    """The same for an event loop; see JuniperDataClient."""

    async def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return (await self._http.get(_READY)).is_success
        except httpx.TransportError:
            return False

    async def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not await self.is_ready():
            _check_deadline(self._http, deadline, timeout_s)
            await asyncio.sleep(_POLL_S)

    async def list_generators(self) -> list[GeneratorInfo]:
        """The generators, with the schemas of their params."""
        return _read(_GENERATORS, await self.send(_list_generators()))

    async def get_generator_schema(self, name: str) -> JsonObject:
        """JSON Schema of a generator's params."""
        return _read(_SCHEMA, await self.send(_get_generator_schema(name)))

    async def create_dataset(
        self, generator: str, params: Mapping[str, JsonValue] | None = None, **notes: Unpack[Notes]
    ) -> CreateDatasetResponse:
        """Make a dataset, or find the same one made before."""
        return _read(_CREATED, await self.send(_create_dataset(generator, params, notes)))

    async def list_datasets(self, limit: int = 100, offset: int = 0) -> list[str]:
        """Ids, in their alphabetical order."""
        return _read(_IDS, await self.send(_list_datasets(limit, offset)))

    async def get_dataset(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset but its samples."""
        return _read(_META, await self.send(_get_dataset(dataset_id)))

    async def delete_dataset(self, dataset_id: str) -> None:
        """Remove a dataset."""
        await self.send(_delete_dataset(dataset_id))

    async def preview(self, dataset_id: str, n: int = 100) -> DatasetPreview:
        """The first samples of the whole set."""
        return _read(_PREVIEW, await self.send(_preview(dataset_id, n)))

    async def download_artifact(self, dataset_id: str, path: Path, *, checksum: str | None = None) -> str:
        """Put the NPZ at `path`; see JuniperDataClient. The disk is waited for in a thread."""
        with _Download(dataset_id, path, checksum) as download:
            while not download.is_complete:
                piece = await self.send(download.next_piece())
                await asyncio.to_thread(download.take, piece)
            return await asyncio.to_thread(download.keep)


def _list_generators() -> Call:
    return Call(path="/v1/generators")


def _get_generator_schema(name: str) -> Call:
    return Call(path=f"/v1/generators/{quote(name, safe='')}/schema")


def _create_dataset(generator: str, params: Mapping[str, JsonValue] | None, notes: Notes) -> Call:
    params = dict(params or {})
    body = cast("JsonValue", {"generator": generator, "params": params, **notes})
    # A null seed makes another dataset each time; anything else is found again by its id.
    return Call(method="POST", path="/v1/datasets", json=body, idempotent=params.get("seed", 0) is not None)


def _list_datasets(limit: int, offset: int) -> Call:
    return Call(path="/v1/datasets", params={"limit": limit, "offset": offset})


def _get_dataset(dataset_id: str) -> Call:
    return Call(path=_dataset_path(dataset_id))


def _delete_dataset(dataset_id: str) -> Call:
    return Call(method="DELETE", path=_dataset_path(dataset_id))


def _preview(dataset_id: str, n: int) -> Call:
    return Call(path=f"{_dataset_path(dataset_id)}/preview", params={"n": n})


def _dataset_path(dataset_id: str) -> str:
    return f"/v1/datasets/{quote(dataset_id, safe='')}"


def _read(adapter: TypeAdapter[T], response: httpx.Response) -> T:
    try:
        return adapter.validate_json(response.content)
    except ValidationError as error:
        raise ClientError(f"{response.url}: not an answer of the dataset service: {error}") from error


def _check_deadline(http: httpx.Client | httpx.AsyncClient, deadline: float, timeout_s: float) -> None:
    if time.monotonic() >= deadline:
        raise UnreachableError(f"{http.base_url}: not ready within {timeout_s:g} s")


class _Download:
    """An artifact on its way to a file. It says what to ask for and takes what came; it sends nothing itself.

    Pieces are asked for one by one, so that a lost connection costs one piece and the client's retries apply.
    """

    def __init__(self, dataset_id: str, path: Path, checksum: str | None) -> None:
        self._dataset_id = dataset_id
        self._path = path
        self._checksum = checksum
        self._digest = hashlib.sha256()
        self._received = 0
        self.is_complete = False

    def __enter__(self) -> Self:
        # Beside its target: only there a rename is sure to work.
        self._file = tempfile.NamedTemporaryFile(dir=self._path.parent, prefix=f".{self._path.name}.", delete=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def next_piece(self) -> Call:
        asked = f"bytes={self._received}-{self._received + PIECE_BYTES - 1}"
        return Call(path=f"{_dataset_path(self._dataset_id)}/artifact", headers={"Range": asked})

    def take(self, response: httpx.Response) -> None:
        if response.status_code == 206:
            total = self._check_range(response)
        else:  # The service sends the whole, whatever was asked for.
            self._file.seek(0)
            self._file.truncate()
            self._digest, self._received, total = hashlib.sha256(), 0, len(response.content)
        self._file.write(response.content)
        self._digest.update(response.content)
        self._received += len(response.content)
        self._checksum = self._checksum or response.headers.get("etag", "").strip('"')
        self.is_complete = self._received >= total

    def _check_range(self, response: httpx.Response) -> int:
        """The size of the whole. What came must begin where the last piece ended."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if match is None or int(match[1]) != self._received or not response.content:
            raise ClientError(f"{response.url}: the answer is not the range that was asked for")
        return int(match[3])

    def keep(self) -> str:
        checksum = self._digest.hexdigest()
        if checksum != self._checksum:
            raise ChecksumError(f"artifact of {self._dataset_id}: SHA-256 is {checksum}, not {self._checksum}")
        self._file.flush()
        os.fsync(self._file.fileno())
        Path(self._file.name).replace(self._path)
        return checksum
