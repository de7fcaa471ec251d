"""Clients that ask as fast as they are answered, each on a connection of its own that it keeps."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_READ_BYTES = 1 << 18


class Connection:
    """One connection. HTTP is spoken by hand: a whole client library would take the processors from the service."""

    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        self._socket = socket.create_connection((url.hostname or "", url.port or 0), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes, expected: int = 200) -> bytes:
        """Send a request; the body of its answer. Raises RuntimeError where that has another status."""
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._read()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise RuntimeError(f"an answer without a length: {head!r}")
        pieces, missing = [body], int(length[1]) - len(body)
        while missing > 0:
            pieces.append(self._read())
            missing -= len(pieces[-1])
        body = b"".join(pieces)
        if int(head[9:12]) != expected:
            raise RuntimeError(f"{request[:80]!r}: {head[9:12].decode()} {body.decode(errors='replace')}")
        return body

    def get(self, path: str) -> Any:
        """The JSON there."""
        return json.loads(self.ask(get(path)))

    def create(self, expected: int = 201, **request: object) -> Any:
        """POST /v1/datasets; the JSON of the answer."""
        return json.loads(self.ask(post("/v1/datasets", request), expected))

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _read(self) -> bytes:
        piece = self._socket.recv(_READ_BYTES)
        if not piece:
            raise RuntimeError("the service closed the connection")
        return piece


@dataclass(frozen=True)
class Load:
    """What came of it."""

    seconds: float  # from the first call's start to the last one's end
    calls_s: Sequence[float]  # each from its start to its end

    @property
    def rate(self) -> float:
        """Calls a second, over all connections."""
        return len(self.calls_s) / self.seconds


def put_load(address: str, connections: int, seconds: float, call: Callable[[Connection], None]) -> Load:
    """Make the call again and again on so many connections for so long, once on each without counting it first."""

    def ask(connection: Connection) -> list[float]:
        taken_s = []
        while (began := time.perf_counter()) < end:
            call(connection)
            taken_s.append(time.perf_counter() - began)
        return taken_s

    opened = [Connection(address) for _ in range(connections)]
    with ThreadPoolExecutor(connections) as threads:
        list(threads.map(call, opened))
        start = time.perf_counter()
        end = start + seconds
        calls_s = [taken_s for each in threads.map(ask, opened) for taken_s in each]
        took_s = time.perf_counter() - start
    for connection in opened:
        connection.close()
    return Load(took_s, calls_s)


def get(path: str) -> bytes:
    """A request."""
    return f"GET {path} HTTP/1.1\r\nHost: benchmark\r\n\r\n".encode()


def post(path: str, body: object) -> bytes:
    """A request with a body: bytes as they are, all else as JSON."""
    content, kind = (body, "octet-stream") if isinstance(body, bytes) else (json.dumps(body).encode(), "json")
    head = f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: application/{kind}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
