"""A booted host with the services on it, and what its figures are held against."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from testinfra.host import Host

from benchmarks.service.figures import Line, below
from tests.host import training
from tests.host.booted_host import BootedHost, booted_host, why_not
from tests.host.installed_host import install, make_bundle, seen_by_user
from tests.host.user_units import eventually

SERVICES = ("data", "cascor", "canopy")
UNITS = tuple(f"juniper-{service}.service" for service in SERVICES)

JUNIPER_CTL = ".local/lib/juniper/current/bin/juniper-ctl"
"""The installed one: its modules are compiled."""

PACE = 100.0
"""Epochs a second. What a fault cost is done again at the same pace: with a slow one that would be most of a figure."""


@dataclass(frozen=True, slots=True)
class Running:
    """The host, from outside and as its user sees it."""

    machine: BootedHost
    host: Host

    def control(self, command: str) -> str:
        """What `juniper-ctl` prints; it must not fail. No start before counts against a unit's limit of starts."""
        self.host.check_output("systemctl --user reset-failed")
        return str(self.host.check_output(f"{JUNIPER_CTL} {command}"))

    def timed_s(self, command: str) -> float:
        """Seconds that a command takes, timed on the host; it must not fail."""
        took = self.host.check_output("bash -c %s", f"TIMEFORMAT=%R; {{ time {command} >/dev/null 2>&1; }} 2>&1")
        return float(took)

    def train(self) -> None:
        """Begin a run that goes on for longer than anything that is measured."""
        training.start(self.host, PACE, training.NEVER_SOLVED)
        eventually(lambda: training.status(self.host).monitor.current_epoch > PACE, "it trains")


@contextmanager
def running_host() -> Iterator[Running]:
    """Boot a host, install these sources there and start the services, compiled code loaded once.

    Raises:
        SystemExit: no host can be booted here; it says why.
    """
    if reason := why_not():
        raise SystemExit(f"benchmarks.host: {reason}")
    with tempfile.TemporaryDirectory() as folder, booted_host() as machine:
        make_bundle(bundle := Path(folder, "bundle"))
        on = Running(machine, seen_by_user(machine))
        install(machine, on.host, bundle)
        on.control("start")
        on.train()
        training.stop(on.host)
        yield on


def typical(what: str, values: Sequence[float], limit: float, unit: str, *, aside: str = "") -> Line:
    """A figure whose median has to stay below a limit: of what is done often, and may be late once."""
    told = f" (median of {len(values)}, most {max(values):.3g} {unit}{aside})"
    return below(what, median(values), limit, unit, aside=told)


def worst(what: str, values: Sequence[float], limit: float, unit: str, *, aside: str = "") -> Line:
    """A figure that has to stay below a limit every time."""
    told = f" (most of {len(values)}, median {median(values):.3g} {unit}{aside})"
    return below(what, max(values), limit, unit, aside=told)
