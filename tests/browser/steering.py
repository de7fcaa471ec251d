"""What tests of several tabs do and wait for while something is trained."""

from playwright.sync_api import Page, expect

LOSS = ".area-loss .chart-host"


def click(page: Page, name: str) -> None:
    """Click a command's button."""
    page.get_by_role("button", name=name, exact=True).click()


def expect_status(page: Page, status: str) -> None:
    """Wait for the reported state."""
    expect(page.get_by_test_id("status")).to_have_attribute("data-status", status)


def wait_for(page: Page, what: str, least: int, timeout_s: float = 60) -> None:
    """Wait until the loss chart draws so many points or installs."""
    page.wait_for_function(
        f"document.querySelector({LOSS!r})?.dataset.{what} >= {least}", timeout=timeout_s * 1000, polling=20
    )


def set_pace(page: Page, key: str) -> None:
    """Move the slider by ten steps with the keyboard: to its end."""
    track = page.locator(".pace [tabindex]")  # Quasar gives the focus to a part of the slider
    track.focus()
    track.press(key)
