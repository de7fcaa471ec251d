"""Every call to the dataset service as a value: the request, and how its answer is read. Nobody sends anything here."""

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Literal, TypedDict, TypeVar, cast

import httpx
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from juniper_common.asking import Ask, unreadable
from juniper_common.http import Call, response_error, segment
from juniper_common.http import Params as QueryParams
from juniper_common.wire.dataset_queries import (
    BatchCreated,
    BatchDeleted,
    BatchTagged,
    CleanedUp,
    DatasetAccess,
    DatasetFilter,
    DatasetLineage,
    DatasetStats,
    DatasetVersions,
    FoundDatasets,
)
from juniper_common.wire.datasets import (
    CreateDatasetRequest,
    CreateDatasetResponse,
    DatasetJob,
    DatasetMeta,
    DatasetPreview,
    GeneratorInfo,
    GeneratorPreview,
    JsonObject,
    UploadQuery,
)
from juniper_common.wire.host import HostReport, LogLevel, LogPage
from juniper_common.wire.profiles import Constraints, DatasetProfile
from juniper_data.downloads import dataset_path, in_pieces

DEFAULT_TIMEOUT_S = 600.0
"""A dataset that is not made by then is no longer waited for."""

_SHORTEST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_DATASETS = "/v1/datasets"

Params = Mapping[str, JsonValue] | None
"""Of a generator; None: its defaults."""

Made = CreateDatasetResponse | DatasetJob
"""A dataset, or the job that makes it."""

T = TypeVar("T")


class Notes(TypedDict, total=False):
    """What can be said of a new dataset beside its params; no part of its id."""

    persist: bool
    """False: it is made and described, but not kept; the answer must come within the client's `timeout_s`."""
    tags: Sequence[str]
    ttl_seconds: int | None
    name: str | None
    description: str | None
    created_by: str | None
    parent_dataset_id: str | None
    constraints: Constraints | None
    """What the data must be like; else InvalidRequestError, and nothing is kept."""
    idempotency_key: str | None
    """The same request with the same key is the same dataset, with a null seed too; with another it is refused."""


def list_generators() -> Ask[list[GeneratorInfo]]:
    """The generators, with the schemas of their params."""
    return _asked("/v1/generators", list[GeneratorInfo])


def get_generator_schema(name: str) -> Ask[JsonObject]:
    """JSON Schema of a generator's params. Raises NotFoundError."""
    return _asked(f"/v1/generators/{segment(name)}/schema", JsonObject)


def preview_generator(generator: str, params: Params = None, *, n: int = 100) -> Ask[GeneratorPreview]:
    """What a generator would make: figures, and samples evenly of each class. Raises InvalidRequestError.

    Nothing is kept. The answer must come within the client's `timeout_s`.
    """
    path = f"/v1/generators/{segment(generator)}/preview"
    # It is made anew by each try: no harm but work comes of it, which may be much.
    call = Call(method="POST", path=path, json={"params": dict(params or {}), "n": n}, idempotent=False)
    return Ask(call, _reader(GeneratorPreview))


def create_dataset(generator: str, params: Params, notes: Notes, *, wait: bool = True) -> Ask[Made]:
    """Make a dataset, or find the same one made before; a job where that takes long. Raises InvalidRequestError."""
    params, noted = dict(params or {}), dict(notes)
    noted.pop("idempotency_key", None)
    constraints = noted.pop("constraints", None)
    if isinstance(constraints, Constraints):
        noted["constraints"] = constraints.model_dump(mode="json", exclude_unset=True)
    call = Call(
        method="POST",
        path=_DATASETS,
        json=cast("JsonValue", {"generator": generator, "params": params, **noted}),
        headers={**_key(notes.get("idempotency_key"), params), **_patience(wait)},
        # What is not kept is made anew by each try: no harm but work comes of it, which may be much.
        idempotent=notes.get("persist", True),
    )
    return Ask(call, _read_made)


