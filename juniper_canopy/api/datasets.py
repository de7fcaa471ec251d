"""Generators and datasets, for programs and for the page's own views."""

from collections.abc import AsyncIterator

import httpx
from anyio import to_thread
from pydantic import BaseModel, Field, RootModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.answering import answer, ask, named, pass_on
from juniper_canopy.api.bodies import read_body
from juniper_canopy.api.scatter import Axes, Scatter, scatter
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_common.http import relay, relayed
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
from juniper_common.wire.dataset_queries import DatasetFilter, FoundDatasets
from juniper_common.wire.datasets import (
    DATASET_ID_PATTERN,
    CreateDatasetResponse,
    DatasetJob,
    DatasetMeta,
    GeneratorInfo,
    GeneratorPreview,
    JsonObject,
    UploadQuery,
)
from juniper_data import calls

_NPZ = "application/octet-stream"

IDS = {"dataset_id": DATASET_ID_PATTERN}
MOST_POINTS = 3000
MOST_PREVIEWED = 1000
MOST_NUMBERS = 300_000
"""In the samples of one picture: of very wide ones fewer are drawn."""


class GeneratorList(RootModel[list[GeneratorInfo]]):
    """All generators, by name."""


class AskPreview(Axes):
    """What a generator is to make, and how it is to be shown."""

    params: JsonObject = Field(default_factory=dict, description="As the generator's schema says.")


class PreviewPicture(BaseModel):
    """What a generator would make. Its samples stand in the scatter alone."""

    preview: GeneratorPreview
    scatter: Scatter


def operations(backend: BackendProtocol) -> list[Operation]:
    """Every operation with its models."""
    api = DatasetsApi(backend)
    dataset = "/api/datasets/{dataset_id}"
    return [
        Operation(method="GET", path="/api/generators", handler=api.generators, responses={200: GeneratorList}),
        Operation(
            method="POST",
            path="/api/generators/{name}/preview",
            handler=api.preview,
            body=AskPreview,
            responses={200: PreviewPicture},
            errors=(400, 503, 507),
        ),
        Operation(
            method="GET",
            path="/api/datasets",
            handler=api.datasets,
            query=DatasetFilter,
            responses={200: FoundDatasets},
            errors=(400,),
        ),
        Operation(method="GET", path=dataset, handler=api.kept, responses={200: DatasetMeta}, patterns=IDS),
        Operation(
            method="GET",
            path=f"{dataset}/scatter",
            handler=api.plane,
            query=Axes,
            responses={200: Scatter},
            errors=(400,),
            patterns=IDS,
        ),
        Operation(
            method="GET",
            path=f"{dataset}/artifact",
            handler=api.artifact,
            responses={200: _NPZ},
            patterns=IDS,
        ),
        Operation(
            method="POST",
            path="/api/datasets/upload",
            handler=api.upload,
            body="application/octet-stream",
            query=UploadQuery,
            responses={200: CreateDatasetResponse, 201: CreateDatasetResponse, 202: DatasetJob},
            errors=(400, 503, 507),
        ),
    ]


class DatasetsApi:
    """The handlers, over one backend."""

    def __init__(self, backend: BackendProtocol) -> None:
        self._backend = backend

    async def generators(self, _: Request) -> Response:
        """What datasets can be made of, with the schemas of their params."""
        return json_response(GeneratorList(await ask(self._backend.data.list_generators())))

    async def preview(self, request: Request) -> Response:
        """What a generator would make; nothing is kept."""
        body = await read_body(request, AskPreview)
        name = named(request, "name")
        made = await ask(self._backend.data.preview_generator(name, body.params, n=MOST_PREVIEWED))
        drawn = await to_thread.run_sync(
            lambda: scatter(
                made.X_sample,
                made.y_sample,
                body,
                total=made.n_samples,
                task_type=made.task_type,
                feature_names=made.feature_names,
            )
        )
        told = made.model_copy(update={"X_sample": [], "y_sample": []})
        return json_response(PreviewPicture(preview=told, scatter=drawn))

    async def datasets(self, request: Request) -> Response:
        """One page of the datasets that are kept, newest first."""
        return await answer(self._backend.data.filter_datasets(read_query(request, DatasetFilter)))

    async def kept(self, request: Request) -> Response:
        """All that is known of a dataset but its samples."""
        return await answer(self._backend.data.get_dataset(named(request, "dataset_id")))

    async def plane(self, request: Request) -> Response:
        """Samples of a dataset on a plane, as many of each class as there are or fit."""
        axes = read_query(request, Axes)
        meta = await ask(self._backend.data.get_dataset(named(request, "dataset_id")))
        n = max(1, min(MOST_POINTS, MOST_NUMBERS // max(1, meta.n_features + meta.n_classes)))
        samples = await ask(self._backend.data.preview(meta.dataset_id, n, spread=True))
        drawn = await to_thread.run_sync(
            lambda: scatter(
                samples.X_sample,
                samples.y_sample,
                axes,
                total=meta.n_samples,
                task_type=meta.task_type,
                feature_names=meta.feature_names,
            )
        )
        return json_response(drawn)

    async def artifact(self, request: Request) -> Response:
        """The NPZ, passed on as it comes."""
        dataset_id = named(request, "dataset_id")
        return await pass_on(relay(self._backend.data, calls.artifact(dataset_id)), _NPZ, f"{dataset_id}.npz")

    async def upload(self, request: Request) -> Response:
        """Make a dataset of the CSV, JSON, Parquet or NPZ file in the body, which is passed on as it comes."""
        query = read_query(request, UploadQuery)
        told = request.headers.get("content-length", "")
        call = calls.relayed_upload(query, int(told) if told.isdecimal() else None)
        came = await ask(relay(self._backend.data, call, _body(request)))
        return Response(await ask(_whole(came)), came.status_code, media_type="application/json")


async def _whole(response: httpx.Response) -> bytes:
    return b"".join([piece async for piece in relayed(response)])


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece
