"""Keeps the files of a page as they were answered: NiceGUI reads and compresses each of them anew for each page."""

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4 << 20
"""All tabs take less than a megabyte; what comes beyond this is answered as before."""


@dataclass(frozen=True, slots=True)
class _Kept:
    start: Message
    body: bytes


class KeptFiles:
    """Answers a second time what the app has answered with `immutable`: another file would have another address."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._room = most_bytes
        self._kept: dict[tuple[str, bool], _Kept] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on and keep what comes."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "range" in headers:
            await self._app(scope, receive, send)
            return
        key = scope["path"], "gzip" in headers.get("accept-encoding", "")
        if (kept := self._kept.get(key)) is None:
            await self._app(scope, *self._keeping(key, receive, send))
            return
        await send({**kept.start, "headers": list(kept.start["headers"])})  # who is around it adds headers
        await send({"type": "http.response.body", "body": kept.body})

    def _keeping(self, key: tuple[str, bool], receive: Receive, send: Send) -> tuple[Receive, Send]:
        start: Message | None = None
        body = b""
        has_left = False

        async def heeding() -> Message:
            nonlocal has_left
            message = await receive()
            has_left = has_left or message["type"] == "http.disconnect"
            return message

        async def keeping(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_immutable(message):
                start = {**message, "headers": list(message["headers"])}
            elif start is not None and message["type"] == "http.response.body" and len(body) <= self._room:
                body += message.get("body", b"")
                # To someone who left in the midst the app says that a part is all.
                if not message.get("more_body", False) and not has_left:
                    self._keep(key, _Kept(start, body))
            await send(message)

        return heeding, keeping

    def _keep(self, key: tuple[str, bool], kept: _Kept) -> None:
        if key not in self._kept and len(kept.body) <= self._room:
            self._kept[key] = kept
            self._room -= len(kept.body)


def _is_immutable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    is_for_all = "set-cookie" not in headers
    return start["status"] == 200 and is_for_all and "immutable" in headers.get("cache-control", "")
