import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from juniper_ctl.demo import DATASET, seed_dataset, start_training
from juniper_ctl.errors import ControlError
from juniper_ctl.service_api import ServiceApi


class FakeService(ThreadingHTTPServer):
    """Answers every request with what the test sets, and keeps the last one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.answer: object = {}
        self.path = ""
        self.body: object = None
        self.key: str | None = None

    @property
    def api(self) -> ServiceApi:
        """How juniper-ctl reaches it."""
        return ServiceApi(self.server_port, "secret")


class _Handler(BaseHTTPRequestHandler):
    server: FakeService

    def do_POST(self) -> None:
        """Keep what came, answer what was set."""
        self.server.path, self.server.key = self.path, self.headers["X-API-Key"]
        self.server.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer()

    def do_GET(self) -> None:
        """The same without a body."""
        self.server.path = self.path
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        answer = self.server.answer
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def service() -> Iterator[FakeService]:
    """A service on a port of its own."""
    with FakeService() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "word"), [(201, "made"), (200, "already there")])
def test_the_demo_set_is_seeded_once(
    service: FakeService, capsys: pytest.CaptureFixture[str], status: int, word: str
) -> None:
    """Data itself knows whether it has the set."""
    service.status, service.answer = status, {"dataset_id": "spiral-1", "meta": {"n_train": 320, "n_test": 80}}
    assert seed_dataset(service.api) == "spiral-1"
    assert (service.path, service.body, service.key) == ("/v1/datasets", DATASET, "secret")
    assert f"spiral-1 {word}: 320 patterns to train on, 80 to test" in capsys.readouterr().out


def test_what_data_refuses_is_told_in_its_words(service: FakeService) -> None:
    """And the next command shows its log."""
    service.status, service.answer = 400, {"detail": "unknown generator"}
    with pytest.raises(ControlError, match="unknown generator") as raised:
        seed_dataset(service.api)
    assert raised.value.next_command == "juniper-ctl logs data"


@pytest.mark.parametrize(("pace", "words"), [(50.0, "at 50 epochs a second"), (None, "at full speed")])
def test_training_starts_on_the_demo_set(
    service: FakeService, capsys: pytest.CaptureFixture[str], pace: float | None, words: str
) -> None:
    """A fresh network, at the pace and from the seed that were asked for."""
    service.answer = {"status": "success", "data": {"run_id": "run-7"}}
    assert start_training(service.api, "spiral-1", pace=pace, seed=3) == "run-7"
    assert service.body == {
        "dataset": {"source": "generator", "dataset_id": "spiral-1"},
        "params": {"pace": pace, "seed": 3},
        "start_fresh": True,
    }
    assert f"run run-7 started {words}, seed 3" in capsys.readouterr().out


def test_a_training_under_way_is_left_alone(service: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    """A second `demo` must not end the first one's run."""
    service.status, service.answer = 409, {"status": "error", "error": {"message": "a run is under way"}}
    assert start_training(service.api, "spiral-1", pace=None, seed=3) is None
    assert "left as it is: a run is under way" in capsys.readouterr().out


def test_what_cascor_refuses_is_told_even_without_a_reason(service: FakeService) -> None:
    """A body that is no JSON is no error of its own."""
    service.status, service.answer = 503, b"<html>"
    with pytest.raises(ControlError, match="HTTP 503"):
        start_training(service.api, "spiral-1", pace=None, seed=3)


def test_a_body_that_is_no_object_is_empty(service: FakeService) -> None:
    """As far as juniper-ctl is concerned."""
    service.answer = [1, 2]
    answer = service.api.get("/v1/health")
    assert (answer.is_success, answer.body, answer.text("a", "b")) == (True, {}, "")


def test_what_is_no_http_is_a_connection_error() -> None:
    """As if nobody answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"SSH-2.0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionError):
            ServiceApi(listener.getsockname()[1]).get("/")
        thread.join()
