"""Measure a booted host against its budgets: ``python -m benchmarks.host [--quick] [--write] [PART ...]``.

It takes root, and what boots a host (`scripts/test` installs that).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.service.command import Benchmark
from benchmarks.service.figures import Line

from .healing import measure_healing, measure_restarting
from .recovering import measure_power, measure_recovering
from .resting import measure_resting
from .running import Running, running_host
from .starting import measure_starting

PARTS: dict[str, Callable[[Running, bool], Iterator[Line]]] = {
    "starting": lambda on, quick: measure_starting(on, quick=quick).lines(),
    "resting": lambda on, quick: measure_resting(on, quick=quick).lines(),
    "restarting": lambda on, quick: measure_restarting(on, quick=quick).lines(),
    "healing": lambda on, quick: measure_healing(on, quick=quick).lines(),
    "recovering": lambda on, quick: measure_recovering(on, quick=quick).lines(),
    "power": lambda on, quick: measure_power(on, quick=quick).lines(),
}


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    with running_host() as on:
        for name, measure in PARTS.items():
            if name in parts:
                sys.stderr.write(f"{name}\n")
                yield from measure(on, quick)


BENCHMARK = Benchmark(
    module="benchmarks.host",
    description=__doc__,
    title="A host against its budgets",
    page=Path("docs/benchmarks/host.md"),
    parts=list(PARTS),
    measure=_measured,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
