"""Sends what an iterator makes piece by piece, each in a thread, for as long as somebody reads it."""

from collections.abc import Generator
from contextlib import closing

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class PiecewiseResponse(Response):
    """An answer whose length nobody knows before its end. Closes the generator whatever happens."""

    def __init__(self, pieces: Generator[bytes], media_type: str, filename: str) -> None:
        super().__init__(
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
            media_type=media_type,
        )
        del self.headers["Content-Length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and pieces. Raises ClientDisconnect where the caller left: the rest would be made for nobody."""
        request = Request(scope, receive)
        with closing(self._pieces):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await to_thread.run_sync(next, self._pieces, b""):
                if await request.is_disconnected():
                    raise ClientDisconnect
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
