"""What datasets can be made of."""

from typing import Any

from pydantic import RootModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.openapi import Operation
from juniper_common.requests import json_response
from juniper_common.wire.datasets import GeneratorInfo, JsonObject
from juniper_data.catalog import Catalog
from juniper_data.generators.base import Source


class GeneratorList(RootModel[list[GeneratorInfo]]):
    """All generators, by name."""


class ParameterSchema(RootModel[JsonObject]):
    """JSON Schema of a generator's params."""


class GeneratorRoutes:
    """The handlers."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

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
        ]

    async def list_generators(self, _: Request) -> Response:
        """List the generators with the schemas of their params."""
        return json_response(GeneratorList([_info(generator) for generator in self._catalog.sources()]))

    async def get_generator_schema(self, request: Request) -> Response:
        """Give the JSON Schema of a generator's params."""
        generator = self._catalog.source(request.path_params["name"])
        return json_response(ParameterSchema(generator.parameters.model_json_schema()))


def _info(generator: Source[Any]) -> GeneratorInfo:
    return GeneratorInfo(
        name=generator.name,
        version=generator.version,
        description=generator.description,
        parameter_schema=generator.parameters.model_json_schema(),
        available=generator.install_hint is None,
        install_hint=generator.install_hint,
    )
