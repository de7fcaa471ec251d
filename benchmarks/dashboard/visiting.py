"""One open page without a browser: every connection that Chromium holds, and nothing drawn."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect

_CLIENT_ID = re.compile(r"""["']client_id["']: ?["']([0-9a-f-]{36})["']""")
_MESSAGE_ID = re.compile(r'"_id":(\d+)')
_ACK_S = 3.0  # as often as nicegui.js says what it has
_TIMEOUT_S = 60.0
_TOO_MANY_REQUESTS = 429


@asynccontextmanager
async def visiting(address: str, hear: Callable[[bytes], None] = lambda _: None) -> AsyncIterator[None]:
    """Open the page as a browser does that has all its files: the page itself, NiceGUI's channel, stream and history.

    Args:
        address: of the dashboard.
        hear: called with each frame of the live stream, as it arrives.

    Raises:
        ExceptionGroup: one of the connections ended before the visit did.
    """
    async with httpx.AsyncClient(base_url=address, timeout=_TIMEOUT_S) as http:
        page = (await _got(http, "/")).text
        found = _CLIENT_ID.search(page)
        if found is None:
            raise RuntimeError(f"no page of NiceGUI: {page[:200]}")
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in http.cookies.items())}
        sockets = f"ws{address.removeprefix('http')}"
        options = {"additional_headers": cookies, "max_size": None, "proxy": None, "compression": None}
        async with (
            connect(sockets + _channel_path(found[1]), **options) as channel,  # type: ignore[arg-type]
            connect(f"{sockets}/ws/live", **options) as live,  # type: ignore[arg-type]
            asyncio.TaskGroup() as tasks,
        ):
            work = [_keep_up(channel, found[1]), _listen(live, hear)]
            running = [tasks.create_task(each) for each in work]
            await _got(http, "/api/live/history")
            yield
            for each in running:
                each.cancel()


async def _got(http: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer; where that is a limit on how often one may ask, it is waited for."""
    while (answer := await http.get(path)).status_code == _TOO_MANY_REQUESTS:
        await asyncio.sleep(float(answer.headers["Retry-After"]))
    return answer.raise_for_status()


def _channel_path(client_id: str) -> str:
    query = {
        "client_id": client_id,
        "next_message_id": 0,
        "implicit_handshake": "true",
        "document_id": uuid.uuid4(),
        "tab_id": uuid.uuid4(),
        "old_tab_id": "null",
        "EIO": 4,
        "transport": "websocket",
    }
    return f"/_nicegui_ws/socket.io/?{urlencode(query)}"


async def _keep_up(channel: ClientConnection, client_id: str) -> None:
    """Speak Socket.IO as far as nicegui.js does: connect, answer pings, and confirm what came, or it would be kept."""
    loop = asyncio.get_running_loop()
    acknowledged_at, next_message = loop.time(), 0
    async for text in channel:
        message = str(text)
        if message.startswith("0"):
            await channel.send("40")
        elif message == "2":
            await channel.send("3")
        elif message.startswith("44"):
            raise RuntimeError(f"the page's channel was refused: {message}")
        elif found := _MESSAGE_ID.search(message):
            next_message = int(found[1]) + 1
        if loop.time() - acknowledged_at > _ACK_S:
            acknowledged_at = loop.time()
            said = orjson.dumps(["ack", {"client_id": client_id, "next_message_id": next_message}])
            await channel.send(f"42{said.decode()}")
    raise RuntimeError(f"the page's channel was closed: {channel.close_code} {channel.close_reason}")


async def _listen(live: ClientConnection, hear: Callable[[bytes], None]) -> None:
    async for frame in live:
        hear(frame if isinstance(frame, bytes) else frame.encode())
    raise RuntimeError("the live stream was closed")
