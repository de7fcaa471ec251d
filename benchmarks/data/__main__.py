"""Measure the service against its budgets: ``python -m benchmarks.data [--quick] [--write] [PART ...]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.service.figures import Line, table
from benchmarks.service.report import rendered

from .answering import measure_answering
from .finding import measure_finding
from .gigabyte import measure_gigabyte
from .resting import measure_resting

PAGE = Path("docs/benchmarks/data.md")
TITLE = "The dataset service against its budgets"
PARTS: dict[str, Callable[[bool], Iterator[Line]]] = {
    "resting": lambda quick: measure_resting(quick=quick).lines(),
    "answering": lambda quick: measure_answering(quick=quick).lines(),
    "finding": lambda quick: measure_finding(quick=quick).lines(),
    "gigabyte": lambda quick: iter(()) if quick else measure_gigabyte().lines(),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Some minutes; 1 when a budget is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="check the benchmark itself, without the gigabyte: its figures mean nothing",
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)} (default: all)")
    options = parser.parse_args(argv)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    began = time.monotonic()
    lines = list(_measured(options.parts or list(PARTS), options.quick))
    sys.stdout.write(table(lines))
    if options.write:
        command = shlex.join(["python", "-m", "benchmarks.data", *(argv if argv is not None else sys.argv[1:])])
        PAGE.write_text(rendered(TITLE, lines, command, (time.monotonic() - began) / 60), encoding="utf-8")
    return int(any(line.is_met is False for line in lines))


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    for name, measure in PARTS.items():
        if name in parts:
            sys.stderr.write(f"{name}\n")
            yield from measure(quick)


if __name__ == "__main__":
    sys.exit(main())
