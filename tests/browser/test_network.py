"""What a person does on the Network tab."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import ChangeParameters, NetworkStats, Topology
from tests.browser.conftest import PATIENCE_MS, Host
from tests.browser.growing import UNITS, asked, begin, grow, open_tab

pytestmark = pytest.mark.browser


def test_one_jumps_to_a_unit(page: Page, host: Host) -> None:
    """By a link, by its number, and step by step; the address says which, and the crossbar marks it."""
    grow(host)
    open_tab(page, host, "tab=network&unit=3")
    inspector = page.locator(".view-unit")
    expect(inspector.get_by_role("heading", name="Unit h3")).to_be_visible()

    inspector.get_by_role("button", name="Next unit").click()
    expect(inspector.get_by_role("heading", name="Unit h4")).to_be_visible()
    expect(page).to_have_url(re.compile("unit=4"))
    page.keyboard.press("ArrowRight")
    expect(inspector.get_by_role("heading", name="Output 0")).to_be_visible()
    expect(page).to_have_url(re.compile("unit=out0"))

    field = inspector.get_by_role("spinbutton", name="Hidden unit")
    field.fill("0")
    field.press("Enter")
    expect(inspector.get_by_role("heading", name="Unit h0")).to_be_visible()
    expect(inspector.get_by_role("button", name="Previous unit")).to_be_disabled()
    expect(page.locator(".crossbar-host")).to_have_attribute("data-unit", "0")

    field.fill("99")
    field.press("Enter")
    expect(inspector).to_contain_text("There is no unit 99 now")


def test_one_goes_over_the_weights_by_keyboard(page: Page, host: Host) -> None:
    """Up and down lead from unit to unit, left and right from weight to weight, each told in words."""
    grow(host)
    open_tab(page, host, "tab=network&unit=2")
    told = page.locator(".crossbar-readout")
    page.locator(".crossbar-host").focus()

    page.keyboard.press("ArrowRight")
    expect(told).to_contain_text("h2 ← x1")
    page.keyboard.press("End")
    expect(told).to_contain_text("h2 ← h1")
    page.keyboard.press("ArrowUp")
    expect(told).to_contain_text("h1 ← h0")
    expect(page.locator(".view-unit")).to_have_attribute("data-unit", "1")


def test_a_units_figures_are_those_of_the_topology(page: Page, host: Host) -> None:
    """Its weights and to whom it gives its own, digit for digit; and the network's figures those of the service."""
    run_id = grow(host)
    open_tab(page, host, "tab=network&unit=2")
    topology = Topology.model_validate(asked(host, "topology"))
    inspector = page.locator(".view-unit")

    incoming = inspector.get_by_role("region", name="Incoming weights").locator("tbody tr")
    outgoing = inspector.get_by_role("region", name="Outgoing weights").locator("tbody tr")
    weights = "rows => rows.map((row) => Number(row.dataset.weight))"
    assert incoming.evaluate_all(weights) == topology.hidden_units[2].weights
    assert incoming.evaluate_all("rows => rows.map((row) => row.dataset.end)") == ["x1", "x2", "h0", "h1"]
    given = [
        *(unit.weights[4] for unit in topology.hidden_units[3:]),
        *(row[4] for row in topology.output_weights),
    ]
    # All units may be drawn before the weights of the last output phase have come.
    until = time.monotonic() + PATIENCE_MS / 1000
    while outgoing.evaluate_all(weights) != given and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert outgoing.evaluate_all(weights) == given

    inspector.get_by_role("button", name="Sort by size").first.click()
    by_size = incoming.evaluate_all(weights)
    assert by_size == sorted(topology.hidden_units[2].weights, key=abs, reverse=True)

    stats = NetworkStats.model_validate(asked(host, "statistics"))
    for name, value in (
        ("count", 7 * len(topology.output_weights)),
        ("mean", stats.output_weight_mean),
        ("std", stats.output_weight_std),
        ("min", stats.output_weight_min),
        ("max", stats.output_weight_max),
    ):
        shown = page.locator(f"[data-figure='output {name}']").inner_text().replace("−", "-")
        assert float(shown) == pytest.approx(value, rel=0.01)
    with JuniperCascorClient(host.cascor.url) as cascor:
        epochs = [info.epoch for info in cascor.snapshots(run_id=run_id).snapshots if info.hidden_units == 3]
    expect(inspector.locator(".facts")).to_contain_text(re.compile(rf"Installed at epoch\s*{epochs[0]}"))


