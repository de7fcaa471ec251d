"""`/v1/network`: the network that the next run grows, or that the run in the foreground has grown so far."""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs import views
from juniper_cascor.runs.foreground import Foreground
from juniper_common.openapi import Operation
from juniper_common.requests import read_body
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import CreateNetwork, NetworkStats, NetworkSummary, Topology


class Deleted(BaseModel):
    """The answer of `DELETE /v1/network`."""

    status: str = "deleted"


def operations(foreground: Foreground) -> list[Operation]:
    """The operations on the loaded network."""

    async def create_network(request: Request) -> Response:
        """Load a network for the next run; what is left out gets the engine's measured defaults."""
        await foreground.create_network(await read_body(request, CreateNetwork))
        return success(_summary(foreground), 201)

    async def get_network(_: Request) -> Response:
        """The loaded network."""
        return success(_summary(foreground))

    async def delete_network(_: Request) -> Response:
        """Unload the network."""
        await foreground.delete_network()
        return success(Deleted())

    async def get_topology(_: Request) -> Response:
        """Every unit and weight."""
        return success(views.topology(foreground.loaded_network()))

    async def get_stats(_: Request) -> Response:
        """Figures of the output weights."""
        return success(views.stats(foreground.loaded_network()))

    return [
        Operation(
            method="POST",
            path="/v1/network",
            handler=create_network,
            body=CreateNetwork,
            responses={201: Success[NetworkSummary]},
        ),
        Operation(method="GET", path="/v1/network", handler=get_network, responses={200: Success[NetworkSummary]}),
        Operation(method="DELETE", path="/v1/network", handler=delete_network, responses={200: Success[Deleted]}),
        Operation(method="GET", path="/v1/network/topology", handler=get_topology, responses={200: Success[Topology]}),
        Operation(method="GET", path="/v1/network/stats", handler=get_stats, responses={200: Success[NetworkStats]}),
    ]


def _summary(foreground: Foreground) -> NetworkSummary:
    spec = foreground.loaded_spec()
    return NetworkSummary(
        input_size=spec.n_inputs,
        output_size=spec.n_outputs,
        hidden_units=foreground.loaded_network().n_hidden_units,
        max_hidden_units=spec.parameters.max_hidden_units,
        learning_rate=spec.parameters.rate("output"),
        uuid=spec.uuid,
        warnings=spec.warnings(),
    )
