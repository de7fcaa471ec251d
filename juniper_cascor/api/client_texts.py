"""What a client of a WebSocket says, as long as it says it as it may; and what it is told at its end."""

import time
from collections import deque
from collections.abc import AsyncIterator

from starlette.websockets import WebSocket, WebSocketDisconnect

CLOSE_NOT_TEXT = 1003
CLOSE_TOO_LARGE = 1009
CLOSE_ABNORMAL = 1006
CLOSE_TOO_FAST = 4029
MESSAGES_PER_10_S = 100
MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame has room for 125 bytes, and two are the code's."""


class NotAllowedError(Exception):
    """The client says what it may not: its socket is to be closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def texts(socket: WebSocket, max_characters: int) -> AsyncIterator[str]:
    """Each message, until the client goes. Raises WebSocketDisconnect, NotAllowedError."""
    times: deque[float] = deque(maxlen=MESSAGES_PER_10_S)
    while True:
        try:
            text = await socket.receive_text()
        except KeyError:
            raise NotAllowedError(CLOSE_NOT_TEXT, "text messages only") from None
        now = time.monotonic()
        if len(times) == MESSAGES_PER_10_S and now - times[0] < 10:
            raise NotAllowedError(CLOSE_TOO_FAST, "too many messages")
        if len(text) > max_characters:
            raise NotAllowedError(CLOSE_TOO_LARGE, "the message is too large")
        times.append(now)
        yield text


async def say(socket: WebSocket, text: str) -> None:
    """Send a text. Raises WebSocketDisconnect where the client is gone."""
    try:
        await socket.send_text(text)
    except RuntimeError as error:  # Starlette says so when the socket closed between two sends.
        raise WebSocketDisconnect(CLOSE_ABNORMAL) from error


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Close, with as much of the reason as there is room for. Raises WebSocketDisconnect where the client is gone."""
    try:
        await socket.close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))
    except RuntimeError as error:
        raise WebSocketDisconnect(CLOSE_ABNORMAL) from error
