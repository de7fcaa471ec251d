"""The page itself: its layout, its colours, its keyboard, its modules, its doors."""

import itertools
import re

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.conftest import Host

pytestmark = pytest.mark.browser


def top(page: Page, selector: str) -> float:
    """Where an element begins."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


def test_there_is_one_heading_and_one_main(page: Page) -> None:
    """What a screen reader steers by."""
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1")).to_have_text("Juniper Canopy")
    expect(page.locator("main")).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "en-US")


def test_every_control_has_a_name(page: Page) -> None:
    """Each can be found by its role and name."""
    for name in ("Start", "Pause", "Resume", "Stop", "Reset"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(1)
    expect(page.get_by_role("slider", name="Pace, in epochs a second")).to_have_count(1)
    expect(page.get_by_role("combobox", name="Dataset")).to_have_count(1)
    for name in ("Seed", "Most hidden units", "Candidate pool"):
        expect(page.get_by_role("spinbutton", name=name)).to_have_count(1)


def test_the_focus_is_seen(page: Page) -> None:
    """Whoever goes by keyboard sees where they are."""
    page.keyboard.press("Tab")

    expect(page.locator(":focus-visible")).to_have_css("outline-width", "2px")


def test_everything_fits_a_desktop_screen(page: Page) -> None:
    """At 1440 × 900 nothing is cut, and nothing scrolls."""
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_gets_one_column(page: Page) -> None:
    """The first chart, then the controls, then the rest, none wider than the screen."""
    page.set_viewport_size({"width": 390, "height": 844})

    order = [".headline", ".area-loss", ".controls", ".area-boundary", ".area-accuracy", ".area-topology"]
    places = [top(page, selector) for selector in order]

    assert places[:3] == sorted(places[:3])
    assert places == sorted(places)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_the_header_covers_nothing(page: Page, width: int) -> None:
    """However long the line about the run is, the tabs and buttons stay whole; on a phone the tabs have a row."""
    page.set_viewport_size({"width": width, "height": 844})
    page.locator(".about").evaluate("(about) => { about.textContent = 'a very long line '.repeat(40); }")

    boxes = [page.locator(f".topbar {part}").bounding_box() for part in (".view-tabs", ".header-buttons")]
    tabs, buttons = boxes
    assert tabs is not None and buttons is not None
    assert buttons["x"] + buttons["width"] <= width
    if width == 390:
        assert tabs["y"] >= buttons["y"] + buttons["height"]
    else:
        assert tabs["x"] + tabs["width"] <= buttons["x"]
        assert page.locator(".view-tabs").evaluate("(tabs) => tabs.scrollWidth <= tabs.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_colours_follow_the_system(page: Page) -> None:
    """Dark where the system is dark, and at once when it changes."""
    body = page.locator("body")
    expect(body).not_to_have_class(re.compile("body--dark"))
    page.emulate_media(color_scheme="dark")
    expect(body).to_have_class(re.compile("body--dark"))


def test_a_chosen_colour_stays(page: Page) -> None:
    """The toggle goes round dark, light and the system's; the choice outlives a reload."""
    body = page.locator("body")
    page.get_by_role("button", name=re.compile("^Colours")).click()
    expect(body).to_have_class(re.compile("body--dark"))

    page.reload()
    page.wait_for_selector("[data-testid=status][data-status=STOPPED]")
    expect(body).to_have_class(re.compile("body--dark"))

    page.get_by_role("button", name=re.compile("^Colours: dark")).click()
    expect(body).not_to_have_class(re.compile("body--dark"))


def test_no_two_charts_share_an_array(page: Page) -> None:
    """Columns are buffers of their own, and each reader gets a view of its own."""
    shared = page.evaluate("""async () => {
        const { Columns, METRICS } = await import("canopy/columns.js");
        const columns = new Columns(2);
        columns.append(Object.fromEntries(METRICS.map((name, index) => [name, [index, index + 1, index + 2]])));
        const loss = columns.column("train_loss");
        const accuracy = columns.column("train_accuracy");
        return {
            buffers: new Set(METRICS.map((name) => columns.column(name).buffer)).size === METRICS.length,
            views: columns.column("train_loss") !== loss,
            values: [loss[2], accuracy[2], columns.length],
        };
    }""")

    assert shared == {"buffers": True, "views": True, "values": [3, 5, 3]}


def test_a_page_holds_so_many_points_and_no_more(page: Page) -> None:
    """A run at full speed for hours fills no browser: beyond a bound the thinned history is fetched instead."""
    asked = page.evaluate("""async () => {
        const { LiveBus } = await import("canopy/bus.js");
        const { METRICS } = await import("canopy/columns.js");
        const bus = new LiveBus();
        let asked = 0;
        const real = window.fetch;
        window.fetch = () => { asked += 1; return new Promise(() => {}); };
        const arrays = Object.fromEntries(METRICS.map((name) => [name, new Float32Array(10_000)]));
        const seen = [];
        for (let tick = 1; tick <= 4; tick += 1) {
            bus.apply({ header: { type: "frame", tick, age: 0, upstream: true, run: "a" }, arrays });
            seen.push(asked);
        }
        window.fetch = real;
        return seen;
    }""")

    assert asked == [0, 0, 0, 1]


