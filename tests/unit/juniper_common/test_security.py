"""Who may call a real app, over HTTP and over WebSocket."""

import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pydantic import BaseModel
from pydantic_settings import SettingsConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from juniper_common import openapi
from juniper_common.errors import ServiceError, exception_handlers
from juniper_common.health import HealthReport
from juniper_common.host_guard import CLOSE_FOREIGN_HOST
from juniper_common.logs import request_id
from juniper_common.metrics import Metrics
from juniper_common.requests import json_response
from juniper_common.security import CLOSE_FOREIGN_ORIGIN, CLOSE_UNAUTHORIZED, middleware
from juniper_common.settings import ListenSettings
from tests.log_context import told_by

HOST = "127.0.0.1:8000"
MAX_BODY = 1_000

Connect = Callable[..., TestClient]


class TinySettings(ListenSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="JUNIPER_TINY_")

    port: int = 8000


class Refusal(BaseModel):
    """The body of an error."""

    detail: str


def _error_body(error: ServiceError) -> Response:
    return json_response(Refusal(detail=error.message), error.status)


async def _read(_: Request) -> Response:
    return PlainTextResponse("read")


async def _write(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _identity(_: Request) -> Response:
    logging.getLogger("tiny").warning("seen")
    return PlainTextResponse(request_id.get() or "none")


async def _framed(_: Request) -> Response:
    return PlainTextResponse("framed", headers={"X-Frame-Options": "SAMEORIGIN"})


async def _fail(_: Request) -> Response:
    raise RuntimeError("no")


FAILING_RUN = openapi.Operation(method="GET", path="/runs/{run_id}", handler=_fail)


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("welcome")
    await socket.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects to a service with settings of the test, as a client that calls it `host`."""
    with ExitStack() as stack:

        def connect(host: str = HOST, own_host: str = "127.0.0.1", **told: object) -> TestClient:
            settings = TinySettings.model_validate({"max_body_bytes": MAX_BODY, "host": own_host} | told)
            metrics = Metrics()
            app = Starlette(
                routes=[
                    *openapi.routes([*HealthReport("tiny").operations(), *metrics.operations(), FAILING_RUN]),
                    Route("/", _read),
                    Route("/", _write, methods=["POST", "DELETE"]),
                    Route("/identity", _identity),
                    Route("/framed", _framed),
                    Route("/fail", _fail),
                    WebSocketRoute("/socket", _socket),
                ],
                middleware=middleware(settings, metrics, _error_body),
                exception_handlers=exception_handlers(_error_body),
            )
            return stack.enter_context(TestClient(app, f"http://{host}"))

        yield connect


def _open(client: TestClient, **headers: str) -> str | int:
    """The first text that a WebSocket sends, or the code with which it was closed."""
    # The client leaves the port out of a socket's Host; a browser does not.
    told = {"host": client.base_url.netloc.decode()} | headers
    with client.websocket_connect("/socket", headers=told) as socket:
        try:
            return socket.receive_text()
        except WebSocketDisconnect as closed:
            return closed.code


# Keys


def test_without_keys_none_is_asked_for(connect: Connect) -> None:
    """The default on loopback."""
    client = connect()
    assert client.get("/").status_code == 200
    assert _open(client) == "welcome"


@pytest.mark.parametrize("key", ["first", "second", "schlüssel"])
def test_each_key_opens(connect: Connect, key: str) -> None:
    """Several keys let one be changed without a gap."""
    client = connect(api_keys=("first", "second", "schlüssel"))
    assert client.get("/", headers={b"X-API-Key": key.encode()}).status_code == 200


def test_key_opens_a_socket(connect: Connect) -> None:
    """In the same header."""
    assert _open(connect(api_keys=("first",)), **{"X-API-Key": "first"}) == "welcome"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Missing API key. Provide X-API-Key header."),
        ({"X-API-Key": ""}, "Missing API key. Provide X-API-Key header."),
        ({"X-API-Key": "firs"}, "Invalid API key."),
        ({"X-API-Key": "First"}, "Invalid API key."),
    ],
)
def test_without_the_key_nothing_opens(connect: Connect, headers: dict[str, str], detail: str) -> None:
    """401 in the words that the published clients know, and 4001 for a socket."""
    client = connect(api_keys=("first",))
    answer = client.get("/", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert _open(client, **headers) == CLOSE_UNAUTHORIZED == 4001


def test_unknown_path_tells_nothing_without_a_key(connect: Connect) -> None:
    """Who has no key does not learn which paths there are."""
    assert connect(api_keys=("first",)).get("/nothing").status_code == 401


@pytest.mark.parametrize("path", ["/v1/health", "/v1/health/live", "/v1/health/ready"])
def test_health_asks_for_no_key(connect: Connect, path: str) -> None:
    """Whoever watches the service need not be let in."""
    assert connect(api_keys=("first",)).get(path).status_code == 200


# Origins


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:9999", "http://127.0.0.1", "null", "http://[", "", "x"]
)
def test_foreign_page_may_change_nothing(connect: Connect, origin: str) -> None:
    """403 and 4003, for what is no origin at all too; what only reads is the browser's to guard."""
    client = connect()
    for method in ("POST", "DELETE"):
        answer = client.request(method, "/", headers={"Origin": origin})
        assert (answer.status_code, "origin" in answer.json()["detail"]) == (403, True)
    assert _open(client, origin=origin) == CLOSE_FOREIGN_ORIGIN == 4003
    assert client.get("/", headers={"Origin": origin}).status_code == 200


def test_no_origin_is_no_browser(connect: Connect) -> None:
    """Clients and scripts send none."""
    client = connect()
    assert client.post("/").status_code == 200
    assert _open(client) == "welcome"


@pytest.mark.parametrize(
    "host", [HOST, "localhost:8000", "[::1]:8000", "192.0.2.7:8000", f"{socket.gethostname()}:8000"]
)
def test_own_page_passes_under_an_address_or_name_of_this_host(connect: Connect, host: str) -> None:
    """A page that this service itself served."""
    client = connect(host)
    assert client.post("/", headers={"Origin": f"http://{host}"}).status_code == 200
    assert _open(client, origin=f"http://{host}") == "welcome"


def test_origin_in_the_settings_passes(connect: Connect) -> None:
    """Written with a slash or in capitals too; none but it."""
    client = connect(allowed_origins=("https://Lab.example/",))
    assert client.post("/", headers={"Origin": "https://lab.example"}).status_code == 200
    assert _open(client, origin="https://lab.example") == "welcome"
    assert client.post("/", headers={"Origin": "https://evil.example"}).status_code == 403


def test_page_in_the_settings_may_call_with_a_key(connect: Connect) -> None:
    """The browser's question before the call needs no key, and the answer may be read."""
    client = connect(allowed_origins=("https://lab.example",), api_keys=("first",))
    asked = client.options(
        "/",
        headers={
            "Origin": "https://lab.example",
            "Access-Control-Request-Method": "DELETE",
            "Access-Control-Request-Headers": "X-API-Key",
        },
    )
    answer = client.get("/", headers={"Origin": "https://lab.example", "X-API-Key": "first"})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "https://lab.example"
    assert answer.headers["access-control-allow-origin"] == "https://lab.example"


@pytest.mark.parametrize("allowed", [(), ("https://lab.example",)])
def test_answers_are_closed_to_other_pages(connect: Connect, allowed: tuple[str, ...]) -> None:
    """No other page may read them."""
    answer = connect(allowed_origins=allowed).get("/", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


# Hosts


@pytest.mark.parametrize("told", [{}, {"api_keys": ("first",)}, {"allowed_origins": ("https://lab.example",)}])
@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8000",
        "evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.evil.example:8000",
        "lab.example.evil:8000",
        "[",
        ":8000",
    ],
)
def test_rebound_name_is_refused(connect: Connect, told: dict[str, object], host: str) -> None:
    """A page can point a name of its own at this service, and would then read what it answers: 421 and 4003."""
    client = connect(**told)
    for method, path in (("GET", "/"), ("POST", "/"), ("GET", "/nothing"), ("GET", "/v1/health/ready")):
        answer = client.request(method, path, headers={"Host": host, "Origin": f"http://{host}", "X-API-Key": "first"})
        assert (answer.status_code, "JUNIPER_TINY_ALLOWED_HOSTS" in answer.json()["detail"]) == (421, True)
    assert _open(client, host=host, origin=f"http://{host}") == CLOSE_FOREIGN_HOST == 4003


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "192.0.2.7",
        "[::1]:8000",
        "[2001:db8::7]",
        "localhost",
        "LOCALHOST:9000",
        "localhost.:8000",
        "juniper.localhost:8000",
        socket.gethostname(),
        f"{socket.getfqdn().upper()}:8000",
        "",
    ],
)
def test_addresses_and_own_names_pass(connect: Connect, host: str) -> None:
    """On any port, since a proxy or a tunnel may have another; without a Host it is no browser."""
    client = connect()
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert _open(client, host=host) == "welcome"


