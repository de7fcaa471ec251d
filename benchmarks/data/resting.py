"""What it takes to have the service there: time to READY, memory while it waits, before it was used and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import median

from benchmarks.service.figures import Line, below

from .answering import MILLION
from .load import Connection, get, post
from .running import resident_mb, running_service

MAX_READY_S = 1.0
MAX_RSS_MB = 80.0
SETS, MILLIONS, UPLOADS = 1_000, 3, 20
READS = ("/v1/datasets/filter?generator=spiral", "/v1/datasets/stats", "/v1/generators", "/v1/health/ready")


@dataclass(frozen=True)
class Resting:
    """What was measured."""

    ready_s: Sequence[float]
    fresh_mb: float
    used_mb: float

    def lines(self) -> Iterator[Line]:
        """For the table."""
        yield ready_line("with an empty store", self.ready_s)
        fresh = f"{self.fresh_mb:.1f} MB resident"
        is_met = self.fresh_mb <= MAX_RSS_MB
        yield Line("memory as it waits for its first request", fresh, f"≤ {MAX_RSS_MB:g} MB", is_met)
        yield memory_line(f"after {SETS:,} sets, {MILLIONS} of a million points, {UPLOADS} uploads", self.used_mb)


def ready_line(how: str, ready_s: Sequence[float]) -> Line:
    """Starts of a process, up to its READY=1."""
    aside = f" (median of {len(ready_s)}, most {max(ready_s):.2f} s)"
    return below(f"from the start of the process to READY=1, {how}", median(ready_s), MAX_READY_S, "s", aside=aside)


def memory_line(when: str, rss_mb: float) -> Line:
    """Memory of a service that has nothing to do any more."""
    return Line(f"memory {when}", f"{rss_mb:.1f} MB resident")


def measure_resting(*, quick: bool) -> Resting:
    """Start the service several times, each with a store of its own; use the last one."""
    ready_s = []
    for _ in range(0 if quick else 6):
        with running_service() as service:
            ready_s.append(service.ready_s)
    with running_service() as service:
        fresh_mb = resident_mb(service.process.pid)
        with closing(Connection(service.address)) as connection:
            _use(connection, divisor=100 if quick else 1)
        return Resting([*ready_s, service.ready_s], fresh_mb, resident_mb(service.process.pid))


def _use(connection: Connection, divisor: int) -> None:
    """Some of everything that people ask of it."""
    for seed in range(SETS // divisor):
        made = connection.create(generator="spiral", params={"seed": seed}, tags=["benchmark"])
        connection.ask(get(made["artifact_url"]))
        connection.ask(get(f"/v1/datasets/{made['dataset_id']}/preview"))
        connection.ask(get(READS[seed % len(READS)]))
    for seed in range(MILLIONS):
        made = connection.create(generator="spiral", params=MILLION | {"seed": seed})
        connection.ask(get(made["artifact_url"]))
    rows = "".join(f"{row},{row % 7},{row % 2}\n" for row in range(10_000))
    for number in range(UPLOADS):
        connection.ask(post(f"/v1/datasets/upload?seed={number}", f"a,b,label\n{rows}".encode()), 201)