def test_labels_of_installed_units_never_touch(page: Page) -> None:
    """However close units come, each label has its gap, and the newest is always there."""
    chosen = page.evaluate("""async () => {
        const { chooseLabels } = await import("canopy/install_markers.js");
        const places = Array.from({ length: 60 }, (_, index) => index * 9);
        const widths = places.map((_, index) => (index < 9 ? 14 : 20));
        return chooseLabels(places, widths, 6).map((index) => [places[index], widths[index]]);
    }""")

    assert chosen[-1][0] == 59 * 9
    for (left, left_width), (right, right_width) in itertools.pairwise(chosen):
        assert right - left >= (left_width + right_width) / 2 + 6


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"connected": False, "upstream": True, "age": 0}, "lost"),
        ({"connected": True, "upstream": False, "age": 0}, "lost"),
        ({"connected": True, "upstream": True, "age": 0.5}, "live"),
        ({"connected": True, "upstream": True, "age": 4}, "stale"),
        ({"connected": True, "upstream": True, "age": None}, "stale"),
    ],
)
def test_the_badge_knows_both_hops(page: Page, facts: dict[str, object], kind: str) -> None:
    """Browser to dashboard, dashboard to training service, and the trainer's own age."""
    said = page.evaluate(
        """async (facts) => {
            const { freshness } = await import("canopy/status.js");
            return freshness({ ...facts, state: { status: "STARTED" } }).kind;
        }""",
        facts,
    )

    assert said == kind


def test_every_state_is_told_as_the_last_known_without_a_connection(page: Page) -> None:
    """What nobody tells of any more is not said as if it were so now."""
    words = page.evaluate(
        """async () => {
            const { STATUS_WORDS, stateInWords } = await import("canopy/status.js");
            const both = (status) => [false, true].map((isLost) => stateInWords({ status }, isLost));
            return Object.keys(STATUS_WORDS).map(both);
        }"""
    )

    assert ["running", "was running"] in words
    assert all(now != before and before.split()[0] in ("was", "had", "could") for now, before in words)


def test_a_large_network_is_drawn_on_a_canvas(page: Page) -> None:
    """SVG up to forty units, canvas beyond."""
    drawn = page.evaluate("""async () => {
        const { TopologyView } = await import("canopy/topology.js");
        const network = (units) => ({
            input_size: 2, output_size: 1, input_names: ["x1", "x2"],
            hidden_units: Array.from({ length: units }, (_, k) => ({ weights: Array(2 + k).fill(0.5), bias: -1 })),
            output_weights: [Array(2 + units).fill(1)], output_bias: [0],
        });
        const kinds = [];
        for (const units of [0, 40, 41, 120]) {
            const element = document.createElement("div");
            element.style = "width:400px;height:400px;display:flex;flex-direction:column";
            document.body.append(element);
            const bus = { topology: network(units), subscribe: (topics, draw) => (draw(new Set(topics)), () => {}) };
            const view = new TopologyView(element, bus, {});
            kinds.push(element.querySelector(".topology-host").firstElementChild.tagName);
            view.destroy();
            element.remove();
        }
        return kinds;
    }""")

    assert drawn == ["svg", "svg", "CANVAS", "CANVAS"]


@pytest.mark.parametrize("path", ["/ws/live", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"])
def test_a_foreign_page_gets_no_socket(host: Host, path: str) -> None:
    """Another site's page can neither watch nor command."""
    with (
        pytest.raises(ConnectionClosed) as refused,
        connect(host.canopy.url.replace("http", "ws", 1) + path, origin=Origin("http://evil.example")) as socket,
    ):
        socket.recv(5)

    assert refused.value.rcvd is not None
    assert refused.value.rcvd.code == 4003


def test_there_is_no_way_around_the_sockets(host: Host, chromium: Browser) -> None:
    """NiceGUI's long polling, which needs no socket, is off."""
    context = chromium.new_context()
    answer = context.request.get(f"{host.canopy.url}/_nicegui_ws/socket.io/?EIO=4&transport=polling")

    assert answer.status == 400
    context.close()


def test_nobody_may_frame_the_page(host: Host, chromium: Browser) -> None:
    """The policy allows the page its own modules, and nothing of anybody else."""
    context = chromium.new_context()
    policy = context.request.get(host.canopy.url).headers["content-security-policy"]
    context.close()

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
