"""The decision boundary, unit by unit."""

import re

import pytest
from playwright.sync_api import Page, expect

from juniper_common.wire.training import InlineData
from tests.browser.conftest import Host
from tests.browser.growing import UNITS, grow

pytestmark = pytest.mark.browser

VIEW = ".view-boundary-scrubber"
PICTURE = f"{VIEW} canvas.plane"
LABEL = f"{VIEW} .scrubber-label"
TAB = "tab=data"


def open_scrubber(page: Page, host: Host, query: str = TAB, stops: int = UNITS) -> None:
    """Go where it stands, and wait until it knows so many stops."""
    page.goto(f"{host.canopy.url}/?{query}")
    page.wait_for_selector(f"{VIEW}[data-stops='{stops}']")


def test_the_end_is_the_boundary_of_now(page: Page, host: Host) -> None:
    """What is scrubbed to changes, is told in the address, and ends in what the Training tab shows."""
    grow(host)
    open_scrubber(page, host)
    expect(page.locator(LABEL)).to_have_text(re.compile(rf"after {UNITS} of {UNITS} units, epoch [\d,]+"))
    expect(page.locator(PICTURE)).to_have_attribute("data-units", str(UNITS))
    last = page.locator(PICTURE).get_attribute("data-checksum")
    assert last

    slider = page.get_by_role("slider", name="Installed units")
    slider.press("Home")
    expect(page.locator(LABEL)).to_contain_text(f"after 1 of {UNITS} units")
    expect(page.locator(PICTURE)).to_have_attribute("data-units", "1")
    expect(page.locator(PICTURE)).not_to_have_attribute("data-checksum", last)
    expect(page).to_have_url(re.compile("at=1"))
    slider.press("End")
    expect(page.locator(PICTURE)).to_have_attribute("data-checksum", last)

    page.locator("#tab-training").click()
    expect(page.locator(".area-boundary canvas.plane")).to_have_attribute("data-checksum", last)


def test_the_growth_is_played(page: Page, host: Host) -> None:
    """From where the link says to the end, one unit after another."""
    grow(host)
    open_scrubber(page, host, f"{TAB}&at=2")
    expect(page.locator(PICTURE)).to_have_attribute("data-units", "2")
    page.evaluate(f"""() => {{
        const picture = document.querySelector({PICTURE!r});
        window.played = [];
        new MutationObserver(() => window.played.push(picture.dataset.units))
            .observe(picture, {{ attributeFilter: ["data-units"] }});
    }}""")

    page.locator(VIEW).get_by_role("button", name="Play").click()
    expect(page.locator(PICTURE)).to_have_attribute("data-units", str(UNITS))
    expect(page.locator(VIEW).get_by_role("button", name="Play")).to_be_visible()
    played = page.evaluate("window.played.filter((units, index, all) => units !== all[index - 1])")
    assert [units for units in played if units != "2"] == [str(units) for units in range(3, UNITS + 1)]


def test_any_two_of_several_inputs_are_shown(page: Page, host: Host) -> None:
    """And what the others are held at."""
    x = [[a, b, 10 * c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    grow(host, InlineData(train_x=x, train_y=[int(a != b) ^ int(c > 0) for a, b, c in x]), max_hidden_units=1)
    open_scrubber(page, host, stops=1)
    expect(page.locator(VIEW)).to_contain_text("Held at their means: x3 = 5.00")
    drawn = page.locator(PICTURE).evaluate("canvas => canvas.toDataURL()")

    page.get_by_label("Up: input").select_option("x3")
    expect(page.locator(VIEW)).to_contain_text("Held at their means: x2 = 0.500")
    assert page.locator(PICTURE).evaluate("canvas => canvas.toDataURL()") != drawn

    expect(page).to_have_url(re.compile("at-features=1%2C3"))
    page.reload()
    expect(page.locator(VIEW)).to_contain_text("Held at their means: x2 = 0.500")
    expect(page.get_by_label("Up: input")).to_have_value("2")


def test_without_a_run_it_says_so(page: Page, host: Host) -> None:
    """In words, with nothing to move."""
    open_scrubber(page, host, stops=0)
    expect(page.locator(PICTURE)).to_have_attribute("aria-label", re.compile("No run yet"))
    expect(page.get_by_role("slider", name="Installed units")).to_be_disabled()
