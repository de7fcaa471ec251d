"""Answers as the training service does, on a real port: what a test says for each path."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class FakeTrainingService:
    """What it answers, and what it was asked."""

    key: str = ""
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    """Status and body by method and path."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, asked: str, data: object) -> None:
        """From now on this is the data of the answer."""
        self.answers[asked] = 200, {"status": "success", "data": data}

    def refuse(self, asked: str, status: int, message: str) -> None:
        """From now on it refuses."""
        self.answers[asked] = status, {"status": "error", "error": {"message": message}}


@contextmanager
def training_service() -> Iterator[FakeTrainingService]:
    """One that runs."""
    service = FakeTrainingService()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer()

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _answer(self) -> None:
            asked = f"{self.command} {self.path}"
            service.asked.append(asked)
            status, body = service.answers.get(asked, (404, {"error": {"message": f"there is no {self.path}"}}))
            if service.key and self.headers.get("X-API-Key") != service.key:
                status, body = 401, {"error": {"message": "Invalid API key."}}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
