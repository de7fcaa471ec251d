"""One page in Chromium: how soon its curves show what the trainer did, and how soon they are there at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from benchmarks.service.figures import Line, below, percentile

from .chromium import chromium, open_live, person
from .host import Host

MAX_PAINT_MS = 150.0
MAX_FIRST_S = 2.0

_PROBE = Path(__file__).parent / "probe.js"
_FRAMES = """async () => {
    const { decodeFrame } = await import("canopy/frame.js");
    return probe.frames.map(({ data, arrivedAt, paintedAt }) => {
        const { header, arrays } = decodeFrame(data);
        return { times: header.reset ? [] : [...(arrays.timestamp ?? [])], arrivedAt, paintedAt };
    });
}"""


@dataclass(frozen=True)
class Painted:
    """What was measured; delays from when the trainer made each point."""

    first_s: Sequence[float]  # from the page's address to a curve, each with an empty cache
    receive_ms: Sequence[float]
    paint_ms: Sequence[float]
    draw_ms: Sequence[float]  # from the receipt of a frame to the screen

    def lines(self) -> Iterator[Line]:
        """For the table."""
        most = f" (median of {len(self.first_s)}, most {max(self.first_s):.2f} s)"
        yield below("first live curve of a page, nothing cached", median(self.first_s), MAX_FIRST_S, "s", aside=most)
        yield below(
            "one page in Chromium: from trainer to screen, p95",
            percentile(self.paint_ms, 0.95),
            MAX_PAINT_MS,
            "ms",
            aside=f" (median {percentile(self.paint_ms, 0.5):.3g} ms, of {len(self.paint_ms):,} points)",
        )
        told = " / ".join(f"{percentile(times, 0.95):.3g} ms" for times in (self.receive_ms, self.draw_ms))
        yield Line("of which from trainer to page, from page to screen, p95 each", told)


def measure_painted(host: Host, *, quick: bool) -> Painted:
    """Open the page some times anew; follow the last one."""
    with chromium() as browser:
        first_s = [_first_s(browser, host.page) for _ in range(1 if quick else 7)]
        with person(browser) as context:
            context.add_init_script(path=_PROBE)
            page = context.new_page()
            open_live(page, host.page)
            return _followed(page, first_s, seconds=4.0 if quick else 30.0)


def _first_s(browser: Browser, address: str) -> float:
    with person(browser) as context:
        context.add_init_script(path=_PROBE)
        page = context.new_page()
        page.goto(address)
        taken_ms = page.wait_for_function("probe.firstLineMs", polling=10).json_value()
        return float(taken_ms) / 1e3


def _followed(page: Page, first_s: Sequence[float], seconds: float) -> Painted:
    page.wait_for_timeout(2_000)
    page.evaluate("probe.frames.length = 0")
    page.wait_for_timeout(1e3 * seconds)
    receive_ms, paint_ms, draw_ms = [], [], []
    for frame in page.evaluate(_FRAMES):
        if frame["paintedAt"] is None:  # the last ones
            continue
        if frame["times"]:
            draw_ms.append(frame["paintedAt"] - frame["arrivedAt"])
        receive_ms += [frame["arrivedAt"] - 1e3 * made_at for made_at in frame["times"]]
        paint_ms += [frame["paintedAt"] - 1e3 * made_at for made_at in frame["times"]]
    return Painted(first_s, receive_ms, paint_ms, draw_ms)
