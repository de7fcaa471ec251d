"""The manager's end of the sd_notify protocol: what a service sends to `$NOTIFY_SOCKET`."""

import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self


class NotifySocket:
    """A datagram socket in a folder of the caller's own, which says who may write to it. One per service."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def received(self) -> Iterator[tuple[str, str]]:
        """Every assignment that has come in, oldest first: `("READY", "1")`, `("STATUS", "...")`."""
        while True:
            try:
                datagram = self._socket.recv(64 * 1024)
            except BlockingIOError:
                return
            for line in datagram.decode("utf-8", "replace").splitlines():
                name, equals, value = line.partition("=")
                if equals:
                    yield name, value

    def close(self) -> None:
        """Close and remove it."""
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
