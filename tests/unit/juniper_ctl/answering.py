"""A port of this machine that answers `/v1/health/ready` as a test says."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

Conversation = Callable[[socket.socket], None]
"""What is done with a connection whose request was read."""


@contextlib.contextmanager
def answering(conversation: Conversation) -> Iterator[int]:
    """A port that has this conversation with each who asks."""
    ends = threading.Event()
    talking: list[tuple[socket.socket, threading.Thread]] = []

    def converse(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # who asked went away, or the test is over
            connection.recv(4096)
            conversation(connection)

    def serve() -> None:
        while not ends.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                talking.append((connection, threading.Thread(target=converse, args=(connection,))))
                talking[-1][1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        server = threading.Thread(target=serve)
        server.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            ends.set()
            server.join()
            for connection, thread in talking:
                with contextlib.suppress(OSError):  # it is over
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join()


def page(status: int, body: bytes) -> Conversation:
    """One whole answer."""
    return lambda connection: connection.sendall(b"HTTP/1.1 %d x\r\nConnection: close\r\n\r\n%s" % (status, body))


def readiness(status: str, service: str = "juniper-data", lacks: Mapping[str, str] | None = None) -> Conversation:
    """What a service says of itself; `lacks` has what its probes met, by their names."""
    dependencies = {name: {"status": "unhealthy", "message": message} for name, message in (lacks or {}).items()}
    dependencies["memory"] = {"status": "healthy", "message": ""}
    body = {"status": status, "service": service, "dependencies": dependencies}
    return page(503 if status == "not_ready" else 200, json.dumps(body).encode())
