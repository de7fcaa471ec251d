"""How many pages one address may open a minute, and how many sockets it may hold: each costs memory at once."""

import math
import time
from collections import Counter
from collections.abc import Callable, Collection

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common.errors import ErrorBody, TooManyRequestsError, refuse_socket
from juniper_common.rate_limit import TokenBuckets, caller_address

MAX_SOCKETS = 500
"""Two a page: NiceGUI's and the stream's."""

MAX_SOCKETS_OF_ONE = 250
CLOSE_TOO_MANY = 1013


class PageLimit:
    """Refuses who opens pages too often with 429: NiceGUI holds each for a minute, whether or not it is ever shown.

    Args:
        app: what is behind it.
        pages: the paths of pages.
        per_minute: how many of them one address may open a minute.
        error_body: how the service writes an error.
        clock_s: seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        pages: Collection[str],
        per_minute: int,
        error_body: ErrorBody,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._pages = frozenset(pages)
        self._per_minute = per_minute
        self._error_body = error_body
        self._buckets = TokenBuckets(per_minute, clock_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] != "http" or scope["path"] not in self._pages:
            await self._app(scope, receive, send)
            return
        allowance = self._buckets.take(caller_address(scope))
        if allowance.is_granted:
            await self._app(scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Retry-After"] = str(max(1, math.ceil(allowance.next_in_s)))
            await send(message)

        refusal = self._error_body(TooManyRequestsError(f"more than {self._per_minute} pages a minute"))
        await refusal(scope, receive, telling)


class SocketLimit:
    """Refuses sockets beyond so many, of one address or of all together, with 1013."""

    def __init__(self, app: ASGIApp, most: int = MAX_SOCKETS, most_of_one: int = MAX_SOCKETS_OF_ONE) -> None:
        self._app = app
        self._most = most
        self._most_of_one = most_of_one
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address = caller_address(scope)
        if self._open[address] >= self._most_of_one or self._open.total() >= self._most:
            await refuse_socket(receive, send, CLOSE_TOO_MANY, "too many sockets")
            return
        self._open[address] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[address] -= 1
            self._open += Counter()  # forgets addresses with none
