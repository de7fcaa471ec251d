"""A way to a PostgreSQL server that loses a commit, or its answer, when it is told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Loss = Literal["commit", "answer"]


class LossyProxy:
    """Passes everything on, in both directions, until it is to lose something."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.to_lose: list[Loss] = []
        """What is lost next: a commit before it comes to the server, or the answer to one that is done."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            answers.start()
            with suppress(OSError):
                while (sent := client.recv(1 << 20)) and not self._is_lost(sent, server, client):
                    server.sendall(sent)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _is_lost(self, sent: bytes, server: socket.socket, client: socket.socket) -> bool:
        if b"COMMIT" not in sent or not self.to_lose:
            return False
        loss = self.to_lose.pop(0)
        client.shutdown(socket.SHUT_RDWR)  # From here on no answer comes through.
        if loss == "answer":
            server.sendall(sent)
            server.shutdown(socket.SHUT_WR)  # The server does what it has got, and then ends the connection.
        return loss == "commit"

    @staticmethod
    def _answer(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 20):
                client.sendall(answer)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def lossy_proxy(port: int) -> Iterator[LossyProxy]:
    """A proxy before the server on this port."""
    proxy = LossyProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
