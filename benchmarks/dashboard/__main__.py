"""Measure the dashboard against its budgets: ``python -m benchmarks.dashboard [--quick] [--write] [PART ...]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.service.command import Benchmark
from benchmarks.service.figures import Line

from .followed import measure_followed
from .healed import measure_healed
from .host import Host, running_host
from .hours import measure_hours
from .opened import measure_opened
from .painted import measure_painted
from .weighed import measure_weighed

POINTS = 4_000
"""What a run has behind it before anything is measured: as many as a page gets of any run when it opens."""

PARTS: dict[str, Callable[[Host, bool], Iterator[Line]]] = {
    "followed": lambda host, quick: measure_followed(host, quick=quick).lines(),
    "painted": lambda host, quick: measure_painted(host, quick=quick).lines(),
    "weighed": lambda host, _: (line for weight in measure_weighed(host) for line in weight.lines()),
    "opened": lambda host, quick: measure_opened(host, quick=quick).lines(),
    "healed": lambda host, quick: (line for one in measure_healed(host, quick=quick) for line in one.lines()),
}


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    for name, measure in PARTS.items():
        if name in parts:
            sys.stderr.write(f"{name}\n")
            # Each with services of its own: what one part leaves behind is nothing to the next.
            with running_host() as host:
                host.train(POINTS)
                yield from measure(host, quick)
                host.check_training()
    if "hours" in parts:
        sys.stderr.write("hours\n")
        yield from measure_hours(quick=quick).lines()


BENCHMARK = Benchmark(
    module="benchmarks.dashboard",
    description=__doc__,
    title="The dashboard against its budgets",
    page=Path("docs/benchmarks/dashboard.md"),
    parts=[*PARTS, "hours"],
    measure=_measured,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
