"""`/v1/network`: the network that the next run grows, or that the run in the foreground has grown so far."""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.chosen import Chosen, ChosenRun, Watched
from juniper_cascor.api.envelope import success
from juniper_cascor.runs import views
from juniper_common.openapi import Handler, Operation
from juniper_common.requests import read_body
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import CreateNetwork, NetworkStats, NetworkSummary, Topology


class Deleted(BaseModel):
    """The answer of `DELETE /v1/network`."""

    status: str = "deleted"


def operations(chosen: Chosen) -> list[Operation]:
    """The operations on the loaded network, or on that of `?run=`."""
    foreground = chosen.foreground

    async def create_network(request: Request) -> Response:
        """Load a network for the next run; what is left out gets the engine's measured defaults."""
        await foreground.create_network(await read_body(request, CreateNetwork))
        return success(_summary(foreground), 201)

    async def get_network(request: Request) -> Response:
        """The loaded network."""
        return success(_summary(await chosen.of(request)))

    async def delete_network(_: Request) -> Response:
        """Unload the network."""
        await foreground.delete_network()
        return success(Deleted())

    async def get_topology(request: Request) -> Response:
        """Every unit and weight."""
        return success(views.topology((await chosen.of(request)).loaded_network()))

    async def get_stats(request: Request) -> Response:
        """Figures of the output weights."""
        return success(views.stats((await chosen.of(request)).loaded_network()))

    return [
        Operation(
            method="POST",
            path="/v1/network",
            handler=create_network,
            body=CreateNetwork,
            responses={201: Success[NetworkSummary]},
        ),
        _reading("/v1/network", get_network, Success[NetworkSummary]),
        Operation(method="DELETE", path="/v1/network", handler=delete_network, responses={200: Success[Deleted]}),
        _reading("/v1/network/topology", get_topology, Success[Topology]),
        _reading("/v1/network/stats", get_stats, Success[NetworkStats]),
    ]


def _reading(path: str, handler: Handler, answer: type[BaseModel]) -> Operation:
    return Operation(method="GET", path=path, handler=handler, query=ChosenRun, responses={200: answer})


def _summary(watched: Watched) -> NetworkSummary:
    return watched.loaded_spec().summary(watched.loaded_network())
