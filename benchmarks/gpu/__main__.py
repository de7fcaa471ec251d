"""Measure training on a GPU: ``python -m benchmarks.gpu [--quick] [--write] [--json FILE | --from FILE]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.service.figures import table

from .extent import FULL, QUICK, Extent, measure
from .measured import Measured
from .plots import plot_rates, plot_shares
from .report import RATES, SHARES, rendered
from .targets import all_targets

PAGE = Path("docs/benchmarks/gpu.md")

Find = Callable[[Measured, Extent, Callable[[str], None], Callable[[], None]], None]


def main(argv: Sequence[str] | None = None, find: Find = measure) -> int:
    """Some minutes on a GPU, saying on stderr where it is; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the benchmark itself: its figures mean nothing")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE} and its plots")
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--json", type=Path, metavar="FILE", help="write what is measured, as it is measured")
    files.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing: read such a file")
    options = parser.parse_args(argv)
    if options.source is not None:
        measured = Measured.load(options.source)
    else:
        command = shlex.join(["python", "-m", "benchmarks.gpu", *(sys.argv[1:] if argv is None else argv)])
        measured = _run(command, options.json, find, quick=options.quick)
    lines = list(all_targets(measured))
    sys.stdout.write(table(lines))
    if options.write:
        PAGE.write_text(rendered(measured), encoding="utf-8")
        plot_rates(measured, PAGE.with_name(RATES))
        plot_shares(measured, PAGE.with_name(SHARES))
    return int(any(line.is_met is False for line in lines))


def _run(command: str, file: Path | None, find: Find, *, quick: bool) -> Measured:
    began = time.monotonic()
    measured = Measured(command, quick)

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:4.0f} s  {what}\n")
        sys.stderr.flush()

    def save() -> None:
        if file is not None:
            measured.save(file)

    find(measured, QUICK if quick else FULL, say, save)
    return measured


if __name__ == "__main__":
    sys.exit(main())
