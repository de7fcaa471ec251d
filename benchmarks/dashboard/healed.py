"""A service is killed and comes back: how long until an open tab is live again, and stays so."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playwright.sync_api import Error, Page

from benchmarks.service.figures import Line, below
from juniper_cascor.client import JuniperCascorClient

from .chromium import chromium, open_live, person
from .host import Host

MAX_HEAL_S = 6.0
OUTAGES_S = (1.0, 15.0)
"""A short one, and one so long that whoever tries again does so as seldom as ever."""

_LIVE_S = 8.0  # without a break: a page that is loaded anew so late was not live before
_TIMEOUT_S = 90.0
_TICK_S = 0.05
_STALLED_S = 1.0  # at twenty updates a second
_STATE = """() => ({
    isLive: document.querySelector("[data-testid=freshness]")?.dataset.kind === "live",
    hasChannel: window.socket?.connected === true && window.did_handshake === true,
    epoch: document.querySelector("[data-figure=epoch]")?.textContent,
})"""


@dataclass(frozen=True)
class Look:
    """What the tab showed at one moment."""

    at_s: float  # since the service said that it is ready
    is_live: bool  # its badge says so, and its controls have their channel
    epoch: str | None
    trained: int  # epochs, as the training service itself tells


@dataclass(frozen=True)
class Outage:
    """A service was killed, and came back after a while."""

    away_s: float
    trains_s: float  # from its being ready to the trainer's next epoch
    live_s: float  # to the tab

    @property
    def told(self) -> str:
        """Both times, after how long."""
        return f"away for {self.away_s:g} s: {self.live_s:.2f} s, its trainer {self.trains_s:.2f} s"


@dataclass(frozen=True)
class Healed:
    """What was measured for one service."""

    service: str
    outages: Sequence[Outage]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        name = f"a tab live again once {self.service} is ready again, most"
        aside = f" ({'; '.join(outage.told for outage in self.outages)})"
        yield below(name, max(outage.live_s for outage in self.outages), MAX_HEAL_S, "s", aside=aside)


def measure_healed(host: Host, *, quick: bool) -> list[Healed]:
    """Kill the dashboard, then the training service, under a page that stays open."""
    outages = OUTAGES_S[:1] if quick else OUTAGES_S
    with chromium() as browser, person(browser) as context:
        page = context.new_page()
        open_live(page, host.page)
        return [
            Healed(name, [_outage(host, page, name, away_s) for away_s in outages]) for name in ("canopy", "cascor")
        ]


def _outage(host: Host, page: Page, service: str, away_s: float) -> Outage:
    host.kill(service)
    time.sleep(away_s)
    host.start(service)
    ready_at = time.monotonic()
    looks: list[Look] = []
    with JuniperCascorClient(host.address("cascor")) as cascor:
        while (live_s := live_from_s(looks)) is None or looks[-1].at_s - live_s < _LIVE_S:
            looks.append(_look(page, cascor, ready_at))
            if looks[-1].at_s > _TIMEOUT_S:
                raise TimeoutError(f"the tab is not live again {_TIMEOUT_S:g} s after {service} is")
            time.sleep(_TICK_S)
    trains_s = next(look.at_s for look in looks if look.trained != looks[0].trained)
    return Outage(away_s, trains_s, live_s)


def _look(page: Page, cascor: JuniperCascorClient, ready_at: float) -> Look:
    trained = cascor.status().monitor.current_epoch
    try:
        state = page.evaluate(_STATE)
    except Error:  # it is about to be loaded anew
        state = {"isLive": False, "hasChannel": False, "epoch": None}
    return Look(time.monotonic() - ready_at, state["isLive"] and state["hasChannel"], state["epoch"], trained)


def live_from_s(looks: Sequence[Look]) -> float | None:
    """When the tab was live for good: from then on each look finds the badge live, and points that go on coming.

    None where the last look does not.
    """
    moved_s, epoch, from_s = float("-inf"), None, None
    for look in looks:
        if epoch is not None and look.epoch not in (epoch, None):
            moved_s = look.at_s
        epoch = look.epoch or epoch
        if not look.is_live or look.at_s - moved_s > _STALLED_S:
            from_s = None
        elif from_s is None:
            from_s = look.at_s
    return from_s
