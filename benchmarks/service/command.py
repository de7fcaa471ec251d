"""The command line of a benchmark of a service: which parts to measure, and whether to write the page."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .figures import Line, table
from .report import rendered


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as a command.

    Args:
        module: what `python -m` runs.
        description: what it measures.
        title: of its page.
        page: where `--write` puts the figures.
        parts: all there are, in their order.
        measure: the lines of some parts; `quick` where the benchmark itself is to be checked.
    """

    module: str
    description: str | None
    title: str
    page: Path
    parts: Sequence[str]
    measure: Callable[[Sequence[str], bool], Iterator[Line]]

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Some minutes; 1 when a budget is not kept."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}", description=self.description)
        parser.add_argument("--quick", action="store_true", help="check the benchmark itself: its figures mean nothing")
        parser.add_argument("--write", action="store_true", help=f"write {self.page}")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the table for programs")
        parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(self.parts)} (default: all)")
        options = parser.parse_args(argv)
        if unknown := set(options.parts) - set(self.parts):
            parser.error(f"there is no part {', '.join(sorted(unknown))}")
        began = time.monotonic()
        lines = list(self.measure(options.parts or self.parts, options.quick))
        sys.stdout.write(table(lines))
        if options.json:
            options.json.write_text(json.dumps([asdict(line) for line in lines], indent=1), encoding="utf-8")
        if options.write:
            command = shlex.join(["python", "-m", self.module, *(argv if argv is not None else sys.argv[1:])])
            page = rendered(self.title, lines, command, (time.monotonic() - began) / 60)
            self.page.write_text(page, encoding="utf-8")
        return int(any(line.is_met is False for line in lines))
