"""`/v1/network/weights` and `/v1/network/hidden-units`: the loaded network, edited while nothing trains it."""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.engine.editing import HiddenUnitChange, with_hidden_unit, with_weights, without_hidden_unit
from juniper_cascor.engine.errors import EditError
from juniper_cascor.engine.network import Network
from juniper_cascor.runs import views
from juniper_common.errors import NotFoundError, UnprocessableError
from juniper_common.openapi import Operation
from juniper_common.requests import read_body
from juniper_common.wire.editing import AddHiddenUnit, ChangeWeights
from juniper_common.wire.envelope import Success
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.training import Topology

Edit = Callable[[Callable[[Network], Network]], Awaitable[Network]]
"""Puts what a function makes of the loaded network in its place, and gives it back.

It raises ConflictError while something trains, NotFoundError where no network is loaded, and lets through what the
function raises; then the network stays as it is.
"""


class HiddenUnitPlace(BaseModel):
    """The path of `/v1/network/hidden-units/{idx}`."""

    idx: int = Field(ge=0)


def operations(edit: Edit) -> list[Operation]:
    """The operations that edit the loaded network; each answers what it has become."""

    async def change_weights(request: Request) -> Response:
        """Set weights and biases of the loaded network; what is left out stays."""
        body = await read_body(request, ChangeWeights)
        changes = [HiddenUnitChange(unit.id, unit.weights, unit.bias) for unit in body.hidden_units]

        def change(network: Network) -> Network:
            return with_weights(
                network, hidden_units=changes, output_weights=body.output_weights, output_bias=body.output_bias
            )

        return await _answer(await _edited(edit, change))

    async def add_hidden_unit(request: Request) -> Response:
        """Add a hidden unit to the loaded network, which sees all inputs and the units that there are."""
        body = await read_body(request, AddHiddenUnit)

        def add(network: Network) -> Network:
            return with_hidden_unit(network, body.weights, body.bias, body.activation, body.output_weights)

        return await _answer(await _edited(edit, add), 201)

    async def remove_hidden_unit(request: Request) -> Response:
        """Remove a hidden unit from the loaded network, with the weights by which others see it."""
        index = _index(request)
        try:
            return await _answer(await edit(lambda network: without_hidden_unit(network, index)))
        except EditError as error:
            raise NotFoundError(error.message, (FieldProblem(loc=["idx"], msg=error.message),)) from None

    answers = Success[Topology]
    return [
        Operation(
            method="PATCH",
            path="/v1/network/weights",
            handler=change_weights,
            body=ChangeWeights,
            responses={200: answers},
        ),
        Operation(
            method="POST",
            path="/v1/network/hidden-units",
            handler=add_hidden_unit,
            body=AddHiddenUnit,
            responses={201: answers},
        ),
        Operation(
            method="DELETE",
            path="/v1/network/hidden-units/{idx}",
            handler=remove_hidden_unit,
            responses={200: answers},
            errors=(422,),
            patterns={"idx": "^[0-9]{1,9}$"},
        ),
    ]


async def _edited(edit: Edit, change: Callable[[Network], Network]) -> Network:
    """The network that an edit made, whose arguments have the names of the body's fields."""
    try:
        return await edit(change)
    except EditError as error:
        raise UnprocessableError(str(error), (FieldProblem(loc=list(error.place), msg=error.message),)) from None


async def _answer(network: Network, status: int = 200) -> Response:
    # A million weights take a while to write, and others ask meanwhile.
    return await asyncio.to_thread(lambda: success(views.topology(network), status))


def _index(request: Request) -> int:
    try:
        return HiddenUnitPlace.model_validate(request.path_params).idx
    except ValidationError as error:
        raise UnprocessableError.from_validation(error) from None