@pytest.mark.parametrize("host", ["lab.example", "Lab.Example:8443", "cluster.example:8000", "bound.example", "gate"])
def test_names_in_the_settings_pass(connect: Connect, host: str) -> None:
    """Where it listens, whose pages may call, and what else is set; its pages may command then."""
    client = connect(
        host, own_host="bound.example", allowed_origins="https://lab.example", allowed_hosts="cluster.example:80, GATE"
    )
    assert client.get("/").status_code == 200
    assert client.post("/", headers={"Origin": f"http://{host}"}).status_code == 200
    assert _open(client, origin=f"http://{host}") == "welcome"


# Bodies


@pytest.mark.parametrize("size", [0, MAX_BODY])
def test_body_within_the_limit_is_read(connect: Connect, size: int) -> None:
    """The limit itself is within."""
    assert connect().post("/", content=b"x" * size).text == str(size)


def test_larger_body_is_refused_by_its_told_length(connect: Connect) -> None:
    """413 before any of it is read into memory."""
    answer = connect().post("/", content=b"x", headers={"Content-Length": str(MAX_BODY + 1)})
    assert (answer.status_code, answer.json()) == (413, {"detail": "the body is larger than 1000 bytes"})


@pytest.mark.parametrize("told", [{}, {"Content-Length": "1"}, {"Content-Length": "-1"}, {"Content-Length": "²"}])
def test_larger_body_is_refused_whatever_length_it_tells(connect: Connect, told: dict[str, str]) -> None:
    """What is read is counted: chunks have no length, and a length may be wrong."""
    pieces = (b"x" * 300 for _ in range(4))
    headers = {name.encode(): value.encode("latin-1") for name, value in told.items()}
    assert connect().post("/", content=pieces, headers=headers).status_code == 413


