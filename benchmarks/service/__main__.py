"""Measure the service against its budgets: ``python -m benchmarks.service [--quick] [--write] [PART ...]``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .answering import measure_answering
from .command import Benchmark
from .fanning_out import CLIENTS, measure_fan_out
from .figures import Line
from .overhead import measure_overhead
from .running import Service, running_service
from .starting import measure_starting
from .work import digits, large

PARTS: dict[str, Callable[..., Iterator[Line]]] = {
    "answering": lambda service, quick: measure_answering(service, quick=quick).lines(),
    "fan-out": lambda service, quick: measure_fan_out(service, quick=quick).lines(),
    "overhead": lambda service, quick: (
        line for overhead in measure_overhead(service, quick=quick) for line in overhead.lines()
    ),
}


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    if "starting" in parts:
        sys.stderr.write("starting\n")
        yield from measure_starting(quick=quick).lines()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder), max_clients=CLIENTS + 10) as service,
    ):
        _warm(service)
        for name, measure in PARTS.items():
            if name in parts:
                sys.stderr.write(f"{name}\n")
                yield from measure(service, quick)


def _warm(service: Service) -> None:
    """A run of each back end, so that the trainer's compiled code is loaded, or made where no cache has it."""
    for work in (digits(), large(max_epochs=200)):
        service.train(work.request())


BENCHMARK = Benchmark(
    module="benchmarks.service",
    description=__doc__,
    title="The training service against its budgets",
    page=Path("docs/benchmarks/service.md"),
    parts=["starting", *PARTS],
    measure=_measured,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
