"""The System tab, in Chromium, with the three real services behind it."""

import re
import signal
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Host

pytestmark = pytest.mark.browser

SERVICES = ("data", "cascor", "canopy")
HOSTILE = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'


@pytest.fixture
def tab(page: Page, host: Host) -> Page:
    """The page at its System tab."""
    page.goto(f"{host.canopy.url}/?tab=system")
    expect(card(page, "data")).to_have_attribute("data-status", "ready")
    return page


@pytest.fixture
def data_returns(host: Host) -> Iterator[None]:
    """The dataset service is there again after the test."""
    yield
    if not host.data.is_ready():
        host.data.start()


def card(page: Page, service: str) -> Locator:
    """A service's card."""
    return page.locator(f".service-card[data-service={service}]")


def figure(page: Page, service: str, name: str) -> Locator:
    """A figure of a card."""
    return card(page, service).locator(f"[data-figure={name}]")


def wait_for_points(page: Page, chart: str, least: int) -> None:
    """Wait until a chart draws so many points."""
    plot = f".system-chart[data-chart={chart}] .chart-host"
    page.wait_for_function(f"Number(document.querySelector({plot!r}).dataset.points) >= {least}")


def rows(page: Page) -> Locator:
    """The log's rows."""
    return page.locator(".log-row")


def reload_log(page: Page, address: str) -> None:
    """Open the tab at an address, and wait until the log is there."""
    page.goto(address)
    page.wait_for_selector('.log-rows[data-filters*="service"]')


def test_each_service_has_a_card_with_its_own_figures(tab: Page, host: Host) -> None:
    """What the page shows is what the services say."""
    for service, address in zip(SERVICES, (host.data.url, host.cascor.url, host.canopy.url), strict=True):
        told = httpx.get(f"{address}/v1/host").json()
        report = told.get("data", told)
        expect(card(tab, service)).to_contain_text(f"process {report['pid']}")
        expect(figure(tab, service, "starts")).to_have_text(str(report["starts"]))
        used = report["memory"]["cgroup_current"] or report["memory"]["rss"] + report["memory"]["children_rss"]
        shown = float(figure(tab, service, "memory").get_attribute("data-bytes") or 0)
        assert 0.5 * used < shown < 2 * used
    expect(figure(tab, "canopy", "needs")).to_have_text("data healthy, cascor healthy")
    expect(figure(tab, "host", "memory")).to_have_text(re.compile(r"^[\d.]+ GiB of [\d.]+ GiB$"))


def test_charts_get_points(tab: Page) -> None:
    """One for each look, at all charts the same; where there is no GPU they say so."""
    wait_for_points(tab, "cpu", 3)
    wait_for_points(tab, "memory", 3)
    if card(tab, "host").get_by_text("No GPU on this host.").is_visible():
        for chart in ("gpu", "power"):
            expect(tab.locator(f".system-chart[data-chart={chart}]")).to_contain_text("No GPU on this host.")


def test_charts_share_their_pointer(tab: Page) -> None:
    """Over one, the others tell of the same moment."""
    wait_for_points(tab, "memory", 2)
    plots = tab.locator(".system-chart .u-over")
    box = plots.first.bounding_box()
    assert box is not None
    tab.mouse.move(box["x"] + box["width"] - 3, box["y"] + 20)
    where = tab.locator(".readout-where")
    expect(where.nth(0)).to_have_text(re.compile("^at "))
    expect(where.nth(1)).to_have_text(where.nth(0).inner_text())


