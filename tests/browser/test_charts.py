"""The line charts: smoothing, axes, zoom, files, a ghost run, and a run of eight hours."""

import csv
import io
import re
import struct
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Host
from tests.browser.growing import UNITS, grow

pytestmark = pytest.mark.browser

LOSS = ".area-loss .chart-host"
ACCURACY = ".area-accuracy .chart-host"
HOSTILE = '<img src=x onerror="window.pwned=1">'

FEED = """async ([run, from, to, reset]) => {
    const { liveBus } = await import("canopy/bus.js");
    const { METRICS } = await import("canopy/columns.js");
    const bus = liveBus();
    while (!bus.connected) await new Promise((go) => setTimeout(go, 20));  // its history would replace what is fed
    const epochs = Float64Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const value = {
        epoch: (epoch) => epoch,
        train_loss: (epoch) => 0.25 * Math.exp(-epoch / 300) + 0.01 * Math.sin(epoch),
        val_loss: (epoch) => (epoch % 100 === 7 ? NaN : 0.3 * Math.exp(-epoch / 300)),
        train_accuracy: (epoch) => 1 - 0.5 * Math.exp(-epoch / 300),
        val_accuracy: (epoch) => 0.9 - 0.5 * Math.exp(-epoch / 300),
        hidden_units: (epoch) => Math.floor(epoch / 50),
        timestamp: (epoch) => 1000 + epoch / 20,
    };
    const arrays = Object.fromEntries(METRICS.map((name) => [name, epochs.map(value[name])]));
    const installs = [...epochs].filter((epoch) => epoch % 50 === 0)
        .map((epoch) => ({ index: epoch / 50 - 1, units: epoch / 50, epoch, score: 0.5 }));
    const header = { type: "frame", tick: bus._tick, age: 0, upstream: true, run, reset, installs };
    bus.apply({ header, arrays });
}"""


def feed(page: Page, first: int, last: int, *, run: str = "run-a") -> None:
    """Have the page hear of a run's epochs, as its bus does from the socket; the first of them begin the run."""
    page.evaluate(FEED, [run, first, last, first == 1])
    page.wait_for_function(f"document.querySelector({LOSS!r})?.ariaLabel?.includes('{last:,} epochs')")


def download(page: Page, name: str, folder: Path) -> bytes:
    """What a button saves."""
    with page.expect_download() as saved:
        page.get_by_role("button", name=name).click()
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    return path.read_bytes()


def address(page: Page, name: str) -> str | None:
    """A value of the page's address."""
    value: str | None = page.evaluate("(name) => new URLSearchParams(location.search).get(name)", name)
    return value


def test_smoothing_never_goes_across_an_installed_unit(page: Page) -> None:
    """Each stretch is averaged by itself and freed of its start; an undefined value changes nothing."""
    step, holes, falling = page.evaluate("""async () => {
        const { smooth } = await import("canopy/smoothing.js");
        return [
            [...smooth([1, 1, 1, 5, 5], 0.9, [0, 0, 0, 1, 1])],
            [...smooth([2, null, NaN, 2], 0.5)].map((value) => Number.isNaN(value) ? "undefined" : value),
            [...smooth([1, 0], 0.5)],
        ];
    }""")

    assert step == pytest.approx([1, 1, 1, 5, 5])
    assert holes == [2, "undefined", "undefined", 2]
    assert falling == pytest.approx([1, 1 / 3])


def test_the_raw_line_stays_behind_the_smoothed_one(page: Page) -> None:
    """Smoothing adds a line; the faint one behind it has the values as they are."""
    series = page.evaluate("""async () => {
        const { LinePlot } = await import("canopy/line_plot.js");
        const host = document.createElement("div");
        document.body.append(host);
        let drawn = null;
        const axis = { label: "x", tick: String, range: (low, high) => [low, high] };
        const lines = [{ label: "a", color: "train" }];
        const plot = new LinePlot(host, { x: axis, y: axis, lines, behind: (inner) => { drawn = inner; } });
        plot.setData([[1, 2, 3], [0, 4, 0]], [[0, 0, 0]]);
        plot.setSmoothing(0.5);
        await new Promise(requestAnimationFrame);
        const found = drawn.series.slice(1).map(({ alpha }, index) => [alpha, [...drawn.data[index + 1]]]);
        plot.destroy();
        host.remove();
        return found;
    }""")

    (raw_alpha, raw), (smooth_alpha, smoothed) = series
    assert raw == [0, 4, 0]
    assert raw_alpha < smooth_alpha == 1
    assert smoothed == pytest.approx([0, 8 / 3, 8 / 7])


