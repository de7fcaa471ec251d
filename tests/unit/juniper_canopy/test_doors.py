"""What every route of the dashboard has in common, those that will be added among them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nicegui.version import __version__ as nicegui_version
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from juniper_canopy.access.limits import PageLimit, SocketLimit
from juniper_canopy.api.errors import error_body
from juniper_canopy.app import Dashboard
from juniper_canopy.settings import CanopySettings
from tests.unit.juniper_canopy.conftest import Clock
from tests.unit.juniper_canopy.fake_backend import FakeBackend


@pytest.fixture
def dashboard(backend: FakeBackend, tmp_path: Path) -> Dashboard:
    """A dashboard without keys: nothing but the other guards is before it."""
    return Dashboard(CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",)), backend)


@pytest.fixture
def client(dashboard: Dashboard) -> Iterator[TestClient]:
    """A client of it."""
    with TestClient(dashboard.app(pages=False), "http://localhost", raise_server_exceptions=False) as client:
        yield client


def _requests(client: TestClient, *, changing: bool) -> list[tuple[str, str]]:
    """Every method and path, with some word for each parameter."""
    routes = [route for route in client.app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    return [
        (method, "/".join("x" if part.startswith("{") else part for part in route.path.split("/")))
        for route in routes
        for method in sorted(route.methods or ())
        if (method not in ("GET", "HEAD")) == changing
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:8100"},
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_no_other_page_changes_anything(
    client: TestClient, backend: FakeBackend, headers: dict[str, str], media_type: str
) -> None:
    """Whatever it sends: a form, of which browsers ask nobody, or JSON."""
    requests = _requests(client, changing=True)
    assert ("POST", "/api/train/start") in requests
    for method, path in requests:
        answer = client.request(method, path, content=b"{}", headers=headers | {"Content-Type": media_type})
        assert answer.status_code == 403, (method, path)
    assert {request.method for request in backend.way.sent} <= {"GET"}


def test_reading_changes_nothing(client: TestClient, backend: FakeBackend) -> None:
    """A link or an image of another page could else command."""
    for method, path in _requests(client, changing=False):
        client.request(method, path)
    assert {request.method for request in backend.way.sent} == {"GET"}


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/api", "/api/train/start/x"])
def test_what_is_not_there_is_told_in_json(client: TestClient, path: str) -> None:
    """No page is built for it."""
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/_nicegui", "/_nicegui/nothing", "/_niceguix", "/_nicegui/client/x/y"])
def test_nicegui_is_asked_for_what_it_has_alone(dashboard: Dashboard, path: str) -> None:
    """Of anything else it makes a page, and holds that for a minute; no limit counts what is below its prefix."""
    app = dashboard.app(pages=False)
    app.mount("/", PlainTextResponse("a page"))
    with TestClient(app) as client:
        assert client.get(path).json() == {"detail": f"There is no {path}."}
        assert client.get(f"/_nicegui/{nicegui_version}/static/x").text == "a page"


def test_no_page_is_made_for_another_method(backend: FakeBackend, tmp_path: Path) -> None:
    """Whoever has no key may ask for the log-in: each such answer would else hold a page for a minute."""
    app = Dashboard(CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",), api_keys="a-key"), backend).app(
        pages=False
    )
    app.mount("/", PlainTextResponse("a page"))
    with TestClient(app, headers={"X-API-Key": "a-key"}) as client:
        for method, path in [("GET", "/logout"), ("PUT", "/login"), ("POST", "/docs"), ("POST", "/api/live/history")]:
            answer = client.request(method, path)
            assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"}), path
        assert client.get("/login").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("DELETE", "/api/runs/%2e%2e", "/v1/runs/%2E%2E"),
        ("POST", "/api/runs/%2e%2e/stop", "/v1/runs/%2E%2E/stop"),
        ("DELETE", "/api/v1/snapshots/%2e%2e", "/v1/snapshots/%2E%2E"),
        ("POST", "/api/v1/snapshots/%2e/restore", "/v1/snapshots/%2E/restore"),
    ],
)
def test_an_id_leads_to_no_other_resource(
    client: TestClient, backend: FakeBackend, method: str, path: str, asked: str
) -> None:
    """`..` would be the service's resource before: whoever may stop one run could so ask for anything."""
    assert client.request(method, path).status_code == 404
    assert asked in [request.url.raw_path.decode() for request in backend.way.sent]


def test_pages_are_counted_by_address(clock: Clock) -> None:
    """A page costs memory for a minute; files, and other addresses, are not touched by it."""
    limited = PageLimit(PlainTextResponse("page"), ["/"], 2, error_body, clock)
    client, other = TestClient(limited), TestClient(limited, client=("192.0.2.7", 1))
    answers = [client.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "30"
    assert client.get("/api/state").status_code == 200
    assert other.get("/").status_code == 200
    clock.now_s += 30
    assert client.get("/").status_code == 200


def test_the_dashboard_s_pages_are_limited(backend: FakeBackend, tmp_path: Path) -> None:
    """Always, in the number that the settings say."""
    settings = CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",), pages_per_minute=2)
    with TestClient(Dashboard(settings, backend).app(pages=False)) as client:
        assert [client.get("/").status_code for _ in range(3)] == [404, 404, 429]
        assert {client.get("/v1/health").status_code for _ in range(3)} == {200}


def test_sockets_are_counted() -> None:
    """Of one address, and of all; each that closes makes room."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "open"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    limited = SocketLimit(app, most=3, most_of_one=2)
    one, two = TestClient(limited), TestClient(limited, client=("192.0.2.7", 1))

    def says(client: TestClient) -> object:
        with client.websocket_connect("/") as socket:
            return socket.receive()

    refused = {"type": "websocket.close", "code": 1013, "reason": "too many sockets"}
    with one.websocket_connect("/") as first, one.websocket_connect("/") as second:
        assert (first.receive_text(), second.receive_text()) == ("open", "open")
        assert says(one) == refused
        with two.websocket_connect("/") as third:
            assert third.receive_text() == "open"
            assert says(two) == refused
    assert says(one) == {"type": "websocket.send", "text": "open"}
