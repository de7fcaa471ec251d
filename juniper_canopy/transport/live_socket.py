"""`/ws/live`, the browsers' stream, and the shared history that each page begins with."""

import asyncio
import contextlib
import functools
import gzip

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_canopy.transport.broadcaster import Broadcaster, Browser

MAX_BROWSERS = 200
CLOSE_TOO_MANY = 1013


def routes(broadcaster: Broadcaster) -> list[BaseRoute]:
    """The stream and the history."""

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        if broadcaster.browsers >= MAX_BROWSERS:
            await socket.close(CLOSE_TOO_MANY, "too many browsers")
            return
        browser = broadcaster.join()
        sender = asyncio.create_task(_send(socket, browser), name="live-sender")
        try:
            await _until_closed(socket)
        finally:
            broadcaster.leave(browser)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
                await sender

    async def history(request: Request) -> Response:
        content, headers = await broadcaster.history(), {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            content, headers = _compressed(content), headers | {"Content-Encoding": "gzip"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    return [WebSocketRoute("/ws/live", live), Route("/api/live/history", history)]


@functools.lru_cache(maxsize=1)
def _compressed(history: bytes) -> bytes:
    """A quarter of it: the greater part of what a page takes that has been opened before. Once for all who ask."""
    return gzip.compress(history, compresslevel=1)


async def _send(socket: WebSocket, browser: Browser) -> None:
    while True:
        await socket.send_bytes(await browser.get())


async def _until_closed(socket: WebSocket) -> None:
    # Browsers say nothing here; whatever one says is read and dropped.
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
