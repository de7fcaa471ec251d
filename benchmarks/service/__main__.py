"""Measure the service against its budgets: ``python -m benchmarks.service [--quick] [--write] [PART ...]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .answering import measure_answering
from .fanning_out import CLIENTS, measure_fan_out
from .figures import Line, table
from .overhead import measure_overhead
from .report import rendered
from .running import Service, running_service
from .starting import measure_starting
from .work import digits, large

PAGE = Path("docs/benchmarks/service.md")
TITLE = "The training service against its budgets"
PARTS: dict[str, Callable[..., Iterator[Line]]] = {
    "answering": lambda service, quick: measure_answering(service, quick=quick).lines(),
    "fan-out": lambda service, quick: measure_fan_out(service, quick=quick).lines(),
    "overhead": lambda service, quick: (
        line for overhead in measure_overhead(service, quick=quick) for line in overhead.lines()
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Some minutes; 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the benchmark itself: its figures mean nothing")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: starting, {', '.join(PARTS)} (default: all)")
    options = parser.parse_args(argv)
    if unknown := set(options.parts) - {"starting", *PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    began = time.monotonic()
    lines = list(_measured(options.parts or ["starting", *PARTS], options.quick))
    sys.stdout.write(table(lines))
    if options.write:
        command = shlex.join(["python", "-m", "benchmarks.service", *(argv if argv is not None else sys.argv[1:])])
        PAGE.write_text(rendered(TITLE, lines, command, (time.monotonic() - began) / 60), encoding="utf-8")
    return int(any(line.is_met is False for line in lines))


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


if __name__ == "__main__":
    sys.exit(main())
