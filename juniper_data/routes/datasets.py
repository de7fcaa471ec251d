"""Datasets made, told of, given, tagged and removed."""

from collections.abc import Callable

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_body, read_headers, read_query
from juniper_common.wire.dataset_queries import ChangeTags, DatasetAccess
from juniper_common.wire.datasets import (
    DATASET_ID_PATTERN,
    MAX_PREVIEWED_SAMPLES,
    CreateDatasetRequest,
    DatasetMeta,
    DatasetPreview,
)
from juniper_common.wire.profiles import DatasetProfile
from juniper_data import audit
from juniper_data.artifact_response import ArtifactResponse, entity_tag, is_known_to_client
from juniper_data.catalog import Catalog
from juniper_data.jobs import Jobs
from juniper_data.routes.creating import CreateHeaders, create
from juniper_data.routes.making_answers import MAKING_RESPONSES, making_answer
from juniper_data.routes.preferences import patience

IDS = {"dataset_id": DATASET_ID_PATTERN}


class DatasetPage(BaseModel):
    """Which of the ids to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**53)


class PreviewQuery(BaseModel):
    """How much to preview."""

    model_config = ConfigDict(extra="forbid")

    n: int = Field(100, ge=1, le=MAX_PREVIEWED_SAMPLES)
    spread: bool = Field(False, description="Evenly of each class, over all of the set; false: the first ones")


class DatasetIds(RootModel[list[str]]):
    """Ids, in their alphabetical order."""


class DatasetRoutes:
    """The handlers. Whatever touches the store runs in a thread, off the event loop.

    Args:
        catalog: knows the datasets.
        jobs: makes them.
        wait_s: how long a caller is made to wait for one, where it does not say otherwise.
    """

    def __init__(self, catalog: Catalog, jobs: Jobs, wait_s: float) -> None:
        self._catalog = catalog
        self._jobs = jobs
        self._wait_s = wait_s

    def operations(self) -> list[Operation]:
        """What the service can do with datasets."""
        dataset = "/v1/datasets/{dataset_id}"
        return [
            Operation(
                method="POST",
                path="/v1/datasets",
                handler=self.create_dataset,
                body=CreateDatasetRequest,
                headers=CreateHeaders,
                responses=MAKING_RESPONSES,
                errors=(400, 503, 507),
            ),
            Operation(
                method="GET",
                path="/v1/datasets",
                handler=self.list_datasets,
                query=DatasetPage,
                responses={200: DatasetIds},
            ),
            Operation(method="GET", path=dataset, handler=self.get_dataset, responses={200: DatasetMeta}, patterns=IDS),
            Operation(method="DELETE", path=dataset, handler=self.delete_dataset, responses={204: None}, patterns=IDS),
            Operation(
                method="GET",
                path=f"{dataset}/artifact",
                handler=self.get_artifact,
                responses={200: "application/octet-stream", 206: "application/octet-stream", 304: None, 416: None},
                patterns=IDS,
            ),
            Operation(
                method="GET",
                path=f"{dataset}/preview",
                handler=self.preview_dataset,
                query=PreviewQuery,
                responses={200: DatasetPreview},
                patterns=IDS,
            ),
            Operation(
                method="GET",
                path=f"{dataset}/profile",
                handler=self.get_profile,
                responses={200: DatasetProfile},
                patterns=IDS,
            ),
            Operation(
                method="GET",
                path=f"{dataset}/access",
                handler=self.get_access,
                responses={200: DatasetAccess},
                patterns=IDS,
            ),
            Operation(
                method="PATCH",
                path=f"{dataset}/tags",
                handler=self.change_tags,
                body=ChangeTags,
                responses={200: DatasetMeta},
                errors=(400,),
                patterns=IDS,
            ),
        ]

    async def create_dataset(self, request: Request) -> Response:
        """Make a dataset (201), find the same one made before (200), or tell where to ask for it (202)."""
        headers = read_headers(request, CreateHeaders)
        body = await read_body(request, CreateDatasetRequest)
        audit.note(request, source=body.generator)
        waiting = patience(headers.prefer, self._wait_s)
        outcome = await create(self._jobs, request, body, headers.idempotency_key, waiting.wait_s)
        return making_answer(request, outcome, waiting, is_kept=body.persist)

    async def list_datasets(self, request: Request) -> Response:
        """List the ids of the datasets."""
        page = read_query(request, DatasetPage)
        ids = await to_thread.run_sync(self._catalog.ids, page.limit, page.offset)
        return json_response(DatasetIds(list(ids)))

    async def get_dataset(self, request: Request) -> Response:
        """Tell all that is known of a dataset but its samples."""
        return await answered(lambda: self._catalog.meta(_id(request)))

    async def delete_dataset(self, request: Request) -> Response:
        """Remove a dataset."""
        audit.note(request, _id(request))
        await to_thread.run_sync(self._catalog.delete, _id(request))
        return Response(status_code=204)

    async def get_artifact(self, request: Request) -> Response:
        """Send the NPZ, or the range of it that was asked for, its checksum as the ETag."""
        return await to_thread.run_sync(self._artifact, _id(request), request)

    async def preview_dataset(self, request: Request) -> Response:
        """Show the first samples of the whole set, or some of all of it."""
        query = read_query(request, PreviewQuery)
        return await answered(lambda: self._catalog.preview(_id(request), query.n, is_spread=query.spread))

    async def get_profile(self, request: Request) -> Response:
        """Tell what the data is like: figures per feature, the balance of the classes, duplicates and leaks."""
        return await answered(lambda: self._profile(_id(request)))

    async def get_access(self, request: Request) -> Response:
        """Tell how often the artifact was read, and when last."""
        meta = await to_thread.run_sync(self._catalog.meta, _id(request))
        return json_response(DatasetAccess.model_validate(meta, from_attributes=True))

    def _profile(self, dataset_id: str) -> DatasetProfile:
        profile = self._catalog.meta(dataset_id).profile
        if profile is None:
            raise NotFoundError(f"dataset {dataset_id!r} has no profile: delete it and create it again")
        return profile

    async def change_tags(self, request: Request) -> Response:
        """Take tags away from a dataset, then add some."""
        body = await read_body(request, ChangeTags)
        audit.note(request, _id(request))
        meta = await to_thread.run_sync(self._catalog.change_tags, _id(request), body.add_tags, body.remove_tags)
        return json_response(meta)

    def _artifact(self, dataset_id: str, request: Request) -> Response:
        if "if-none-match" in request.headers:
            checksum = self._catalog.checksum(dataset_id)
            if is_known_to_client(request.headers, checksum):
                return Response(status_code=304, headers={"ETag": entity_tag(checksum)})
        return ArtifactResponse(self._catalog.open_artifact(dataset_id), f"{dataset_id}.npz", request.headers)


async def answered(ask: Callable[[], BaseModel]) -> Response:
    """What a call that blocks returns, as JSON."""
    # Writing a long answer takes as long as finding it: in the same thread, where nobody waits for it.
    return await to_thread.run_sync(lambda: json_response(ask()))


def _id(request: Request) -> str:
    dataset_id: str = request.path_params["dataset_id"]
    return dataset_id
