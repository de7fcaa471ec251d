"""Measure everything, and write the report: ``python -m benchmarks.engine [--quick] [--out FOLDER]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import fann
from .candidate_rates import against_fann, shares_of_peak
from .contests import hold_all, hold_parity
from .curves import all_curves
from .fresh_process import measure_memory, measure_startup
from .growing import warm_up
from .machine import describe
from .plots import plot_curves, plot_rates, plot_times
from .profiles import all_profiles
from .report import CURVES, RATES, TIMES, Run, rendered
from .targets import Measured


def main(argv: Sequence[str] | None = None) -> int:
    """Some minutes of work on one core; say where it is on stderr."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="check the benchmark itself, in a minute or two")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"), help="folder to write to (%(default)s)")
    arguments = parser.parse_args(argv)
    try:
        fann.check_installed()
    except fann.FannMissingError as error:
        sys.stderr.write(f"benchmarks.engine: {error}\n")
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    report = arguments.out / "engine.md"
    run = _run(quick=arguments.quick)
    measured = run.measured
    report.write_text(rendered(run), encoding="utf-8")
    plot_times(measured.contests, arguments.out / TIMES)
    plot_rates(measured.rates, arguments.out / RATES)
    plot_curves(measured.curves, arguments.out / CURVES)
    sys.stdout.write(f"{report}\n")
    return 0


def _run(quick: bool) -> Run:
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:4.0f} s  {what}\n")

    say("fresh processes")
    startup = measure_startup(quick)
    memory = measure_memory(quick)
    warm_up()
    say("parity")
    parity = hold_parity(quick)
    contests = []
    for contest in hold_all(quick):
        contests.append(contest)
        say(contest.name)
    say("candidate-epochs a second")
    rates = against_fann(quick)
    say("shares of the machine's peak")
    shares = shares_of_peak(quick)
    curves = []
    for curve in all_curves(quick):
        curves.append(curve)
        say(f"cost over {curve.of}")
    say("profiles")
    profiles = all_profiles(quick)
    return Run(
        command=shlex.join(["python", "-m", "benchmarks.engine", *sys.argv[1:]]),
        is_quick=quick,
        minutes=(time.monotonic() - began) / 60,
        machine=describe(),
        measured=Measured(contests, parity, rates, shares, curves, startup, memory),
        profiles=profiles,
    )


if __name__ == "__main__":
    sys.exit(main())
