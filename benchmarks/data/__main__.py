"""Measure the service against its budgets: ``python -m benchmarks.data [--quick] [--write] [PART ...]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.service.command import Benchmark
from benchmarks.service.figures import Line

from .answering import measure_answering
from .finding import measure_finding
from .gigabyte import measure_gigabyte
from .resting import measure_resting

PARTS: dict[str, Callable[[bool], Iterator[Line]]] = {
    "resting": lambda quick: measure_resting(quick=quick).lines(),
    "answering": lambda quick: measure_answering(quick=quick).lines(),
    "finding": lambda quick: measure_finding(quick=quick).lines(),
    "gigabyte": lambda quick: iter(()) if quick else measure_gigabyte().lines(),
}


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    for name, measure in PARTS.items():
        if name in parts:
            sys.stderr.write(f"{name}\n")
            yield from measure(quick)


BENCHMARK = Benchmark(
    module="benchmarks.data",
    description=__doc__,
    title="The dataset service against its budgets",
    page=Path("docs/benchmarks/data.md"),
    parts=list(PARTS),
    measure=_measured,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
