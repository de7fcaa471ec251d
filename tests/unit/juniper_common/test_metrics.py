"""What Prometheus reads."""

import logging
from collections.abc import Iterator

import pytest
from prometheus_client import Gauge
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from juniper_common import openapi
from juniper_common.metrics import Metrics, RequestMetrics

Series = dict[tuple[str, ...], float]


async def _item(_: Request) -> Response:
    return PlainTextResponse("item")


async def _fail(_: Request) -> Response:
    raise RuntimeError("no")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def metrics() -> Metrics:
    """One process's metrics."""
    return Metrics()


@pytest.fixture
def client(metrics: Metrics) -> Iterator[TestClient]:
    """Calls an app that counts."""
    routes = [
        Route("/items/{name}", _item, methods=["GET", "POST"]),
        Route("/fail", _fail),
        WebSocketRoute("/socket", _socket),
    ]
    middleware = [Middleware(RequestMetrics, metrics=metrics)]
    with TestClient(
        Starlette(routes=[*routes, *openapi.routes(metrics.operations())], middleware=middleware)
    ) as client:
        yield client


def _requests(client: TestClient) -> Series:
    """Requests counted so far, by (method, route, status)."""
    text = client.get("/metrics").text
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "juniper_http_requests_total"
    }


def test_requests_are_counted_by_route(client: TestClient) -> None:
    """The template, not the path: as many series as routes, however many items."""
    for name in ("a", "b", "c"):
        client.get(f"/items/{name}")
    client.post("/items/a")
    assert _requests(client) == {("GET", "/items/{name}", "200"): 3, ("POST", "/items/{name}", "200"): 1}


def test_what_has_no_route_is_one_series(client: TestClient) -> None:
    """A caller cannot fill the memory by guessing paths, nor by inventing methods."""
    for name in ("x", "y"):
        client.get(f"/{name}")
        client.request(f"METHOD{name}", "/z")
    assert _requests(client) == {("GET", "(none)", "404"): 2, ("(other)", "(none)", "404"): 2}


def test_request_without_an_answer_is_counted(client: TestClient) -> None:
    """What ends before an answer has begun is not taken for a success, nor for an answer of the service."""
    with pytest.raises(RuntimeError):
        client.get("/fail")
    assert _requests(client) == {("GET", "/fail", "499"): 1}


def test_durations_are_observed(client: TestClient, metrics: Metrics) -> None:
    """By method and route."""
    client.get("/items/a")
    labels = {"method": "GET", "route": "/items/{name}"}
    assert metrics.registry.get_sample_value("juniper_http_request_duration_seconds_count", labels) == 1


def test_sockets_are_no_requests(client: TestClient) -> None:
    """They pass through uncounted."""
    with client.websocket_connect("/socket"):
        pass
    assert _requests(client) == {}


@pytest.mark.parametrize("path", ["/metrics", "/v1/metrics/prometheus"])
def test_both_addresses_answer_prometheus_text(client: TestClient, path: str) -> None:
    """With the process's own figures among them."""
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "process_resident_memory_bytes" in answer.text


def test_services_add_their_own(client: TestClient, metrics: Metrics) -> None:
    """What a service registers is served with the rest."""
    Gauge("juniper_tiny_browsers", "Pages that are open.", registry=metrics.registry).set(2)
    assert "juniper_tiny_browsers 2.0" in client.get("/metrics").text


def test_log_line_cannot_be_forged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A line break in a path does not begin a line of the caller's making."""
    with caplog.at_level(logging.DEBUG, "juniper_common"):
        client.post("/x%0A<2>all%20is%20lost")
    (record,) = (record for record in caplog.records if record.name == "juniper_common.metrics")
    assert record.getMessage().startswith("POST /x%0A%3C2%3Eall%20is%20lost -> 404 in ")
    assert record.levelno == logging.INFO


def test_successful_reads_are_logged_for_debugging_alone(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """A dashboard that polls does not fill the journal."""
    with caplog.at_level(logging.DEBUG, "juniper_common"):
        client.get("/items/a")
    assert [record.levelno for record in caplog.records if record.name == "juniper_common.metrics"] == [logging.DEBUG]
