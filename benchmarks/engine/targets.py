"""What the engine has to reach, beside what it reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import peers
from .candidate_rates import Rate, Share
from .contests import Contest
from .curves import Curve
from .fresh_process import Memory, Startup
from .sets import SPIRAL_SETS

_PARITY_UNITS = {2: 1, 3: 1, 4: 2, 5: 3, 6: 3, 7: 5, 8: 5}  # at most, with gaussian candidates


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one run of the benchmark found."""

    contests: Sequence[Contest]
    parity: Sequence[Contest]  # 2 bits and on
    rates: Sequence[Rate]
    shares: Sequence[Share]
    curves: Sequence[Curve]
    startup: Startup
    memory: Sequence[Memory]


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table."""

    what: str
    required: str
    measured: str
    is_met: bool


def all_targets(measured: Measured) -> Iterator[Target]:
    """Every CPU target, for which this run measured what it needs."""
    contests = {contest.name: contest for contest in measured.contests}
    yield from _spirals(contests)
    for rate in measured.rates:
        yield Target(
            f"candidate-epochs a CPU second against FANN's, {rate.work.name}",
            "≥ 15 ×",
            f"{rate.ratio:.1f} × ({rate.juniper:,.0f} against {rate.fann:,.0f})",
            rate.ratio >= 15,
        )
    for curve in measured.curves:
        most = curve.expected_power + 0.1
        yield Target(f"cost over {curve.of}: power", f"≤ {most:.1f}", f"{curve.power:.2f}", curve.power <= most)
    yield from _accuracies(contests)
    for n_bits, contest in enumerate(measured.parity, start=2):
        standing = contest.standings[0]
        yield Target(
            f"{contest.name}, gaussian candidates: hidden units",
            f"≤ {_PARITY_UNITS[n_bits]}, all solved",
            f"{standing.units:g}, {standing.n_solved}/{standing.n_seeds} solved",
            standing.n_solved == standing.n_seeds and (standing.units or 0) <= _PARITY_UNITS[n_bits],
        )
    for memory in measured.memory:
        yield Target(
            f"memory, {memory.n_patterns} × {memory.n_inputs}, pool {memory.pool}",
            "≤ 1.1 × (F + 4 × pool × features)",
            f"{memory.ratio:.2f} × ({memory.growth_bytes / 1e6:.1f} MB)",
            memory.ratio <= 1.1,
        )
    yield from _startup(measured.startup)


def _spirals(contests: dict[str, Contest]) -> Iterator[Target]:
    cmu = contests["CMU spirals"]
    default, compact = cmu.of(peers.DEFAULT), cmu.of(peers.COMPACT)
    yield Target(
        "CMU spirals, defaults: seeds solved",
        "all of 100",
        f"{default.n_solved} of {default.n_seeds}",
        default.n_solved == default.n_seeds >= 100,
    )
    units, fewest = default.units or 0, compact.units or 0
    yield Target("CMU spirals, defaults: hidden units", "≤ 13", f"{units:g}", units <= 13)
    yield Target("CMU spirals, defaults: CPU", "≤ 4.5 ms", f"{default.cpu_ms:.2f} ms", default.cpu_ms <= 4.5)
    yield Target("CMU spirals, compact: hidden units", "≤ 10", f"{fewest:g}", fewest <= 10)
    for name in SPIRAL_SETS:
        ours, theirs = contests[name].of(peers.DEFAULT), contests[name].of(peers.FANN_8)
        ratio = theirs.cpu_ms / ours.cpu_ms
        yield Target(
            f"{name}: CPU of FANN (8 sigmoid candidates) over ours",
            "≥ 60 ×",
            f"{ratio:.0f} × ({theirs.cpu_ms:.0f} ms against {ours.cpu_ms:.2f} ms)",
            ratio >= 60,
        )


def _accuracies(contests: dict[str, Contest]) -> Iterator[Target]:
    for name, least in (("breast cancer", 0.963), ("digits", 0.945)):
        accuracy = contests[name].of(peers.DEFAULT).test_accuracy or 0.0
        yield Target(f"{name}, defaults: test accuracy", f"≥ {least:.3f}", f"{accuracy:.3f}", accuracy >= least)


def _startup(startup: Startup) -> Iterator[Target]:
    yield Target(
        "a fresh process with compiled code cached, from its start through its first training",
        "< 1 s",
        f"{startup.process_s:.2f} s ({startup.train_s:.2f} s from the first import)",
        startup.process_s < 1,
    )
    yield Target(
        "import of the engine",
        "< 0.5 s, no torch",
        f"{startup.import_s:.2f} s, loads {_listed(startup.loaded)}",
        startup.import_s < 0.5 and "torch" not in startup.loaded,
    )
    told = [line for line in startup.cold_log if line not in startup.warm_log]
    yield Target(
        "a process without cached code says so in its log",
        "a line of it, and of progress",
        f"{len(told)} lines in {startup.cold_s:.0f} s",
        len(told) >= 2,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none of torch, cupy, numba"
