"""The pictures in docs/screenshots. Taken only when JUNIPER_SCREENSHOTS is set, so that the tree stays clean."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Host
from tests.browser.test_training import click, wait_for

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
UNITS = 14

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("JUNIPER_SCREENSHOTS" not in os.environ, reason="set JUNIPER_SCREENSHOTS=1 to take pictures"),
]


def test_the_training_page_light_dark_and_on_a_phone(page: Page, host: Host) -> None:
    """A run in the middle of its growth, at a pace that a person can watch."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Tab")
    click(page, "Start")
    wait_for(page, "installs", UNITS, timeout_s=240)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(1500)  # the boundary follows

    page.screenshot(path=FOLDER / "training-light.png")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / "training-dark.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / "training-phone.png", full_page=True)

    assert host.canopy.is_ready()