def upload(file: IO[bytes], query: UploadQuery | None, *, wait: bool = True) -> Ask[Made]:
    """Make a dataset of the rest of a file that can seek. The same content is the same dataset."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    call = replace(
        relayed_upload(query, size, wait=wait), content=lambda: in_pieces(file, start, size), idempotent=True
    )
    return Ask(call, _read_made)


def relayed_upload(query: UploadQuery | None, size: int | None, *, wait: bool = False) -> Call:
    """The same without the file, for `juniper_common.http.relay`, which sends it as it comes; its size if it is known.

    The answer is a CreateDatasetResponse, or with status 202 a DatasetJob.
    """
    length = {} if size is None else {"Content-Length": str(size)}
    return Call(
        method="POST",
        path=f"{_DATASETS}/upload",
        params=_said(query),
        headers={"Content-Type": "application/octet-stream", **length, **_patience(wait)},
    )


def artifact(dataset_id: str) -> Call:
    """The NPZ. Raises NotFoundError."""
    return Call(path=f"{dataset_path(dataset_id)}/artifact")


def job(job_id: str) -> Ask[DatasetJob]:
    """How far a dataset is that takes long to make. Raises NotFoundError: the service was restarted since."""
    return _asked(f"/v1/jobs/{segment(job_id)}", DatasetJob)


def result_of(job: DatasetJob) -> CreateDatasetResponse | None:
    """What became of a job; None while it runs. Raises the ResponseError that the request would have got."""
    if job.error is None:
        return job.result
    problems = [] if isinstance(job.error, str) else job.error
    message = "; ".join(f"{problem.path}: {problem.msg}" for problem in problems) or str(job.error)
    detail: list[JsonValue] = [problem.model_dump(mode="json") for problem in problems]
    raise response_error(job.error_status or 500, message, detail or message)


def list_datasets(limit: int = 100, offset: int = 0) -> Ask[list[str]]:
    """Ids, in their alphabetical order."""
    return _asked(_DATASETS, list[str], {"limit": limit, "offset": offset})


def filter_datasets(query: DatasetFilter | None = None) -> Ask[FoundDatasets]:
    """One page of the datasets that fit, newest first, without their profiles."""
    return _asked(f"{_DATASETS}/filter", FoundDatasets, _said(query))


def next_page(query: DatasetFilter, page: FoundDatasets) -> DatasetFilter | None:
    """What asks for the page after this one; None: there is none."""
    return query.model_copy(update={"cursor": page.next_cursor, "offset": 0}) if page.next_cursor else None


def stats() -> Ask[DatasetStats]:
    """The store in figures."""
    return _asked(f"{_DATASETS}/stats", DatasetStats)


def cleanup_expired() -> Ask[CleanedUp]:
    """Remove what has expired."""
    return _told("POST", f"{_DATASETS}/cleanup-expired", CleanedUp)


def versions(name: str) -> Ask[DatasetVersions]:
    """The datasets that have or had this name, oldest first."""
    return _asked(f"{_DATASETS}/versions", DatasetVersions, {"name": name})


def latest(name: str) -> Ask[DatasetMeta]:
    """The newest version of a name. Raises NotFoundError."""
    return _asked(f"{_DATASETS}/latest", DatasetMeta, {"name": name})


def get_dataset(dataset_id: str) -> Ask[DatasetMeta]:
    """All that is known of a dataset but its samples. Raises NotFoundError."""
    return _asked(dataset_path(dataset_id), DatasetMeta)


def profile(dataset_id: str) -> Ask[DatasetProfile]:
    """What a dataset's features and classes are like. Raises NotFoundError."""
    return _asked(f"{dataset_path(dataset_id)}/profile", DatasetProfile)


def access(dataset_id: str) -> Ask[DatasetAccess]:
    """How often a dataset was read, and when last. Raises NotFoundError."""
    return _asked(f"{dataset_path(dataset_id)}/access", DatasetAccess)


def lineage(dataset_id: str) -> Ask[DatasetLineage]:
    """Where a dataset comes from, and what was made of it. Raises NotFoundError."""
    return _asked(f"{dataset_path(dataset_id)}/lineage", DatasetLineage)


def preview(dataset_id: str, n: int = 100, *, spread: bool = False) -> Ask[DatasetPreview]:
    """The first samples of the whole set; `spread`: evenly of each class, over all of it. Raises NotFoundError."""
    return _asked(f"{dataset_path(dataset_id)}/preview", DatasetPreview, {"n": n, "spread": spread})


