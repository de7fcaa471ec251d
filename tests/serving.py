"""A real app on a real port of this process, and what it logs."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from juniper_common import logs
from juniper_common.server import Sockets


@contextmanager
def served(app: ASGIApp, sockets: type[Sockets] = Sockets) -> Iterator[str]:
    """Serve on a free port of the loopback; the address."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, port=0, log_config=None, ws=sockets, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """Log as a service does; the records. Logging is left as it was found."""
    root, kept = logging.getLogger(), _Kept()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []  # Else configure closes pytest's own.
    logs.configure("INFO", "juniper-tests")
    root.addHandler(kept)
    try:
        yield kept.records
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
