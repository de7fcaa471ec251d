"""Open pages without a browser: how late points reach them, and what they cost the dashboard."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.data.running import resident_mb
from benchmarks.service.figures import Line, below, percentile
from benchmarks.service.running import cpu_s

from .followers import Received, following
from .host import RATE, Host

PAGES = (1, 10, 50)
MAX_RECEIVE_MS = 100.0
MAX_CPU_SHARE = 8.0  # % of a core, with CPU_PAGES open
CPU_PAGES = 10
MAX_BASE_MB = 150.0
MAX_PAGE_MB = 1.0

_SETTLE_S = 3.0
_LET_GO_S = 8.0  # NiceGUI holds a page for three seconds after its channel was closed


@dataclass(frozen=True)
class Followed:
    """A stretch with so many pages open."""

    pages: int
    received: Received
    cpu_share: float  # of the dashboard, in percent of a core
    rss_mb: float


@dataclass(frozen=True)
class Following:
    """What was measured."""

    base_mb: float
    followed: Sequence[Followed]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        yield below("memory with no page open", self.base_mb, MAX_BASE_MB, "MB")
        first, last = self.followed[0], self.followed[-1]
        if last is not first:
            page_mb = (last.rss_mb - first.rss_mb) / (last.pages - first.pages)
            aside = f" ({first.rss_mb:.1f} MB with {first.pages}, {last.rss_mb:.1f} MB with {last.pages})"
            yield below("memory of an open page", page_mb, MAX_PAGE_MB, "MB", aside=aside)
        for one in self.followed:
            yield from _lines(one)


def measure_followed(host: Host, *, quick: bool) -> Following:
    """One after the other: no page, one, ten, fifty."""
    time.sleep(_SETTLE_S)
    base_mb = resident_mb(host.canopy.pid)
    return Following(base_mb, [_followed(host, pages, 4.0 if quick else 20.0) for pages in PAGES])


def _followed(host: Host, pages: int, seconds: float) -> Followed:
    with following(host.page, pages) as followers:
        began, before_s = time.perf_counter(), cpu_s(host.canopy)
        time.sleep(seconds)
        share = (cpu_s(host.canopy) - before_s) / (time.perf_counter() - began)
        rss_mb = resident_mb(host.canopy.pid)
        received = followers.received()
    time.sleep(_LET_GO_S)
    return Followed(pages, received, 100 * share, rss_mb)


def _lines(one: Followed) -> Iterator[Line]:
    received = one.received
    delays_ms = [1e3 * delay_s for delay_s in received.delays_s]
    name = f"{one.pages} open page{'s' if one.pages > 1 else ''}"
    aside = f" (median {percentile(delays_ms, 0.5):.3g} ms, most {max(delays_ms):.3g} ms, of {len(delays_ms):,})"
    yield below(f"{name}: from trainer to page, p95", percentile(delays_ms, 0.95), MAX_RECEIVE_MS, "ms", aside=aside)
    if one.pages == CPU_PAGES:
        yield below(f"{name}: CPU of the dashboard", one.cpu_share, MAX_CPU_SHARE, "% of a core")
    else:
        yield Line(f"{name}: CPU of the dashboard", f"{one.cpu_share:.3g} % of a core")
    kilobytes = received.n_bytes / 1e3 / received.seconds / one.pages
    told = f"{received.least_rate:.1f} of {RATE:g}, {kilobytes:.1f} kB/s, {received.gaps} gaps"
    clients = f"the clients' own CPU {received.cpu_s / received.seconds:.0%}"
    yield Line(f"{name}: updates a second for each", f"{told}; {clients}")
