"""What each tab takes over the wire, the first time and the second, as Chromium's network events count it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from benchmarks.service.figures import Line, below

from .chromium import LIVE, chromium, person
from .host import Host

FIRST_TAB = "training"
MAX_COLD_KB = 700.0
MAX_WARM_KB = 100.0
HEAVIEST = 4

_QUIET_MS = 2_000.0  # after the network was idle: what a tab asks for late


@dataclass
class Traffic:
    """Of one page: bytes of each answer with its head, as they came over the wire, compressed."""

    sizes: dict[str, int] = field(default_factory=dict)  # of each address
    _addresses: dict[str, str] = field(default_factory=dict)  # of each request

    def on_response(self, event: Mapping[str, Any]) -> None:
        """Network.responseReceived: whose bytes they will be."""
        if not event["response"].get("fromDiskCache"):
            self._addresses[event["requestId"]] = event["response"]["url"]

    def on_cached(self, event: Mapping[str, Any]) -> None:
        """Network.requestServedFromCache: by the memory, whatever its size."""
        self._addresses.pop(event["requestId"], None)

    def on_finished(self, event: Mapping[str, Any]) -> None:
        """Network.loadingFinished: how many bytes there were."""
        if (address := self._addresses.pop(event["requestId"], None)) is not None:
            self.sizes[address] = self.sizes.get(address, 0) + int(event["encodedDataLength"])

    @property
    def kilobytes(self) -> float:
        """Of all answers."""
        return sum(self.sizes.values()) / 1e3

    @property
    def heaviest(self) -> str:
        """The largest answers by their files' names."""
        largest = sorted(self.sizes.items(), key=lambda item: -item[1])[:HEAVIEST]
        return ", ".join(f"{address.rsplit('/', 1)[-1] or 'the page'} {size / 1e3:.0f}" for address, size in largest)


@dataclass(frozen=True)
class Weight:
    """Of one tab."""

    tab: str
    cold: Traffic
    warm: Traffic

    def lines(self) -> Iterator[Line]:
        """For the table."""
        cold, warm = self.cold.kilobytes, self.warm.kilobytes
        heaviest = f" (of {len(self.cold.sizes)} answers the heaviest: {self.cold.heaviest})"
        if self.tab == FIRST_TAB:
            yield below(f"{self.tab} tab, first load", cold, MAX_COLD_KB, "kB", aside=heaviest)
            yield below(f"{self.tab} tab, second load", warm, MAX_WARM_KB, "kB")
        else:
            yield Line(f"{self.tab} tab, first and second load", f"{cold:.3g} kB, {warm:.3g} kB")


def measure_weighed(host: Host) -> Sequence[Weight]:
    """Each tab by its own address, as if there were no other."""
    with chromium() as browser:
        return [_weighed(browser, host.page, tab) for tab in _tabs(browser, host.page)]


def _tabs(browser: Browser, address: str) -> list[str]:
    with person(browser) as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("[role=tab]")
        tabs: list[str] = page.eval_on_selector_all("[role=tab]", "tabs => tabs.map(tab => tab.dataset.tab)")
        return tabs


def _weighed(browser: Browser, address: str, tab: str) -> Weight:
    path = "/" if tab == FIRST_TAB else f"/?tab={tab}"
    with person(browser) as context:
        return Weight(tab, _loaded(context, address + path), _loaded(context, address + path))


def _loaded(context: BrowserContext, address: str) -> Traffic:
    traffic = Traffic()
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.on("Network.responseReceived", traffic.on_response)
    network.on("Network.requestServedFromCache", traffic.on_cached)
    network.on("Network.loadingFinished", traffic.on_finished)
    network.send("Network.enable")
    page.goto(address, wait_until="networkidle")
    page.wait_for_selector(LIVE)
    page.wait_for_timeout(_QUIET_MS)
    page.close()
    return traffic
