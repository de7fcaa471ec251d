"""Everything by keyboard: tabs, the run, the charts, and the help that lists the keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import expect_views
from tests.browser.steering import expect_status, wait_for

pytestmark = pytest.mark.browser


def focus_by_tab(page: Page, name: str) -> None:
    """Go from control to control until this button has the focus."""
    target = page.get_by_role("button", name=name, exact=True)
    for _ in range(40):
        if target.evaluate("(button) => button === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {name}")


def leave_controls(page: Page) -> None:
    """Put the focus where Space presses nothing."""
    page.evaluate("document.activeElement.blur()")


def test_numbers_open_the_tabs(page: Page) -> None:
    """1 to 5, in the order in which they stand."""
    for key, title in enumerate(("Training", "Network", "Data", "Runs and snapshots", "System"), start=1):
        page.keyboard.press(str(key))
        expect(page.get_by_role("tab", name=title)).to_have_attribute("aria-selected", "true")


def test_a_run_is_led_by_keyboard_alone(page: Page) -> None:
    """Start by Tab and Enter, pause and resume by Space, stop by Tab and Enter."""
    focus_by_tab(page, "Start")
    page.keyboard.press("Enter")
    expect_status(page, "STARTED")
    wait_for(page, "points", 3)
    leave_controls(page)

    page.keyboard.press("Space")
    expect_status(page, "PAUSED")
    page.keyboard.press("Space")
    expect_status(page, "STARTED")

    focus_by_tab(page, "Stop")
    page.keyboard.press("Enter")
    expect_status(page, "STOPPED")


def test_space_goes_by_what_was_reported(page: Page) -> None:
    """With nothing to pause, nothing is sent; the page does not scroll either."""
    page.keyboard.press("Space")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate("scrollY") == 0
    expect_status(page, "STOPPED")


def test_space_pauses_from_any_tab(page: Page) -> None:
    """The key belongs to the run, and not to the tab."""
    page.get_by_role("button", name="Start", exact=True).click()
    expect_status(page, "STARTED")
    page.keyboard.press("5")
    leave_controls(page)

    page.keyboard.press("Space")

    expect_status(page, "PAUSED")


def test_letters_change_the_charts(page: Page) -> None:
    """L the scale, S the smoothing, X the axis, and back."""
    logs = page.get_by_role("button", name=re.compile("^Logarithmic scale"))
    expect(logs).to_have_count(2)
    page.keyboard.press("l")
    expect(logs.first).to_have_attribute("aria-pressed", "true")
    expect(logs.last).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+L")
    expect(logs.first).to_have_attribute("aria-pressed", "false")

    page.keyboard.press("s")
    expect(page.get_by_role("slider", name="Smoothing: Loss")).to_have_value("0.6")
    page.keyboard.press("x")
    expect(page.get_by_role("combobox", name="X axis: Loss")).to_have_value("epoch-log")


def test_a_letter_in_a_field_is_a_letter(page: Page) -> None:
    """Whoever types means the field."""
    page.get_by_role("spinbutton", name="Seed").press("l")

    expect(page.get_by_role("button", name="Logarithmic scale: Loss")).to_have_attribute("aria-pressed", "false")


def test_the_help_lists_the_keys_and_gives_the_focus_back(page: Page) -> None:
    """? opens it, Esc closes it, and the focus is where it was."""
    focus_by_tab(page, "Start")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    for key, words in (("Space", "Pause, or resume"), ("1", "Training"), ("L", "Logarithmic"), ("?", "This help")):
        expect(dialog.get_by_role("row", name=re.compile(rf"^{re.escape(key)} {words}"))).to_have_count(1)

    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_focused()


def test_the_help_tells_what_the_open_tab_has(page: Page) -> None:
    """The charts' keys are bound while the charts are shown."""
    page.keyboard.press("5")
    page.get_by_role("button", name="Keyboard help").click()

    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("Save all charts")
    expect(dialog).not_to_contain_text("Smooth the curves")


def test_keys_can_be_turned_off(page: Page) -> None:
    """As WCAG 2.1.4 asks of keys without Ctrl; the choice outlives a reload, and the button still opens the help."""
    page.get_by_role("button", name="Keyboard help").click()
    page.get_by_role("checkbox", name="These keys are on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect_views(page)

    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Training")).to_have_attribute("aria-selected", "true")

    page.get_by_role("button", name="Keyboard help").click()
    page.get_by_role("checkbox", name="These keys are on").check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Network")).to_have_attribute("aria-selected", "true")
