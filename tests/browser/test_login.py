"""A dashboard with a key: how people come in by browser and keyboard, and how they go."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.conftest import Host, Service, free_ports
from tests.browser.test_accessibility import SIZES, findings

pytestmark = pytest.mark.browser

KEY = "the key of this test"
SOCKETS = ("/ws/live", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket")
READY = "[data-testid=status][data-status=STOPPED]"


@pytest.fixture(scope="module")
def locked(host: Host) -> Iterator[Service]:
    """A second dashboard of the same host, with a key."""
    (port,) = free_ports(1)
    folder = host.canopy.log.parent / "locked"
    environment = host.canopy.environment | {
        "JUNIPER_CANOPY_SERVER__PORT": str(port),
        "JUNIPER_CANOPY_STATE_DIR": str(folder),
        "JUNIPER_CANOPY_API_KEYS": KEY,
    }
    service = Service("canopy", port, environment, folder.with_suffix(".log"))
    service.start()
    yield service
    service.stop()


@pytest.fixture
def context(chromium: Browser, host: Host) -> Iterator[BrowserContext]:
    """A browser that nobody has logged in with."""
    host.forget()
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield context
    context.close()


def log_in(page: Page) -> None:
    """By keyboard alone: the field has the focus."""
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")


def close_code(url: str, origin: str, cookie: str = "", message: str = "") -> int | None:
    """With which code a socket is closed at once; None where it stays open."""
    headers = {"Cookie": cookie} if cookie else {}
    with connect(url, origin=Origin(origin), additional_headers=headers) as socket:
        try:
            socket.recv(5)
            if message:
                socket.send(message)
                while True:
                    socket.recv(5)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
    return None


def test_a_link_leads_through_the_login_to_what_it_names(context: BrowserContext, locked: Service) -> None:
    """A wrong key is told; the right one opens the tab that was asked for, live; a reload asks no more."""
    page = context.new_page()
    page.goto(f"{locked.url}/?tab=runs")
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()

    log_in(page)
    page.wait_for_selector(READY)
    assert page.url == f"{locked.url}/?tab=runs"
    page.reload()
    page.wait_for_selector(READY)


def test_a_link_on_another_site_finds_the_session(context: BrowserContext, locked: Service) -> None:
    """Though a strict cookie does not come along with it."""
    page = context.new_page()
    page.goto(f"{locked.url}/login")
    log_in(page)
    page.wait_for_selector(READY)

    page.goto(f"{locked.url.replace('127.0.0.1', 'localhost')}/login")
    page.evaluate("address => { location.href = address; }", f"{locked.url}/?tab=data")
    page.wait_for_selector(READY)
    assert page.url == f"{locked.url}/?tab=data"


def test_logging_out_ends_every_tab(context: BrowserContext, locked: Service) -> None:
    """The one that was clicked at once; others when their sockets are closed, well within a minute."""
    clicked, other = context.new_page(), context.new_page()
    clicked.goto(f"{locked.url}/login")
    log_in(clicked)
    clicked.wait_for_selector(READY)
    other.goto(f"{locked.url}/?tab=system")
    other.wait_for_selector(READY)

    clicked.get_by_role("button", name="Log out").click()
    expect(clicked.get_by_label("Key")).to_be_visible()
    other.wait_for_url(re.compile("/login"), timeout=60_000)
    assert context.cookies() == []


@pytest.mark.parametrize("path", SOCKETS)
def test_a_socket_asks_who_comes(context: BrowserContext, locked: Service, path: str) -> None:
    """The stream's and NiceGUI's own: the cookie opens them, for the dashboard's own pages alone."""
    page = context.new_page()
    page.goto(f"{locked.url}/login")
    log_in(page)
    page.wait_for_selector(READY)
    (cookie,) = context.cookies()
    shown, address = f"{cookie['name']}={cookie['value']}", locked.url.replace("http", "ws", 1) + path

    assert close_code(address, locked.url, shown) is None
    assert close_code(address, locked.url) == 4001
    assert close_code(address, locked.url, shown + "x") == 4001
    assert close_code(address, "http://evil.example", shown) == 4003


@pytest.mark.parametrize("path", SOCKETS)
def test_a_browser_sends_no_megabytes(host: Host, path: str) -> None:
    """A larger message closes its socket before it is held."""
    assert close_code(host.canopy.url.replace("http", "ws", 1) + path, host.canopy.url, message="x" * 1_100_000) == 1009


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_grave_on_the_login(context: BrowserContext, locked: Service, size: str, theme: str) -> None:
    """With the message of a wrong key."""
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
    page.goto(f"{locked.url}/login")
    expect(page.get_by_label("Key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert findings(page) == []
