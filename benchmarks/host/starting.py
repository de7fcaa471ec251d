"""How long `juniper-ctl start` takes until all is ready, warm, and how long `juniper-ctl status` takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.service.figures import Line
from tests.host.user_units import number

from .running import JUNIPER_CTL, SERVICES, UNITS, Running, typical

MAX_START_S = 6.0
MAX_STATUS_MS = 150.0
MAX_BEFORE_ASKING_MS = 60.0

_ASKED = f"""
import os, pathlib, subprocess, tempfile, time
with tempfile.TemporaryDirectory() as folder:
    asked, fake = pathlib.Path(folder, "asked"), pathlib.Path(folder, "systemctl")
    fake.write_text(f"#!/bin/sh\\ndate +%s%N >>{{asked}}\\nexit 1\\n")
    fake.chmod(0o755)
    path = folder + ":" + os.environ["PATH"]
    began = time.time_ns()
    subprocess.run(["{JUNIPER_CTL}", "status"], env=os.environ | {{"PATH": path}}, capture_output=True)
    print((int(asked.read_text().split()[0]) - began) / 1e6)
"""
"""Runs `status` where `systemctl` is a program that notes when it was first called: milliseconds until then."""


@dataclass(frozen=True)
class Starting:
    """What was measured."""

    start_s: Sequence[float]
    shares_s: Mapping[str, Sequence[float]]
    """Of each service, from when systemd starts it to its READY=1."""
    status_ms: Sequence[float]
    before_asking_ms: Sequence[float]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        shares = ", ".join(f"{service} {median(shares):.2g} s" for service, shares in self.shares_s.items())
        yield typical(
            "`juniper-ctl start` until all are ready, warm", self.start_s, MAX_START_S, "s", aside=f"; {shares}"
        )
        yield typical("`juniper-ctl status`", self.status_ms, MAX_STATUS_MS, "ms")
        what = "`juniper-ctl status` before it asks systemd"
        yield typical(what, self.before_asking_ms, MAX_BEFORE_ASKING_MS, "ms")


def measure_starting(on: Running, *, quick: bool) -> Starting:
    """Start the services several times, then ask for their state many times."""
    start_s: list[float] = []
    shares_s: dict[str, list[float]] = {service: [] for service in SERVICES}
    for _ in range(1 if quick else 7):
        on.control("stop")
        start_s.append(on.timed_s(f"{JUNIPER_CTL} start"))
        for service, unit in zip(SERVICES, UNITS, strict=True):
            began = number(on.host, unit, "InactiveExitTimestampMonotonic")
            shares_s[service].append((number(on.host, unit, "ActiveEnterTimestampMonotonic") - began) / 1e6)
    times = range(3 if quick else 20)
    return Starting(
        start_s,
        shares_s,
        status_ms=[1e3 * on.timed_s(f"{JUNIPER_CTL} status") for _ in times],
        before_asking_ms=[float(on.host.check_output("python3 -c %s", _ASKED)) for _ in times],
    )
