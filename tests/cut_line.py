"""A line to a Redis server of the loopback that breaks where a test says."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

_MESSAGE_BYTES = 1 << 20


class CutLine:
    """Passes on what comes; cut once, it loses a message, or the answer to it.

    Args:
        port: where the server listens.
        word: the message that is lost has it.
        cut: whether the line breaks before the server has the message, or after it has answered.
    """

    def __init__(self, port: int, word: bytes, cut: Literal["before", "after"]) -> None:
        self._server = ("127.0.0.1", port)
        self._word = word
        self._cut = cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.cuts_next = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return  # It is closed.
            lost = threading.Event()
            ends = caller, socket.create_connection(self._server)
            threading.Thread(target=self._ask, args=(*ends, lost), daemon=True).start()
            threading.Thread(target=self._answer, args=(*ends, lost), daemon=True).start()

    def _ask(self, caller: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):  # The other end is gone.
            while message := caller.recv(_MESSAGE_BYTES):
                if self.cuts_next and self._word in message:
                    self.cuts_next = False
                    if self._cut == "before":
                        break
                    lost.set()
                server.sendall(message)
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, caller: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with caller, server, suppress(OSError):
            while (message := server.recv(_MESSAGE_BYTES)) and not lost.is_set():
                caller.sendall(message)
            # Else a thread that waits for more keeps the line open.
            caller.shutdown(socket.SHUT_RDWR)
