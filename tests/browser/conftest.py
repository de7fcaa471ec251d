"""The three real services on free ports, and Chromium to look at them with."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
READY_TIMEOUT_S = 90
"""The first start compiles the engine."""
PATIENCE_MS = 60_000
"""So long a test waits for what a page should show at once: a busy machine is no finding."""

NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
"""Chromium finds this machine and no other: the page works without any network beyond it."""

EXPECTED_NOISE = re.compile(
    r"WebSocket|ERR_CONNECTION|Failed to fetch|Canopy:|responded with a status of (400|404|409|422|503) "
)
"""What a page may say on its console while a service is away, or has refused what it was asked, on purpose."""


@dataclass
class Service:
    """One service as a process."""

    name: str
    port: int
    environment: dict[str, str]
    log: Path
    within: tuple[str, ...] = ()
    """The command that runs it, where it is not run as any other process."""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.within, sys.executable, "-m", f"juniper_{self.name}"],
                env=os.environ | self.environment,
                stderr=log,
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"juniper-{self.name} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Ready, and cascor's trainer warm."""
        try:
            answer = httpx.get(f"{self.url}/v1/health/ready", timeout=2)
        except httpx.TransportError:
            return False
        return answer.is_success and answer.json()["details"].get("trainer_warm", True) is not False

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(30)


@dataclass
class Host:
    """A host's three services."""

    data: Service
    cascor: Service
    canopy: Service

    def forget(self) -> None:
        """End what is trained, so that each test begins with nothing."""
        with httpx.Client(base_url=f"{self.cascor.url}/v1/training", timeout=60) as training:
            state = training.get("status").json()["data"]["state_machine"]["status"]
            if state in ("QUEUED", "STARTED", "PAUSED"):
                stopped = training.post("stop")
                assert stopped.is_success or stopped.status_code == httpx.codes.CONFLICT  # it was over just then
            training.post("reset").raise_for_status()

    def trainer(self) -> psutil.Process:
        """The process that trains."""
        assert self.cascor.process is not None
        children = psutil.Process(self.cascor.process.pid).children(recursive=True)
        busiest = [child for child in children if "tracker" not in " ".join(child.cmdline())]
        return busiest[-1]


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The services, on free ports and with a state of their own."""
    folder = tmp_path_factory.mktemp("host")
    ports = free_ports(3)
    data, cascor, canopy = (
        Service(name, port, {}, folder / f"{name}.log")
        for name, port in zip(("data", "cascor", "canopy"), ports, strict=True)
    )
    shared = {"JUNIPER_DATA_URL": data.url, "JUNIPER_CASCOR_URL": cascor.url}
    data.environment = {"JUNIPER_DATA_PORT": str(data.port), "JUNIPER_DATA_STATE_DIR": str(folder / "data")}
    cascor.environment = shared | {
        "JUNIPER_CASCOR_PORT": str(cascor.port),
        "JUNIPER_CASCOR_STATE_DIR": str(folder / "cascor"),
    }
    canopy.environment = shared | {
        "JUNIPER_CANOPY_SERVER__PORT": str(canopy.port),
        "JUNIPER_CANOPY_STATE_DIR": str(folder / "canopy"),
    }
    started = Host(data, cascor, canopy)
    try:
        for service in (data, cascor, canopy):
            service.start()
        yield started
    finally:
        for service in (canopy, cascor, data):
            service.stop()


def free_ports(count: int) -> list[int]:
    """Ports of this host that nobody uses."""
    # All are held at once, so that none is given twice.
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", NO_NAMES]
        )
        yield browser
        browser.close()


@contextmanager
def opened(chromium: Browser, url: str) -> Iterator[Page]:
    """A fresh page, open at a dashboard. In every test it asks nothing of anybody else, and no script fails."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    asked: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    page.goto(url)
    yield page
    context.close()
    own = (url, url.replace("http", "ws", 1), "data:", "blob:")
    assert [address for address in asked if not address.startswith(own)] == []
    assert [failure for failure in failures if not EXPECTED_NOISE.search(failure)] == []


@pytest.fixture
def page(host: Host, chromium: Browser) -> Iterator[Page]:
    """A fresh page, open at the dashboard of a host where nothing is trained."""
    host.forget()
    with opened(chromium, host.canopy.url) as page:
        expect_views(page)
        page.wait_for_selector("[data-testid=status][data-status=STOPPED]")
        page.wait_for_selector(".area-loss .chart-host[data-points='0']")  # what an earlier test trained is gone
        yield page


def expect_views(page: Page) -> None:
    """Wait until each view of the page has come, with its keys and all that it reacts to."""
    page.wait_for_selector("[data-testid=status]")
    expect(page.locator("[aria-busy]")).to_have_count(0)
