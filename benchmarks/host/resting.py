"""What the services take while they wait, and what systemd counts of their sandbox's holes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.service.figures import Line
from tests.host.exposure import GPU_LIMIT, LIMIT, exposure
from tests.host.training import is_warm
from tests.host.user_units import eventually

from .running import SERVICES, Running


@dataclass(frozen=True)
class Rest:
    """One service without work."""

    cpu_percent: float
    """Of one core."""
    memory_mb: float
    memory_of: str
    """What counts the memory: the kernel, or whoever looks at the processes."""


@dataclass(frozen=True)
class Resting:
    """What was measured."""

    seconds: float
    services: Mapping[str, Rest]
    exposures: Mapping[str, float]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        for service, rest in self.services.items():
            told = f"{rest.cpu_percent:.2g} % of a core, {rest.memory_mb:.0f} MB (of its {rest.memory_of})"
            yield Line(f"{service} without work, over {self.seconds:g} s", told)
        for service, found in self.exposures.items():
            limit = GPU_LIMIT if service == "cascor" else LIMIT
            yield Line(f"exposure of {service}, as systemd counts it", f"{found:g}", f"≤ {limit:g}", found <= limit)


def measure_resting(on: Running, *, quick: bool) -> Resting:
    """Leave them alone for a minute."""
    seconds = 2 if quick else 60
    on.control("wait")
    eventually(lambda: is_warm(on.host), "the trainer is warm")
    told = json.loads(on.control(f"resources --interval {seconds} --json"))["services"]
    rests = {
        one["service"]: Rest(one["cpu_percent"], one["memory_bytes"] / 1e6, one["memory_of"].replace("_", " "))
        for one in told
    }
    exposures = {service: exposure(on.machine, on.host, f"juniper-{service}") for service in SERVICES}
    return Resting(seconds, rests, exposures)
