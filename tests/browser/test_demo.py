"""The dashboard without services: recordings, on which every control works, until a training service comes."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service, free_ports, opened
from tests.browser.steering import LOSS, click, expect_status

pytestmark = pytest.mark.browser


@pytest.fixture
def canopy(tmp_path: Path) -> Iterator[Service]:
    """The dashboard alone, as someone starts it who has no training service."""
    (port,) = free_ports(1)
    environment = {
        "JUNIPER_ENV": "demo",
        "JUNIPER_CANOPY_DEMO_MODE": "true",
        "JUNIPER_CANOPY_SERVER__PORT": str(port),
        "JUNIPER_CANOPY_STATE_DIR": str(tmp_path / "canopy"),
    }
    service = Service("canopy", port, environment, tmp_path / "canopy.log")
    yield service
    service.stop()


@pytest.fixture
def demo(canopy: Service, chromium: Browser) -> Iterator[Page]:
    """Its page, at a run that is slow enough for any machine."""
    canopy.start()
    until_a_run_is_shown(canopy)
    httpx.post(f"{canopy.url}/api/train/stop")  # which the first run may not need any more
    slow_run = {"params": {"pace": 5}, "start_fresh": True}
    httpx.post(f"{canopy.url}/api/train/start", json=slow_run).raise_for_status()
    with opened(chromium, canopy.url) as page:
        expect_status(page, "STARTED")
        yield page


def until_a_run_is_shown(canopy: Service) -> None:
    """Wait until the demo has begun."""
    deadline = time.monotonic() + 30
    while httpx.get(f"{canopy.url}/api/state").json()["run_id"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_points(page: Page, condition: str) -> None:
    """Wait until the number of points that the loss chart draws is as wanted."""
    page.wait_for_function(f"Number(document.querySelector({LOSS!r})?.dataset.points) {condition}")


def test_a_growth_is_under_way_and_obeys(demo: Page) -> None:
    """The page says that it is a demo; it pauses, goes on, stops, and starts anew at the first epoch."""
    expect(demo.get_by_test_id("mode")).to_have_text("demo")
    wait_for_points(demo, "> 10")
    expect(demo.locator(".area-boundary canvas.plane")).not_to_have_attribute("data-checksum", "")

    click(demo, "Pause")
    expect_status(demo, "PAUSED")
    expect(demo.get_by_test_id("freshness")).to_have_text("trainer alive")
    expect(demo.get_by_test_id("freshness")).to_have_text("trainer alive")
    click(demo, "Resume")
    expect_status(demo, "STARTED")
    expect(demo.get_by_test_id("freshness")).to_have_attribute("data-kind", "live")
    click(demo, "Stop")
    expect_status(demo, "STOPPED")

    track = demo.locator(".pace [tabindex]")
    track.focus()
    track.press("PageUp")
    click(demo, "Start")
    expect_status(demo, "COMPLETED")
    demo.wait_for_function(f"document.querySelector({LOSS!r}).dataset.installs >= 3")


def test_a_dataset_of_ones_own_is_not_said_to_be_trained_on(demo: Page, tmp_path: Path) -> None:
    """The note stands where the dataset is chosen, and its button cannot be used."""
    path = tmp_path / "flowers.csv"
    path.write_text("\n".join(["a,b,c,d,label", *(f"{k},{k % 5},{k % 7},{k % 3},{'xyz'[k % 3]}" for k in range(30))]))
    click(demo, "Stop")
    demo.get_by_role("tab", name="Data").click()
    form = demo.get_by_role("region", name="Upload a file")
    form.get_by_label("File to upload").set_input_files(path)
    form.get_by_role("button", name="Upload", exact=True).click()

    expect(demo.get_by_text("this dataset cannot be trained on")).to_be_visible()
    expect(demo.get_by_role("button", name="Train on this")).to_be_disabled()


def test_programs_find_the_demo_too(canopy: Service) -> None:
    """What the REST of the dashboard answers is of the recordings, and it says so."""
    canopy.start()
    until_a_run_is_shown(canopy)

    assert httpx.get(f"{canopy.url}/api/state").json()["mode"] == "demo"
    assert httpx.get(f"{canopy.url}/v1/health/ready").json()["details"]["mode"] == "demo"
    assert httpx.get(f"{canopy.url}/api/topology").json()["input_size"] == 2


def test_the_services_take_over_when_they_come(canopy: Service, chromium: Browser, tmp_path: Path) -> None:
    """Started first, the dashboard shows the demo; the same page turns to the training service once that is there."""
    data_port, cascor_port = free_ports(2)
    urls = {
        "JUNIPER_DATA_URL": f"http://127.0.0.1:{data_port}",
        "JUNIPER_CASCOR_URL": f"http://127.0.0.1:{cascor_port}",
    }
    del canopy.environment["JUNIPER_CANOPY_DEMO_MODE"]
    canopy.environment |= urls
    cascor_environment = urls | {
        "JUNIPER_CASCOR_PORT": str(cascor_port),
        "JUNIPER_CASCOR_STATE_DIR": str(tmp_path / "cascor"),
    }
    cascor = Service("cascor", cascor_port, cascor_environment, tmp_path / "cascor.log")
    canopy.start()
    with opened(chromium, canopy.url) as page:
        expect(page.get_by_test_id("mode")).to_be_visible()
        wait_for_points(page, "> 10")
        page.evaluate("window.samePage = true")
        try:
            cascor.start()
            expect(page.get_by_test_id("mode")).to_be_hidden()
            expect_status(page, "STOPPED")
            wait_for_points(page, "== 0")
            assert page.evaluate("window.samePage") is True

            cascor.stop()
            expect(page.get_by_test_id("freshness")).to_have_text(re.compile("no connection"))
            expect(page.get_by_test_id("mode")).to_be_hidden()
        finally:
            cascor.stop()


def test_system_tells_of_the_one_process_that_there_is(demo: Page) -> None:
    """The fakes live in the dashboard's process: their figures would be its own, and each record stand twice."""
    demo.keyboard.press("5")
    expect(demo.locator(".service-card h2")).to_have_text(["juniper-canopy", "Host"])
    expect(demo.get_by_text("A demo: recordings play in the dashboard's own process")).to_be_visible()
    expect(demo.locator(".log-row[data-service=canopy]").first).to_be_visible()
    expect(demo.locator(".log-row:not([data-service=canopy])")).to_have_count(0)
