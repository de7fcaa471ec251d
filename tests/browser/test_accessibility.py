"""axe-core finds nothing serious on any tab, in both themes, on a desk and on a phone; nor on the log-in."""

from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Host
from tests.browser.steering import click, wait_for

pytestmark = pytest.mark.browser

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
TABS = ("training", "network", "data", "runs", "system")
GRAVE = ("serious", "critical")


def findings(page: Page) -> list[str]:
    """What axe finds grave on the page: the rule, what it says, and where."""
    page.evaluate(AXE)  # as the page's policy allows: a script element would be refused
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_grave_on_any_tab(page: Page, host: Host, size: str, theme: str) -> None:
    """With a run under way, so that there is something to see."""
    click(page, "Start")
    wait_for(page, "installs", 1)
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    found = []
    for tab in TABS:
        page.goto(f"{host.canopy.url}/?tab={tab}")
        page.wait_for_selector("[data-testid=status][data-status=STARTED]")
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        page.wait_for_load_state("networkidle")
        found += [f"{tab}: {finding}" for finding in findings(page)]
    assert found == []