# Request ids


def test_request_id_is_taken_and_echoed(connect: Connect) -> None:
    """One id from the caller's log to this service's."""
    answer = connect().get("/identity", headers={"X-Request-ID": "canopy:1.a-b_c"})
    assert (answer.text, answer.headers["x-request-id"]) == ("canopy:1.a-b_c",) * 2


@pytest.mark.parametrize("given", [None, "", "a b", "a\tb", "a" * 65, "<script>", "é", "a=b"])
def test_request_id_is_made_where_none_will_do(connect: Connect, given: str | None) -> None:
    """What could forge a log line or a header is not echoed."""
    client = connect()
    headers = {} if given is None else {b"X-Request-ID": given.encode()}
    answer = client.get("/identity", headers=headers)
    assert answer.text == answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", answer.text)


def test_each_request_has_an_id_of_its_own(connect: Connect) -> None:
    """And none outlives its request."""
    client = connect()
    assert client.get("/identity").text != client.get("/identity").text
    assert request_id.get() is None


def test_lines_of_a_request_name_the_run_in_its_path(connect: Connect) -> None:
    """Also those of what nobody caught; and the next request is not about it."""
    client = connect()
    with told_by("juniper_common.errors") as told:
        client.get("/runs/r1")
        client.get("/fail")
    assert [line.run for line in told] == ["r1", None]


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/fail", 500)])
def test_errors_are_answered_with_id_and_headers(connect: Connect, path: str, status: int) -> None:
    """An unexpected one above all: its id is how it is found in the log."""
    answer = connect().get(path, headers={"X-Request-ID": "q1"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "q1"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_unexpected_error_is_logged_with_its_request(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """The line that somebody will look for."""
    seen: list[str | None] = []

    def note(record: logging.LogRecord) -> bool:
        if record.levelno == logging.ERROR:
            seen.append(request_id.get())
        return True

    caplog.handler.addFilter(note)
    connect().get("/fail", headers={"X-Request-ID": "q1"})
    assert seen == ["q1"]


# Headers


def test_answers_have_security_headers(connect: Connect) -> None:
    """A browser runs nothing from an API's answer, and frames it nowhere."""
    headers = connect().get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_answer_s_own_header_stands(connect: Connect) -> None:
    """A route that knows better is not overruled."""
    assert connect().get("/framed").headers["x-frame-options"] == "SAMEORIGIN"


def test_refusals_have_security_headers(connect: Connect) -> None:
    """They come before the guards."""
    assert connect(api_keys=("first",)).get("/").headers["x-frame-options"] == "DENY"


def test_no_rate_limit_until_one_is_set(connect: Connect) -> None:
    """A host of one's own is nobody else's to flood."""
    assert "x-ratelimit-limit" not in connect().get("/").headers


def test_rate_limit_leaves_health_and_metrics_alone(connect: Connect) -> None:
    """Who watches a service must see it most when it is asked too often."""
    client = connect(rate_limit_per_minute=1)
    assert [client.get("/").status_code for _ in range(2)] == [200, 429]
    for path in ("/v1/health/ready", "/metrics", "/v1/metrics/prometheus"):
        assert {client.get(path).status_code for _ in range(3)} == {200}


def test_wrong_keys_are_limited_before_they_are_compared_again(connect: Connect) -> None:
    """Guessing is as slow as asking."""
    client = connect(api_keys="right", rate_limit_per_minute=2)
    answers = [client.get("/", headers={"X-API-Key": f"guess {number}"}).status_code for number in range(3)]
    assert answers == [401, 401, 429]


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_browser_that_names_no_origin_says_where_it_is(connect: Connect, site: str, status: int) -> None:
    """It is a browser after all, whose page is another one's."""
    assert connect().post("/", headers={"Sec-Fetch-Site": site}).status_code == status


def test_a_page_reaches_no_device_and_no_other_window(connect: Connect) -> None:
    """Nothing here asks for a camera, and who opened the page gets no hold of it."""
    headers = connect().get("/").headers
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