def test_a_choice_of_one_chart_is_in_the_address(page: Page) -> None:
    """Smoothing and the x axis hold for both charts, the logarithm for its own; a reload brings all of it back."""
    page.get_by_role("slider", name="Smoothing: Loss").fill("0.6")
    page.get_by_role("combobox", name="X axis: Loss").select_option("Time")
    page.get_by_role("button", name="Logarithmic scale: Loss").click()

    page.reload()

    expect(page.get_by_role("slider", name="Smoothing: Accuracy")).to_have_value("0.6")
    expect(page.get_by_role("combobox", name="X axis: Accuracy")).to_have_value("time")
    expect(page.get_by_role("button", name="Logarithmic scale: Loss")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Logarithmic scale: Accuracy")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ("epoch-log", "Loss against epoch:"),
        ("time", "Loss against time since the first epoch:"),
        ("time-log", "Loss against time since the first epoch:"),
        ("units", "Loss against installed units:"),
    ],
)
def test_each_axis_draws(page: Page, axis: str, words: str) -> None:
    """Points come on every axis, with zeros and holes on logarithmic ones too."""
    page.goto(page.url + f"?x={axis}&log=loss,accuracy&smooth=0.5")
    feed(page, 1, 200)
    before = page.evaluate(f"document.querySelector('{LOSS} canvas').toDataURL()")
    feed(page, 201, 400)

    expect(page.locator(LOSS)).to_have_attribute("aria-label", re.compile(words))
    assert page.evaluate(f"document.querySelector('{LOSS} canvas').toDataURL()") != before


def test_along_the_units_stands_the_last_value_of_each(page: Page) -> None:
    """One point for each number of installed units: what the network came to before the next was installed."""
    laid = page.evaluate("""async () => {
        const { layRun } = await import("canopy/run_axes.js");
        const columns = {
            epoch: [1, 2, 3, 4, 5], timestamp: [10, 11, 9, 13, 14], hidden_units: [0, 0, 1, 1, 3],
            train_loss: [9, 8, 7, 6, 5],
        };
        const units = layRun("units", columns, ["train_loss"]);
        return [[...units.x], [...units.values[0]], [...layRun("time", columns, ["train_loss"]).x]];
    }""")

    assert laid == [[0, 1, 3], [8, 6, 5], [0, 1, 1, 3, 4]]


def test_a_dragged_range_is_in_the_address_and_on_both_charts(page: Page) -> None:
    """What one zooms to in one chart, the other shows; a double click shows all again."""
    feed(page, 1, 500)
    plane = page.locator(f"{LOSS} .u-over")
    box = plane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()

    expect(page.locator(ACCURACY)).to_have_attribute("aria-label", re.compile("shown from"))
    low, high = (float(end) for end in (address(page, "range") or "").split(".."))
    assert low == pytest.approx(125, abs=5)
    assert high == pytest.approx(250, abs=5)

    plane.dblclick()
    expect(page.locator(ACCURACY)).not_to_have_attribute("aria-label", re.compile("shown from"))
    assert address(page, "range") is None


def test_a_linked_range_stays_while_points_come(page: Page) -> None:
    """The address's range is shown before its points are there, while more come, and after a reload."""
    page.goto(page.url + "?range=100..200")
    feed(page, 1, 300)
    expect(page.locator(LOSS)).to_have_attribute("aria-label", re.compile("shown from 100 to 200"))
    feed(page, 301, 400)
    expect(page.locator(ACCURACY)).to_have_attribute("aria-label", re.compile("shown from 100 to 200"))

    page.reload()
    page.wait_for_selector("[data-testid=status][data-status=STOPPED]")
    feed(page, 1, 300)

    expect(page.locator(LOSS)).to_have_attribute("aria-label", re.compile("shown from 100 to 200"))
    assert address(page, "range") == "100..200"


def test_a_new_run_is_shown_from_its_start(page: Page) -> None:
    """The last run's range would show nothing of it."""
    feed(page, 1, 300)
    page.evaluate("""async () => (await import("canopy/address.js")).writeAddress({ range: "200..300" })""")
    expect(page.locator(LOSS)).to_have_attribute("aria-label", re.compile("shown from 200 to 300"))

    feed(page, 1, 20, run="run-b")

    expect(page.locator(LOSS)).not_to_have_attribute("aria-label", re.compile("shown from"))
    assert address(page, "range") is None


