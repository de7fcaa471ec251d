"""Debian's Chromium, and what its pages and its network say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

_EXECUTABLE = "/usr/bin/chromium"
_ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
LIVE = "[data-testid=freshness][data-kind=live]"
TIMEOUT_MS = 60_000.0


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_EXECUTABLE, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who has never been here: no file is kept from before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


def open_live(page: Page, address: str) -> None:
    """Go there, and return when the page says that its data is live."""
    page.goto(address)
    page.wait_for_selector(LIVE)
