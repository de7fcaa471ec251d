"""Who gets into a dashboard with keys, and how: the whole app but NiceGUI's pages, which are one for the process."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from juniper_canopy.access.login import TRIES_PER_MINUTE, own_path
from juniper_canopy.access.session_guard import SessionGuard
from juniper_canopy.access.sessions import Sessions
from juniper_canopy.api.errors import error_body
from juniper_canopy.app import Dashboard
from juniper_canopy.settings import CanopySettings
from juniper_common.api_keys import ApiKeys
from tests.unit.juniper_canopy.conftest import Clock
from tests.unit.juniper_canopy.fake_backend import FakeBackend

KEY = "a key with ümlaut & more"
HTML = {"Accept": "text/html,application/xhtml+xml"}
ORIGIN = {"Origin": "http://localhost"}

Connect = Callable[..., TestClient]


@pytest.fixture
def connect(backend: FakeBackend, tmp_path: Path) -> Iterator[Connect]:
    """Connects to a dashboard with settings of the test, as a browser that follows no redirection by itself."""
    with ExitStack() as stack:

        def connect(base_url: str = "http://localhost", **told: object) -> TestClient:
            settings = CanopySettings.model_validate({"state_dir": tmp_path, "api_keys": [KEY]} | told)
            app = Dashboard(settings, backend).app(pages=False)
            return stack.enter_context(TestClient(app, base_url, follow_redirects=False))

        yield connect


@pytest.fixture
def browser(connect: Connect) -> TestClient:
    """A browser before a dashboard with a key."""
    return connect()


def log_in(browser: TestClient, key: str = KEY, wanted: str = "/", **headers: str) -> Response:
    """Send the form."""
    return browser.post("/login", data={"key": key, "next": wanted}, headers=ORIGIN | headers)


def cookies_of(browser: TestClient) -> dict[str, str]:
    """Its cookies as a header, which the test client sends with no socket by itself."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


def live_code(browser: TestClient, **headers: str) -> int | None:
    """The code with which the stream is closed; None where it is open."""
    told = {"host": "localhost", "origin": "http://localhost"} | cookies_of(browser) | headers
    with browser.websocket_connect("/ws/live", headers=told) as socket:
        try:
            socket.receive_bytes()
        except WebSocketDisconnect as closed:
            return closed.code
    return None


def test_without_keys_everything_is_open(connect: Connect) -> None:
    """The default on a host of one's own: there is no log-in either."""
    browser = connect(api_keys=[])
    assert browser.get("/api/state").status_code == 200
    assert live_code(browser) is None
    assert browser.get("/login").status_code == 404


def test_a_program_shows_the_key(browser: TestClient) -> None:
    """As before every service, and it needs no cookie."""
    key = {b"X-API-Key": KEY.encode()}
    assert browser.get("/api/state", headers=key).status_code == 200
    assert browser.post("/api/train/start", json={}, headers=key).status_code == 200
    assert browser.get("/api/state").status_code == 401


@pytest.mark.parametrize("path", ["/", "/?tab=runs", "/docs", "/nothing"])
def test_a_browser_is_sent_to_the_login(browser: TestClient, path: str) -> None:
    """Which knows where it came from; who is not logged in does not learn which paths there are."""
    answer = browser.get(path, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")
    assert log_in(browser, wanted=path).headers["location"] == path


@pytest.mark.parametrize("path", ["/api/state", "/api/nothing", "/v1/host", "/_nicegui/x.js", "/metrics"])
def test_a_program_gets_a_401(browser: TestClient, path: str) -> None:
    """JSON in the words that it knows, also where a browser's script is the program."""
    for headers in ({}, {"Accept": "application/json"}):
        answer = browser.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Missing API key. Provide X-API-Key header."})


@pytest.mark.parametrize("path", ["/v1/health", "/v1/health/live", "/v1/health/ready", "/login"])
def test_health_and_login_are_open(browser: TestClient, path: str) -> None:
    """To everybody."""
    assert browser.get(path).status_code == 200


def test_a_login_opens_everything(browser: TestClient) -> None:
    """Reading, commanding from the dashboard's own page, and the stream."""
    assert live_code(browser) == 4001
    assert log_in(browser).status_code == 303
    assert browser.get("/api/state").status_code == 200
    assert browser.post("/api/train/start", json={}, headers=ORIGIN).status_code == 200
    assert live_code(browser) is None
    assert browser.get("/login?next=/docs").headers["location"] == "/docs"


def test_the_cookie_is_a_strict_one(browser: TestClient) -> None:
    """No script reads it, no other site has it sent."""
    cookie = log_in(browser).headers["set-cookie"]
    assert cookie.startswith("juniper_session=")
    assert KEY not in cookie
    assert set(cookie.split("; ")[1:]) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}