def change_tags(dataset_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ask[DatasetMeta]:
    """Take tags away from a dataset, then add some. Raises NotFoundError, InvalidRequestError beyond 100 tags."""
    return _told(
        "PATCH", f"{dataset_path(dataset_id)}/tags", DatasetMeta, {"add_tags": list(add), "remove_tags": list(remove)}
    )


def delete_dataset(dataset_id: str) -> Ask[None]:
    """Remove a dataset. Raises NotFoundError."""
    # Whatever came says that it is done.
    return Ask(Call(method="DELETE", path=dataset_path(dataset_id)), lambda _: None)


def batch_create(requests: Sequence[CreateDatasetRequest], *, idempotency_key: str | None = None) -> Ask[BatchCreated]:
    """Make up to 50 datasets; what fails fails alone. One that takes long is pending: its id is that of its job."""
    asked: list[JsonValue] = [request.model_dump(mode="json", exclude_unset=True) for request in requests]
    call = Call(
        method="POST",
        path=f"{_DATASETS}/batch-create",
        json={"datasets": asked},
        headers=_key(idempotency_key, *(request.params for request in requests)),
        idempotent=True,
    )
    return Ask(call, _reader(BatchCreated))


def batch_delete(dataset_ids: Sequence[str]) -> Ask[BatchDeleted]:
    """Remove up to 100 datasets; those that are not there are told apart."""
    return _told("POST", f"{_DATASETS}/batch-delete", BatchDeleted, {"dataset_ids": list(dataset_ids)})


def batch_tags(dataset_ids: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Ask[BatchTagged]:
    """Take tags away from up to 100 datasets, then add some; what is refused is refused alone."""
    body: JsonObject = {"dataset_ids": list(dataset_ids), "add_tags": list(add), "remove_tags": list(remove)}
    return _told("PATCH", f"{_DATASETS}/batch-tags", BatchTagged, body)


def batch_export(dataset_ids: Sequence[str]) -> Call:
    """Up to 50 datasets as one zip: each one's NPZ, and a manifest. Raises NotFoundError where none is there."""
    return Call(
        method="POST", path=f"{_DATASETS}/batch-export", json={"dataset_ids": list(dataset_ids)}, idempotent=True
    )


def host() -> Ask[HostReport]:
    """What the service says of its process and host."""
    return _asked("/v1/host", HostReport)


def logs(since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> Ask[LogPage]:
    """The first records of the service's log after `since`, or its newest."""
    params: QueryParams = {"level": level, "limit": limit}
    return _asked("/v1/logs", LogPage, params if since is None else {**params, "since": since})


def pauses_s(job: DatasetJob, timeout_s: float) -> Iterator[float]:
    """How long to wait between two looks at a job: short at first. Raises TimeoutError when the time is over."""
    deadline, pause_s = time.monotonic() + timeout_s, _SHORTEST_PAUSE_S
    while time.monotonic() < deadline:
        yield pause_s
        pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)
    raise TimeoutError(f"dataset {job.dataset_id} was not made within {timeout_s:g} s; its job is {job.job_id}")


def _asked(path: str, answer: type[T], params: QueryParams | None = None) -> Ask[T]:
    return Ask(Call(path=path, params=params), _reader(answer))


def _told(
    method: Literal["POST", "PATCH"],
    path: str,
    answer: type[T],
    body: JsonObject | None = None,
) -> Ask[T]:
    """An order that ends the same when it is given twice."""
    return Ask(Call(method=method, path=path, json=body, idempotent=True), _reader(answer))


def _key(key: str | None, *params: Mapping[str, JsonValue]) -> dict[str, str]:
    """Where a seed is to be drawn, each try would draw another: with a key they are one request."""
    if key is None and any(each.get("seed", 0) is None for each in params):
        key = str(uuid.uuid4())
    return {} if key is None else {"Idempotency-Key": key}


def _patience(wait: bool) -> dict[str, str]:
    """RFC 7240: who does not wait for the dataset is told of its job at once."""
    return {} if wait else {"Prefer": "respond-async"}


def _said(query: BaseModel | None) -> QueryParams | None:
    return query.model_dump(mode="json", exclude_unset=True, exclude_none=True) if query else None


def _reader(answer: type[T]) -> Callable[[httpx.Response], T]:
    def read(response: httpx.Response) -> T:
        try:
            return TypeAdapter(answer).validate_json(response.content)
        except ValidationError as error:
            raise unreadable(response, "dataset", error) from None

    return read


def _read_made(response: httpx.Response) -> Made:
    return _reader(DatasetJob)(response) if response.status_code == 202 else _reader(CreateDatasetResponse)(response)
