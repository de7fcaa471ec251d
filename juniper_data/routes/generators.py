"""What datasets can be made of, and how they would look."""

from typing import Any

from anyio import to_thread
from pydantic import RootModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_body
from juniper_common.wire.datasets import (
    CreateDatasetRequest,
    GeneratorInfo,
    GeneratorPreview,
    JsonObject,
    PreviewGenerator,
)
from juniper_data.catalog import Catalog
from juniper_data.generators.base import Source
from juniper_data.jobs import Jobs


class GeneratorList(RootModel[list[GeneratorInfo]]):
    """All generators, by name."""


class ParameterSchema(RootModel[JsonObject]):
    """JSON Schema of a generator's params."""


class GeneratorRoutes:
    """The handlers.

    Args:
        catalog: knows the generators.
        jobs: make what is to be previewed.
    """

    def __init__(self, catalog: Catalog, jobs: Jobs) -> None:
        self._catalog = catalog
        self._jobs = jobs

    def operations(self) -> list[Operation]:
        """What the service tells of its generators."""
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
                path="/v1/generators/{name}/preview",
                handler=self.preview_generator,
                body=PreviewGenerator,
                responses={200: GeneratorPreview},
                errors=(400, 503, 507),
            ),
        ]

    async def list_generators(self, _: Request) -> Response:
        """List the generators with the schemas of their params."""
        sources = await to_thread.run_sync(self._catalog.sources)
        return json_response(GeneratorList([_info(source) for source in sources]))

    async def get_generator_schema(self, request: Request) -> Response:
        """Give the JSON Schema of a generator's params."""
        generator = self._catalog.source(request.path_params["name"])
        return json_response(ParameterSchema(generator.parameters.model_json_schema()))

    async def preview_generator(self, request: Request) -> Response:
        """Tell what a generator would make of params, and show samples of it. Nothing is kept."""
        name = self._catalog.source(request.path_params["name"]).name
        body = await read_body(request, PreviewGenerator)
        made = await self._jobs.preview(CreateDatasetRequest(generator=name, params=body.params), body.n)
        return await to_thread.run_sync(json_response, made)


def _info(generator: Source[Any]) -> GeneratorInfo:
    return GeneratorInfo(
        name=generator.name,
        version=generator.version,
        description=generator.description,
        parameter_schema=generator.parameters.model_json_schema(),
        available=generator.install_hint is None,
        install_hint=generator.install_hint,
    )