def test_behind_tls_the_cookie_is_secure(connect: Connect) -> None:
    """And bound to the host; browsers are told to come by TLS alone; the public origin is the dashboard's own."""
    browser = connect("https://lab.example", public_url="https://lab.example", session_hours=1)
    answer = log_in(browser, Origin="https://lab.example")
    assert answer.status_code == 303
    assert answer.headers["set-cookie"].startswith("__Host-juniper_session=")
    assert {"Secure", "Max-Age=3600", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert live_code(browser, host="lab.example", origin="https://lab.example") is None
    assert live_code(browser, host="lab.example", origin="https://evil.example") == 4003


def test_with_a_certificate_of_its_own_the_cookie_is_secure(connect: Connect) -> None:
    """What other ports of this host speak is not the dashboard's to say: no HSTS."""
    browser = connect("https://localhost", tls_certificate="PEM")
    answer = log_in(browser, Origin="https://localhost")
    assert answer.headers["set-cookie"].startswith("__Host-juniper_session=")
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert "strict-transport-security" not in answer.headers
    assert live_code(browser, origin="https://localhost") is None


def test_without_tls_none_is_promised(browser: TestClient) -> None:
    """A browser would never come by HTTP again."""
    assert "strict-transport-security" not in browser.get("/login").headers


def test_a_wrong_key_is_told(browser: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """In the page, and in the log, where the key is not."""
    with caplog.at_level(logging.INFO, "juniper_canopy"):
        answer = log_in(browser, "gu<ess", wanted="/?tab=data")
        log_in(browser)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert 'value="/?tab=data"' in answer.text
    assert "set-cookie" not in answer.headers
    assert caplog.messages == ["log-in from testclient refused: wrong key", "log-in from testclient"]


def test_guessing_is_slowed(browser: TestClient) -> None:
    """The right key is not taken either then, else guesses would cost nothing."""
    for number in range(TRIES_PER_MINUTE):
        assert log_in(browser, f"guess {number}").status_code == 401
    answer = log_in(browser)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 6


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_site_logs_nobody_in_or_out(browser: TestClient, headers: dict[str, str]) -> None:
    """A form of theirs is refused."""
    assert browser.post("/login", data={"key": KEY}, headers=headers).status_code == 403
    assert browser.post("/logout", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b'{"key":"x"}', "application/json", 400),
        (b"key=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"a&" * 20, "application/x-www-form-urlencoded", 400),
        (b"key=" + b"x" * 5000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 401),
    ],
)
def test_what_is_no_form_is_refused(browser: TestClient, content: bytes, media_type: str, status: int) -> None:
    """Little is read of whoever has no key yet."""
    answer = browser.post("/login", content=content, headers=ORIGIN | {"Content-Type": media_type})
    assert answer.status_code == status


def test_a_logout_ends_the_session(browser: TestClient) -> None:
    """Also for who kept its cookie."""
    log_in(browser)
    token = browser.cookies["juniper_session"]
    answer = browser.post("/logout", headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "juniper_session" not in browser.cookies
    assert browser.get("/api/state", headers={"Cookie": f"juniper_session={token}"}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_session_changes_things_from_its_own_pages_alone(
    browser: TestClient, headers: dict[str, str], status: int
) -> None:
    """Nothing but the cookie would speak for a request that another page sent."""
    log_in(browser)
    assert browser.post("/api/train/start", json={}, headers=headers).status_code == status


def test_a_session_s_socket_comes_from_a_page(browser: TestClient) -> None:
    """Every browser names the page's origin."""
    log_in(browser)
    told = {"host": "localhost"} | cookies_of(browser)
    with browser.websocket_connect("/ws/live", headers=told) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_bytes()
    assert closed.value.code == 4003


def test_a_key_that_is_shown_decides(browser: TestClient) -> None:
    """A wrong one is refused whatever cookie comes with it."""
    log_in(browser)
    answer = browser.get("/api/state", headers={"X-API-Key": "wrong"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid API key."})


@pytest.mark.anyio
async def test_a_socket_ends_with_its_session(clock: Clock) -> None:
    """The app hears that its client left, and what it sends afterwards goes nowhere."""
    sessions = Sessions([KEY], 60, clock)
    token = sessions.open(0)
    sent: list[Message] = []
    heard: list[Message] = []
    messages: Iterator[Message] = iter([{"type": "websocket.connect"}])

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        heard.append(await receive())
        clock.now_s += 60
        heard.append(await receive())
        await send({"type": "websocket.send", "text": "too late"})

    async def receive() -> Message:
        for message in messages:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    guard = SessionGuard(app, ApiKeys([KEY]), sessions, "session", error_body, check_s=0.01)
    headers = [(b"origin", b"http://localhost"), (b"cookie", b"session=" + token.encode())]
    await guard({"type": "websocket", "path": "/ws/live", "headers": headers}, receive, send)

    assert heard == [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 4001}]
    assert sent == [{"type": "websocket.close", "code": 4001, "reason": "the session has ended"}]


@pytest.mark.parametrize("wanted", ["/", "/?tab=runs&run=a%20b", "/docs", "/x?next=//evil"])
def test_own_paths_are_gone_on_to(wanted: str) -> None:
    """As they stand."""
    assert own_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        *("", "x", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example", "javascript:x()"),
        *("/\t/evil.example", "/ /evil", "/a\nb", '/"><script>', "/é", "/login", "/login?next=/", "/logout"),
    ],
)
def test_no_other_path_is_gone_on_to(wanted: str) -> None:
    """A link to the log-in may not lead to somebody else's page."""
    assert own_path(wanted) == "/"


def test_a_link_of_another_site_finds_the_session(browser: TestClient) -> None:
    """It brings no strict cookie along: the answer asks once more, as a page of this site."""
    answer = browser.get("/login?next=/%3Ftab%3Druns%26x%3D1", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert re.search(r"http-equiv='refresh' content='0; url=\"/\?tab=runs&amp;x=1\"'", answer.text)
    assert 'name="key"' not in answer.text


def test_the_login_page_runs_nothing(browser: TestClient) -> None:
    """No script, no frame, and its form goes to this host alone."""
    policy = browser.get("/login").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy


def test_proxies_in_the_settings_say_who_calls(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Else all who come through one would share one limit; nobody else is believed."""
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    log_in(connect(), "guess", **forwarded)
    log_in(connect(trusted_proxies="testclient"), "guess", **forwarded)
    refused = [record.args for record in caplog.records if record.name == "juniper_canopy.access.login"]
    assert refused == [("testclient",), ("192.0.2.7",)]
