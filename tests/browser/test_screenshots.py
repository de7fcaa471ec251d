"""The pictures in docs/screenshots. Taken only when JUNIPER_SCREENSHOTS is set, so that the tree stays clean."""

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Host
from tests.browser.steering import click, wait_for
from tests.browser.test_accessibility import SIZES, TABS

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
UNITS = 14
SLOW = 5
"""Epochs a second."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("JUNIPER_SCREENSHOTS" not in os.environ, reason="set JUNIPER_SCREENSHOTS=1 to take pictures"),
]


def test_every_tab_light_dark_and_on_a_phone(page: Page, host: Host) -> None:
    """A run in the middle of its growth, at a pace that a person can watch."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Tab")
    click(page, "Start")
    wait_for(page, "installs", UNITS, timeout_s=240)
    # It must not end before the last picture.
    httpx.patch(f"{host.cascor.url}/v1/training/params", json={"pace": SLOW}).raise_for_status()
    for tab in TABS:
        page.goto(f"{host.canopy.url}/?tab={tab}")
        page.wait_for_selector("[data-testid=freshness][data-kind=live]")
        page.wait_for_load_state("networkidle")
        page.evaluate("document.activeElement.blur()")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            _picture(page, "desk", f"{tab}-{theme}")
        _picture(page, "phone", f"{tab}-phone")
    assert host.canopy.is_ready()


def _picture(page: Page, size: str, name: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(1500)  # the boundary follows, and charts take the new size
    page.screenshot(path=FOLDER / f"{name}.png", full_page=size == "phone")
