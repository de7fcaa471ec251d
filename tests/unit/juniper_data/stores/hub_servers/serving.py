"""What the two hubs' servers have in common: HTTP on the loopback, answers that are told to go wrong, and a log."""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """One that goes out; `length` is what it says to be long, where that is not so."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


def answer_json(content: object, status: int = 200) -> Answer:
    """JSON."""
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


Route = Callable[..., Answer]


class HubServer:
    """A server of routes, which tests look into and make fail.

    Args:
        routes: by method and a pattern of the path, whose groups they are given after the request.
    """

    def __init__(self, routes: Mapping[tuple[str, str], Route]) -> None:
        self._routes = [(method, re.compile(pattern), route) for (method, pattern), route in routes.items()]
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self.instead: dict[str, Callable[[Request], Answer]] = {}
        """What is answered to requests whose method and path have this in them, in place of what is right."""
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Serve, on a port that is free."""
        hub: HubServer = self

        class Handler(_Handler):
            server_of = hub

        with _Server(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def refuses(self, _: Request) -> Answer | None:
        """What is answered to who does not show the key where it is asked for; here it is asked for nowhere."""
        return None

    def answer(self, request: Request) -> Answer:
        """What is answered."""
        with self.lock:
            self.requests.append(request)
        for part, told in self.instead.items():
            if part in f"{request.method} {request.path}":
                return told(request)
        if (refused := self.refuses(request)) is not None:
            return refused
        for method, pattern, route in self._routes:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                with self.lock:
                    return route(request, *match.groups())
        return answer_json({"error": f"no route {request.method} {request.path}"}, 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # A client's open connection would be waited for.

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of it, but of a client that would not hear an answer to its end."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server_of: HubServer

    def _serve(self) -> None:
        address = urlsplit(self.path)
        request = Request(
            self.command,
            unquote(address.path),
            dict(parse_qsl(address.query)),
            {name.lower(): value for name, value in self.headers.items()},
            self._body(),
        )
        answer = self.server_of.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        if answer.length is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look into `requests`."""
