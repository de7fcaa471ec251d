"""Sends an artifact in pieces, whole or the range that was asked for (RFC 9110, sections 13 and 14)."""

import re
from collections.abc import Mapping
from contextlib import closing

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from juniper_data.stores.protocol import Artifact

SMALL_BYTES = 1 << 18
"""So much is read at once, and sent as one message."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def entity_tag(checksum: str) -> str:
    """The checksum as an ETag."""
    return f'"{checksum}"'


def is_known_to_client(headers: Headers, checksum: str) -> bool:
    """Whether If-None-Match names this very artifact."""
    tags = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return entity_tag(checksum) in tags or "*" in tags


class ArtifactResponse(Response):
    """An open artifact on its way out; closes the file whatever happens. To be made in a thread, where it may read.

    One range is served as 206, one that cannot be as 416. What asks for several, or for something that is no
    range of bytes, gets the whole.
    """

    media_type = "application/octet-stream"

    def __init__(self, artifact: Artifact, filename: str, request_headers: Headers) -> None:
        self._artifact = artifact
        tag = entity_tag(artifact.checksum)
        asked = request_headers.get("range", "")
        # A client that continues what it began must not get the rest of something else.
        asked = asked if request_headers.get("if-range", tag) == tag else ""
        self._start, self._length, status, range_header = _part(asked, artifact.size)
        super().__init__(
            status_code=status,
            headers={
                "ETag": tag,
                "Accept-Ranges": "bytes",
                "Content-Disposition": f'attachment; filename="{filename}"',
                **range_header,
            },
        )
        self.headers["Content-Length"] = str(self._length)
        self._content: bytes | None = None
        if self._length <= SMALL_BYTES:
            with artifact.file as file:
                file.seek(self._start)
                self._content = file.read(self._length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and pieces. Raises ClientDisconnect where the caller left: the rest would be read for nobody."""
        with closing(self._artifact.file):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            elif self._content is not None:
                self._refuse_short(self._length - len(self._content))
                await send({"type": "http.response.body", "body": self._content})
            else:
                await self._send_pieces(Request(scope, receive), send)

    async def _send_pieces(self, request: Request, send: Send) -> None:
        file, left = self._artifact.file, self._length
        file.seek(self._start)
        while left:
            piece = await to_thread.run_sync(file.read, min(left, SMALL_BYTES))
            if not piece:
                self._refuse_short(left)
            left -= len(piece)
            if await request.is_disconnected():
                raise ClientDisconnect
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})

    def _refuse_short(self, missing: int) -> None:
        if missing:
            # The promised length cannot be kept: end the connection, so that the client notices.
            raise EOFError(f"the artifact ended {missing} bytes early")


def _part(asked: str, size: int) -> tuple[int, int, int, Mapping[str, str]]:
    """Start, length, status and the Content-Range header of what to send."""
    match = _RANGE.fullmatch(asked)
    if match is None or match[0] == "bytes=-":
        return 0, size, 200, {}
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return 0, size, 200, {}  # Not a valid range, which is the same as none.
    else:
        start, end = max(0, size - int(last)), size
    if start >= end:
        return 0, 0, 416, {"Content-Range": f"bytes */{size}"}
    return start, end - start, 206, {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