def test_a_window_is_in_the_address(tab: Page) -> None:
    """So that a link brings it back; another service's or a wrong one is none."""
    tab.get_by_role("button", name="15 min").click()
    assert "window=15" in tab.url
    tab.reload()
    expect(tab.get_by_role("button", name="15 min")).to_have_attribute("aria-pressed", "true")
    tab.goto(re.sub("window=15", "window=7", tab.url))
    expect(tab.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")


@pytest.mark.usefixtures("data_returns")
def test_a_service_that_is_killed_is_away_and_comes_back(tab: Page, host: Host) -> None:
    """Its card says so, what to type, and since when; its line has a gap; back, it has one start more."""
    starts = int(figure(tab, "data", "starts").inner_text())
    wait_for_points(tab, "cpu", 2)
    host.data.stop(signal.SIGKILL)

    expect(card(tab, "data")).to_have_attribute("data-status", "away")
    expect(card(tab, "data")).to_contain_text("juniper-ctl start data")
    expect(card(tab, "data")).to_contain_text(re.compile(r"Since \d\d:\d\d:\d\d"))
    expect(figure(tab, "data", "memory")).to_be_hidden()
    expect(card(tab, "cascor")).not_to_have_attribute("data-status", "away")
    tab.wait_for_function(
        "document.querySelector('.system-chart[data-chart=memory] .chart-host').dataset.gaps.split(',')[0] > 0"
    )

    host.data.start()
    expect(card(tab, "data")).to_have_attribute("data-status", "ready")
    expect(figure(tab, "data", "starts")).to_have_text(str(starts + 1))


def test_the_log_is_filtered(tab: Page, host: Host) -> None:
    """By service, least level and text; service and level are in the address."""
    tab.get_by_label("Service", exact=True).select_option("cascor")
    expect(tab.locator(".log-row[data-service=cascor]").first).to_be_visible()
    expect(tab.locator(".log-row:not([data-service=cascor])")).to_have_count(0)
    tab.get_by_label("Text in the records").fill("LISTENING on")
    expect(rows(tab)).to_have_count(1)
    expect(rows(tab)).to_contain_text(f"port {host.cascor.port}")
    tab.get_by_label("Least level").select_option("ERROR")
    expect(tab.get_by_text("No records that fit.")).to_be_visible()
    assert "service=cascor" in tab.url
    assert "level=ERROR" in tab.url


def test_the_log_is_followed(tab: Page, host: Host) -> None:
    """What happens now comes by itself, and only while it is wanted."""
    reload_log(tab, f"{host.canopy.url}/?tab=system&service=data")
    httpx.post(f"{host.data.url}/v1/nothing-of-that-kind")
    expect(rows(tab).last).to_contain_text("nothing-of-that-kind")
    tab.get_by_label("Follow").uncheck()
    httpx.post(f"{host.data.url}/v1/not-seen")
    with tab.expect_response("**/api/system?**"):
        pass
    expect(tab.get_by_text("not-seen")).to_have_count(0)
    tab.get_by_label("Follow").check()
    expect(rows(tab).last).to_contain_text("not-seen")


def test_a_hostile_record_is_text(tab: Page, host: Host) -> None:
    """Whoever can write into a log cannot write into the page."""
    record = {
        "seq": 1,
        "time": "2026-03-01T12:00:00Z",
        "level": "ERROR",
        "logger": HOSTILE,
        "message": HOSTILE,
        "traceback": f"Traceback\n{HOSTILE}",
        "run_id": HOSTILE,
        "request_id": HOSTILE,
        "service": "data",
    }

    def answer(route: Route) -> None:
        route.fulfill(json={"records": [record], "next_since": "data:1", "missed": {}, "away": {"cascor": HOSTILE}})

    tab.route("**/api/system/logs?**", answer)
    reload_log(tab, f"{host.canopy.url}/?tab=system&level=ERROR")
    row = rows(tab).first
    expect(row.locator(".log-message")).to_have_text(HOSTILE)
    expect(row.locator(".log-run")).to_have_text(f"run {HOSTILE}")
    row.locator("summary").click()
    expect(row.locator("pre")).to_contain_text(HOSTILE)
    expect(tab.locator(".view-service-logs img, .view-service-logs script")).to_have_count(0)
    assert tab.evaluate("window.harmed") is None
    tab.unroute("**/api/system/logs?**")


def test_the_log_holds_so_many_rows_and_no_more(tab: Page, host: Host) -> None:
    """However long it is followed."""
    record = {"level": "INFO", "time": "2026-03-01T12:00:00Z", "logger": "tiny", "service": "data"}
    many = [record | {"seq": seq, "message": f"record {seq}"} for seq in range(700)]
    tab.route(
        "**/api/system/logs?**",
        lambda route: route.fulfill(json={"records": many, "next_since": "data:700", "missed": {}, "away": {}}),
    )
    reload_log(tab, f"{host.canopy.url}/?tab=system&level=INFO")
    expect(rows(tab)).to_have_count(500)
    expect(rows(tab).last).to_contain_text("record 699")
    tab.unroute("**/api/system/logs?**")


def test_a_hidden_tab_asks_nothing(tab: Page) -> None:
    """Another tab in front, and nobody is asked for what nobody sees."""
    wait_for_points(tab, "cpu", 2)
    tab.get_by_role("tab", name="Training").click()
    tab.wait_for_selector(".headline")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/api/system" in request.url else None)
    tab.wait_for_timeout(3000)  # longer than from one question to the next: what does not happen has no sign
    assert asked == []
    with tab.expect_request("**/api/system?**"):
        tab.get_by_role("tab", name="System").click()


def test_a_phone_gets_one_column(tab: Page) -> None:
    """Cards, charts, log, none wider than the screen."""
    tab.set_viewport_size({"width": 390, "height": 844})
    wait_for_points(tab, "cpu", 2)
    boxes = [card(tab, service).bounding_box() for service in (*SERVICES, "host")]
    places = [box["y"] for box in boxes if box]
    assert len(places) == 4
    assert places == sorted(places)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_gpu_nothing_is_drawn_for_it_and_with_two_there_are_lines(tab: Page, host: Host) -> None:
    """The charts follow what the training service says of its GPUs."""
    gpu = {"name": HOSTILE, "memory_used": 2**30, "memory_total": 2**36, "temperature_c": 50, "power_w": 300.5}
    gpus = [gpu | {"index": index, "utilisation_percent": 40 + index} for index in (0, 1)]

    def answer(route: Route) -> None:
        told = route.fetch().json()
        told["services"][1]["host"]["gpus"] = gpus
        length = len(told["samples"]["time"])
        for index in (0, 1):
            for name, value in (("utilisation_percent", 40), ("memory", 2**30), ("power_w", 300.5)):
                told["samples"]["columns"][f"gpu{index}.{name}"] = [value] * length
        route.fulfill(json=told)

    tab.route("**/api/system?**", answer)
    tab.goto(f"{host.canopy.url}/?tab=system")
    expect(tab.locator(".gpu")).to_have_count(2)
    expect(tab.locator(".gpu").first).to_contain_text(HOSTILE)
    expect(tab.locator(".gpu").first).to_contain_text("40 % busy · 1.0 GiB of 64 GiB · 50 °C · 301 W")
    expect(tab.locator("[data-chart=gpu] .legend-button")).to_have_count(4)
    expect(tab.locator("[data-chart=power] .legend-button")).to_have_text(["GPU 0 301 W", "GPU 1 301 W"])
    tab.get_by_role("button", name="GPU 1 301 W").click()
    expect(tab.get_by_role("button", name="GPU 1 301 W")).to_have_attribute("aria-pressed", "false")
    tab.unroute_all(behavior="wait")
