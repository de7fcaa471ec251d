"""How large the body of a request may be."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from juniper_common.errors import TooLargeError
from juniper_common.wire.errors import FieldProblem

_BRINGS_ROWS = "juniper.brings_rows"
_LIMITS_ITSELF = "juniper.limits_itself"


def allow_rows(request: Request) -> None:
    """Let the body be as large as rows may be. Call before any of it is read."""
    request.scope[_BRINGS_ROWS] = True


def leave_to_handler(request: Request) -> None:
    """Let the body be as large as the handler lets it be. Call before any of it is read."""
    request.scope[_LIMITS_ITSELF] = True


class BodyLimit:
    """Ends the reading of a body that is larger than allowed with TooLargeError, its length told or not."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_rows_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_rows_bytes = max_rows_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting what is read."""
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request" and _LIMITS_ITSELF not in scope:
                # Only now: which route it is decides it.
                limit = self._max_rows_bytes if _BRINGS_ROWS in scope else self._max_bytes
                received += len(message.get("body", b""))
                told = Headers(scope=scope).get("content-length", "0")
                if received > limit or (told.isdecimal() and int(told) > limit):
                    problem = f"is larger than {limit} bytes"
                    raise TooLargeError(f"the body {problem}", (FieldProblem(loc=["body"], msg=problem),))
            return message

        await self._app(scope, counting if scope["type"] == "http" else receive, send)
