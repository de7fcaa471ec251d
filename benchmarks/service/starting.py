"""What it takes to have the service there: time to READY, memory while it waits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .figures import Line, below
from .running import Service, loaded_libraries, running_service

MAX_READY_S = 1.0
MAX_RSS_MB = 90.0
HEAVY = ("torch", "numba", "llvmlite", "cupy", "scipy", "sklearn")
STATUS_CALLS = 50


@dataclass(frozen=True)
class Starting:
    """What was measured."""

    ready_s: Sequence[float]
    rss_mb: float
    uss_mb: float
    loaded: frozenset[str]  # of HEAVY, by the service's own process

    def lines(self) -> Iterator[Line]:
        """For the table."""
        starts = f" (median of {len(self.ready_s)}, most {max(self.ready_s):.2f} s)"
        yield below("from the start of the process to READY=1", median(self.ready_s), MAX_READY_S, "s", aside=starts)
        yield Line(
            "memory of the waiting service, without its trainer",
            f"{self.rss_mb:.1f} MB resident, {self.uss_mb:.1f} MB its own",
            f"≤ {MAX_RSS_MB:g} MB",
            self.rss_mb <= MAX_RSS_MB,
        )
        yield Line(
            f"loaded by the service, of {', '.join(HEAVY)}",
            ", ".join(sorted(self.loaded)) or "none",
            "none",
            not self.loaded,
        )


def measure_starting(*, quick: bool) -> Starting:
    """Start the service several times, each in a folder of its own; look at the memory of the last."""
    ready_s = []
    for _ in range(1 if quick else 7):
        with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as service:
            ready_s.append(service.ready_s)
            found = _at_rest(service, ready_s)
    return found


def _at_rest(service: Service, ready_s: Sequence[float]) -> Starting:
    for _ in range(STATUS_CALLS):
        service.client.status()
    memory = service.process.memory_full_info()
    loaded = frozenset(loaded_libraries(service.process, HEAVY))
    return Starting(ready_s, memory.rss / 1e6, memory.uss / 1e6, loaded)
