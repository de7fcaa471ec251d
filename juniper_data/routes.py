"""The dataset service's routes: requests in, the catalog's answers out."""

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.errors import BadRequestError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_body, read_query
from juniper_common.wire.datasets import (
    DATASET_ID_PATTERN,
    CreateDatasetRequest,
    CreateDatasetResponse,
    DatasetMeta,
    DatasetPreview,
    GeneratorInfo,
    JsonObject,
)
from juniper_common.wire.errors import FieldProblem
from juniper_data.artifact_response import ArtifactResponse, entity_tag, is_known_to_client
from juniper_data.catalog import Catalog
from juniper_data.errors import UnknownGeneratorError
from juniper_data.generators import AnyGenerator

# Each generation holds its arrays in memory: more at once would trade the host's memory for nothing.
GENERATIONS_AT_ONCE = 4


class DatasetPage(BaseModel):
    """Which of the ids to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=1000)
    offset: int = Field(0, ge=0)


class PreviewQuery(BaseModel):
    """How much to preview."""

    model_config = ConfigDict(extra="forbid")

    n: int = Field(100, ge=1, le=1000)


class DatasetIds(RootModel[list[str]]):
    """Ids, in their alphabetical order."""


class GeneratorList(RootModel[list[GeneratorInfo]]):
    """All generators, by name."""


class ParameterSchema(RootModel[JsonObject]):
    """JSON Schema of a generator's params."""


class DatasetRoutes:
    """The handlers. Whatever touches the store or makes samples runs in a thread, off the event loop."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._generation = CapacityLimiter(GENERATIONS_AT_ONCE)

    def operations(self) -> list[Operation]:
        """What the service can do with datasets."""
        dataset = "/v1/datasets/{dataset_id}"
        ids = {"dataset_id": DATASET_ID_PATTERN}
        return [
            Operation(
                method="GET",
                path="/v1/generators",
                handler=self.list_generators,
                responses={200: GeneratorList},
            ),
            Operation(
                method="GET",
                path="/v1/generators/{name}/schema",
                handler=self.get_generator_schema,
                responses={200: ParameterSchema},
            ),
            Operation(
                method="POST",
                path="/v1/datasets",
                handler=self.create_dataset,
                body=CreateDatasetRequest,
                responses={201: CreateDatasetResponse, 200: CreateDatasetResponse},
                errors=(400,),
            ),
            Operation(
                method="GET",
                path="/v1/datasets",
                handler=self.list_datasets,
                query=DatasetPage,
                responses={200: DatasetIds},
            ),
            Operation(method="GET", path=dataset, handler=self.get_dataset, responses={200: DatasetMeta}, patterns=ids),
            Operation(method="DELETE", path=dataset, handler=self.delete_dataset, responses={204: None}, patterns=ids),
            Operation(
                method="GET",
                path=f"{dataset}/artifact",
                handler=self.get_artifact,
                responses={200: "application/octet-stream", 206: "application/octet-stream", 304: None, 416: None},
                patterns=ids,
            ),
            Operation(
                method="GET",
                path=f"{dataset}/preview",
                handler=self.preview_dataset,
                query=PreviewQuery,
                responses={200: DatasetPreview},
                patterns=ids,
            ),
        ]

    async def list_generators(self, _: Request) -> Response:
        """List the generators with the schemas of their params."""
        return json_response(GeneratorList([_info(generator) for generator in self._catalog.generators()]))

    async def get_generator_schema(self, request: Request) -> Response:
        """Give the JSON Schema of a generator's params."""
        generator = self._catalog.generator(request.path_params["name"])
        return json_response(ParameterSchema(generator.parameters.model_json_schema()))

    async def create_dataset(self, request: Request) -> Response:
        """Make a dataset (201), or find the same one made before (200)."""
        body = await read_body(request, CreateDatasetRequest)
        try:
            stored = await to_thread.run_sync(self._catalog.create, body, limiter=self._generation)
        except UnknownGeneratorError as error:
            raise BadRequestError(str(error), (FieldProblem(loc=["generator"], msg=str(error)),)) from error
        meta = stored.meta
        answer = CreateDatasetResponse(
            dataset_id=meta.dataset_id,
            generator=meta.generator,
            meta=meta,
            artifact_url=f"/v1/datasets/{meta.dataset_id}/artifact" if body.persist else None,
        )
        return json_response(answer, 201 if stored.created else 200)

    async def list_datasets(self, request: Request) -> Response:
        """List the ids of the datasets."""
        page = read_query(request, DatasetPage)
        ids = await to_thread.run_sync(self._catalog.ids, page.limit, page.offset)
        return json_response(DatasetIds(list(ids)))

    async def get_dataset(self, request: Request) -> Response:
        """Tell all that is known of a dataset but its samples."""
        return json_response(await to_thread.run_sync(self._catalog.meta, _id(request)))

    async def delete_dataset(self, request: Request) -> Response:
        """Remove a dataset."""
        await to_thread.run_sync(self._catalog.delete, _id(request))
        return Response(status_code=204)

    async def get_artifact(self, request: Request) -> Response:
        """Send the NPZ, or the range of it that was asked for, its checksum as the ETag."""
        dataset_id = _id(request)
        if "if-none-match" in request.headers:
            checksum = await to_thread.run_sync(self._catalog.checksum, dataset_id)
            if is_known_to_client(request.headers, checksum):
                return Response(status_code=304, headers={"ETag": entity_tag(checksum)})
        artifact = await to_thread.run_sync(self._catalog.open_artifact, dataset_id)
        return ArtifactResponse(artifact, f"{dataset_id}.npz", request.headers)

    async def preview_dataset(self, request: Request) -> Response:
        """Show the first samples of the whole set."""
        n = read_query(request, PreviewQuery).n
        return json_response(await to_thread.run_sync(self._catalog.preview, _id(request), n))


def _id(request: Request) -> str:
    dataset_id: str = request.path_params["dataset_id"]
    return dataset_id


def _info(generator: AnyGenerator) -> GeneratorInfo:
    return GeneratorInfo(
        name=generator.name,
        version=generator.version,
        description=generator.description,
        parameter_schema=generator.parameters.model_json_schema(),
        available=True,
    )
