"""How a route asks the backend, and answers with what it said."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from juniper_canopy.api.errors import from_backend
from juniper_common.errors import BrokenOffError
from juniper_common.http import ClientError, relayed
from juniper_common.requests import json_response

Answered = TypeVar("Answered")

_PASSED_ON = ("content-length", "etag")


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


async def pass_on(call: Awaitable[httpx.Response], media_type: str, filename: str) -> Response:
    """The file that the backend sends, as it comes: nothing of it is held. Raises as `ask`.

    What it is, is not for the backend to say: a browser would show a page that it sent as one of the dashboard's.
    """
    came = await ask(call)
    headers = {name: came.headers[name] for name in _PASSED_ON if name in came.headers}
    headers["Content-Disposition"] = f'attachment; filename="{quote(filename, safe="")}"'
    return StreamingResponse(_pieces(came), headers=headers, media_type=media_type)


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async with aclosing(relayed(response)) as pieces:
            async for piece in pieces:
                yield piece
    except ClientError as error:
        raise BrokenOffError(str(error)) from error
