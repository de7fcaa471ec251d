"""How a route asks the backend, and answers with what it said."""

from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import httpx
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from juniper_canopy.api.errors import from_backend
from juniper_common.http import PIECE_BYTES, ClientError
from juniper_common.requests import json_response

Answered = TypeVar("Answered")

_PASSED_ON = ("content-type", "content-length", "content-disposition", "etag")


async def ask(call: Awaitable[Answered]) -> Answered:
    """The backend's answer. Raises the ServiceError that says what it refused, or that it does not answer."""
    try:
        return await call
    except ClientError as error:
        raise from_backend(error) from error


async def answer(call: Awaitable[BaseModel]) -> Response:
    """The backend's answer as JSON. Raises as `ask`."""
    return json_response(await ask(call))


def named(request: Request, part: str) -> str:
    """What the address names in one part of its path."""
    name: str = request.path_params[part]
    return name


async def pass_on(call: Awaitable[httpx.Response]) -> Response:
    """The file that the backend sends, as it comes: nothing of it is held. Raises as `ask`."""
    came = await ask(call)
    headers = {name: came.headers[name] for name in _PASSED_ON if name in came.headers}
    return StreamingResponse(_pieces(came), headers=headers)


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_bytes(PIECE_BYTES):
            yield piece
    finally:
        await response.aclose()