def test_a_csv_has_the_points_as_they_are(page: Page, tmp_path: Path) -> None:
    """Every row that the page holds, unsmoothed; what is not defined is empty."""
    page.goto(page.url + "?smooth=0.9&x=units")
    feed(page, 1, 120)
    held = page.evaluate("""async () => {
        const { liveBus } = await import("canopy/bus.js");
        const { columns } = liveBus();
        return ["epoch", "timestamp", "hidden_units", "train_loss", "val_loss"]
            .map((name) => [...columns.column(name)].map((value) => Number.isNaN(value) ? null : value));
    }""")

    table = list(csv.reader(io.StringIO(download(page, "Save the points as CSV: Loss", tmp_path).decode())))

    assert table[0] == ["epoch", "timestamp", "hidden_units", "train_loss", "val_loss"]
    read = [[float(cell) if cell else None for cell in column] for column in zip(*table[1:], strict=True)]
    assert read == held
    assert (tmp_path / "loss-run-a.csv").exists()


def test_no_name_in_a_csv_is_a_formula(page: Page) -> None:
    """What a spreadsheet would run or misread is quoted."""
    head = page.evaluate("""async () => {
        const { toCsv } = await import("canopy/export.js");
        return toCsv(['=cmd()', 'a "b", c', "plain"], [[1], [NaN], [3]]);
    }""")

    assert head == '\'=cmd(),"a ""b"", c",plain\r\n1,,3\r\n'


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_png_shows_the_chart_on_its_ground(page: Page, tmp_path: Path, scheme: str) -> None:
    """A picture with a head above the chart, whose ground is the theme's and not transparent."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    feed(page, 1, 300)

    picture = download(page, "Save the picture as PNG: Loss", tmp_path)

    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    canvas = page.evaluate(f"(({{ width, height }}) => [width, height])(document.querySelector('{LOSS} canvas'))")
    assert width == canvas[0]
    assert height > canvas[1]
    corner = page.evaluate(
        """async (bytes) => {
            const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
            context.drawImage(bitmap, 0, 0);
            return [...context.getImageData(1, 1, 1, 1).data];
        }""",
        list(picture),
    )
    assert corner == ([22, 27, 34, 255] if scheme == "dark" else [255, 255, 255, 255])


def test_all_charts_are_saved_at_once(page: Page, tmp_path: Path) -> None:
    """One sound ZIP file with a picture and a table for each chart of the open tab."""
    feed(page, 1, 100)

    archive = zipfile.ZipFile(io.BytesIO(download(page, "Save all charts", tmp_path)))

    assert archive.testzip() is None
    names = set(archive.namelist())
    assert {"loss-run-a.png", "loss-run-a.csv", "accuracy-run-a.png", "accuracy-run-a.csv"} <= names
    assert archive.read("accuracy-run-a.csv").decode().startswith("epoch,timestamp,hidden_units,train_accuracy")


def test_pictures_are_saved_with_the_lines(page: Page, host: Host, tmp_path: Path) -> None:
    """The boundary and the network have a button each, and are among all; what is not there yet is not saved."""
    with zipfile.ZipFile(io.BytesIO(download(page, "Save all charts", tmp_path))) as empty:
        assert not [name for name in empty.namelist() if name.startswith(("boundary", "topology"))]
    run = grow(host)
    page.wait_for_selector(f".topology-host[data-units='{UNITS}']")
    page.wait_for_selector(f".area-boundary canvas[data-units='{UNITS}']")

    for name in ("Decision boundary", "Cascade topology"):
        assert download(page, f"Save the picture as PNG: {name}", tmp_path).startswith(b"\x89PNG")
    with zipfile.ZipFile(io.BytesIO(download(page, "Save all charts", tmp_path))) as archive:
        assert {f"boundary-{run}.png", f"topology-{run}.png"} <= set(archive.namelist())


def answer_ghost(route: Route) -> None:
    """A run of 100 epochs, as `GET /api/runs/{id}/metrics` tells it."""
    steps = list(range(1, 101))
    series = {
        name: {"step": steps, "value": [value] * 100, "time": [float(step) for step in steps]}
        for name, value in (("train_loss", 0.2), ("train_accuracy", 0.7), ("hidden_units", 0))
    }
    route.fulfill(json={"run_id": "ghost", "series": series})


def test_a_ghost_run_lies_behind_until_it_is_taken_away(page: Page) -> None:
    """Named in the address, drawn with a label of plain text, and gone with a click."""
    page.route("**/api/runs/*/metrics*", answer_ghost)
    feed(page, 1, 100)
    canvas = f"document.querySelector('{LOSS} canvas').toDataURL()"
    alone = page.evaluate(canvas)

    page.evaluate("""async (id) => (await import("canopy/address.js")).writeAddress({ ghost: id })""", HOSTILE)

    entry = page.locator(".area-loss .ghost-entry")
    expect(entry).to_contain_text(f"run {HOSTILE}")
    page.wait_for_function(f"(alone) => {canvas} !== alone", arg=alone)
    assert page.evaluate("window.pwned") is None

    page.locator(".area-loss").get_by_role("button", name="Take the ghost run away").click()
    expect(entry).to_be_hidden()
    page.wait_for_function(f"(alone) => {canvas} === alone", arg=alone)
    assert address(page, "ghost") is None


def test_a_ghost_that_cannot_be_had_is_said_to_be_missing(page: Page) -> None:
    """In words, where its name stands; the charts go on without it."""
    page.route("**/api/runs/*/metrics*", lambda route: route.abort("connectionrefused"))
    page.evaluate("""async () => (await import("canopy/address.js")).writeAddress({ ghost: "gone" })""")

    expect(page.locator(".area-loss .ghost-entry")).to_contain_text("run gone could not be read")
    feed(page, 1, 20)


def test_eight_hours_of_points_fill_no_browser(page: Page, host: Host) -> None:
    """576,000 frames of a point each, decoded and drawn: the columns stay bounded, and so does the memory."""
    session = page.context.new_cdp_session(page)

    def used_mb() -> float:
        session.send("HeapProfiler.collectGarbage")
        used: float = session.send("Runtime.getHeapUsage")["usedSize"]
        return used / 1e6

    page.evaluate("""async () => {
        const { LiveBus } = await import("canopy/bus.js");
        const { Columns, METRICS } = await import("canopy/columns.js");
        const { decodeFrame } = await import("canopy/frame.js");
        const { MetricChart } = await import("canopy/metric_chart.js");

        const pack = (header, columns, count) => {
            const arrays = METRICS.map((name) => [name, "f8", count]);
            let text = JSON.stringify({ ...header, arrays });
            text += " ".repeat((8 - ((text.length + 4) % 8)) % 8);
            const buffer = new ArrayBuffer(4 + text.length + 8 * count * METRICS.length);
            new DataView(buffer).setUint32(0, text.length, true);
            new Uint8Array(buffer).set(new TextEncoder().encode(text), 4);
            METRICS.forEach((name, place) => {
                new Float64Array(buffer, 4 + text.length + 8 * count * place, count).set(columns[name]);
            });
            return buffer;
        };
        const bus = new LiveBus();
        const known = { run: "long", age: 0.1, upstream: true };
        const header = (type, tick) => ({ ...known, type, tick, reset: type === "history" });
        const realFetch = window.fetch;
        let refetched = 0;
        // The server thins: of what the page held, as many rows as it gives.
        window.fetch = async (path, ...rest) => {
            if (path !== "/api/live/history") return realFetch(path, ...rest);
            refetched += 1;
            const every = Math.ceil(bus.columns.length / 4000);
            const rows = Object.fromEntries(
                METRICS.map((name) => [name, bus.columns.column(name).filter((_, index) => index % every === 0)]),
            );
            return new Response(pack(header("history", bus._tick), rows, rows.epoch.length));
        };
        const element = document.createElement("div");
        element.style = "width:600px;height:300px;display:flex;flex-direction:column";
        document.body.append(element);
        new MetricChart(element, bus, { metric: "loss" });
        bus.apply(decodeFrame(pack(header("history", 0), Object.fromEntries(METRICS.map((name) => [name, []])), 0)));

        let epoch = 0;
        let most = 0;
        window.feedFrames = async (count) => {
            for (let frame = 0; frame < count; frame += 1) {
                epoch += 1;
                const loss = Math.exp(-epoch / 1e5);
                const row = {
                    epoch: [epoch], train_loss: [loss], val_loss: [loss], train_accuracy: [1 - loss],
                    val_accuracy: [1 - loss], hidden_units: [Math.floor(epoch / 5000)], timestamp: [epoch / 20],
                };
                bus._receive(undefined, pack(header("frame", epoch), row, 1));
                if (epoch % 400 === 0) await new Promise((go) => setTimeout(go));
                if (epoch % 4000 === 0) await new Promise(requestAnimationFrame);
                most = Math.max(most, bus.columns.length);
            }
            return { epoch, most, refetched, newest: bus.columns.last("epoch") };
        };
    }""")

    page.evaluate("window.feedFrames(96_000)")
    before = used_mb()
    fed = page.evaluate("window.feedFrames(480_000)")
    after = used_mb()

    print(f"heap {before:.1f} MB after 96,000 frames, {after:.1f} MB after 576,000; {fed}")  # noqa: T201
    assert fed["epoch"] == 576_000
    assert fed["newest"] == 576_000
    assert fed["most"] < 36_000
    assert after - before < 8
    assert host.canopy.is_ready()