def test_a_chosen_unit_stays_chosen_while_the_network_grows(page: Page, host: Host) -> None:
    """New units appear; only who has chosen none is shown the newest."""
    with JuniperCascorClient(host.cascor.url) as cascor:
        begin(cascor, pace=60)
        open_tab(page, host, "tab=network", units=2)
        expect(page.locator(".view-unit")).to_have_attribute("data-unit", "1")
        page.locator(".view-unit").get_by_role("button", name="Previous unit").click()
        cascor.change(ChangeParameters(pace=None))

        expect(page.locator(".crossbar-host")).to_have_attribute("data-units", str(UNITS))
        expect(page.locator(".view-unit")).to_have_attribute("data-unit", "0")


def test_a_click_on_the_small_network_opens_the_unit(page: Page, host: Host) -> None:
    """On the Training tab, at the unit's row."""
    grow(host)
    small = page.locator(".topology-host")
    expect(small).to_have_attribute("data-units", str(UNITS))
    small.locator("circle").nth(3).click()

    expect(page.locator("#tab-network")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".view-unit")).to_have_attribute("data-unit", "3")


def test_every_weight_of_a_large_network_can_be_read(page: Page) -> None:
    """On a canvas that scrolls: whatever weight is pointed at or gone to is told."""
    told = page.evaluate("""async () => {
        const { FullCrossbar } = await import("canopy/full_crossbar.js");
        const units = 150;
        const topology = {
            input_size: 2, output_size: 1, input_names: ["x1", "x2"],
            hidden_units: Array.from({ length: units }, (_, k) => ({
                weights: Array.from({ length: 2 + k }, (_, j) => k + j / 1000), bias: -1, activation: "tanh",
            })),
            output_weights: [Array(2 + units).fill(1)], output_bias: [0],
        };
        const element = document.createElement("div");
        element.className = "view-crossbar";
        element.style = "position:fixed;inset:0;width:800px;height:500px;z-index:9";
        document.body.append(element);
        const bus = { topology, subscribe: (topics, draw) => (draw(new Set(topics)), () => {}) };
        const view = new FullCrossbar(element, bus, {});
        const host = element.querySelector(".crossbar-host");
        const readout = element.querySelector(".crossbar-readout");
        const ink = () => {
            const context = element.querySelector("canvas").getContext("2d");
            return new Set(context.getImageData(0, 0, 400, 300).data).size;
        };
        const before = ink();
        host.scrollTo(900, 1200);
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        const { left, top } = host.getBoundingClientRect();
        host.dispatchEvent(new PointerEvent("pointermove", { clientX: left + 300, clientY: top + 300 }));
        const pointed = readout.textContent;
        for (const key of ["PageDown", "End"]) host.dispatchEvent(new KeyboardEvent("keydown", { key }));
        const gone = readout.textContent;
        const seen = { drawn: before > 2 && ink() > 2, pointed, gone, unit: host.dataset.unit };
        view.destroy();
        element.remove();
        history.replaceState(null, "", location.pathname);
        return seen;
    }""")

    assert told["drawn"]
    unit, source, weight = re.fullmatch(r"h(\d+) ← h(\d+): ([\d.]+)", told["pointed"]).groups()  # type: ignore[union-attr]
    assert float(weight) == pytest.approx(int(unit) + (2 + int(source)) / 1000, rel=0.01)
    assert told["unit"] == "out0"
    assert told["gone"] == "out ← h149: 1.00"
