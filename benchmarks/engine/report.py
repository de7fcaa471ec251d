"""The report in Markdown: every number in it is the run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .candidate_rates import Share
from .contests import Contest, Standing
from .markdown import table_lines
from .profiles import Profile
from .targets import Measured, Target, all_targets

TIMES, RATES, CURVES = "times.svg", "rates.svg", "curves.svg"

_INTRODUCTION = """\
CPU time is that of the training alone, over all threads, and each trains on one; medians over seeds 0 and on. Peers
train interleaved, seed by seed, on the same patterns. A set without noise is *solved* when every output is within 0.4
of its target for every training pattern (Fahlman & Lebiere 1990). On sets with noise a quarter of the training
patterns chooses the size or the end (FANN has no such thing, and grows until all is learnt), and the test
patterns are another quarter.

FANN is Debian's libfann 2.2: its cascade with sigmoid outputs, the same 0.4 as bit-fail limit, at most 64 units,
either 8 candidates with the symmetric sigmoid or its own 80. The inputs of the spirals it gets as they are, and
standardised ones on sets with noise: in each case what is better for it; the bits of parity are ±1. CMU's cascor
v1.1, a C program that beats FANN, was not to be had, and is left out. scikit-learn's estimators do not know the rule
of 0.4: their time is to their own end. Gradient boosting is GradientBoostingClassifier below 1000 patterns,
HistGradientBoostingClassifier from there on.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What the report is about."""

    command: str
    is_quick: bool
    minutes: float
    machine: Mapping[str, str]
    measured: Measured
    profiles: Sequence[Profile]


def rendered(run: Run) -> str:
    """The whole page; its plots lie beside it."""
    return "\n".join(_lines(run))


def _lines(run: Run) -> Iterator[str]:
    measured = run.measured
    targets = list(all_targets(measured))
    missed = [target for target in targets if not target.is_met]
    yield "# The engine against its peers and targets\n"
    yield f"`{run.command}`, {run.minutes:.0f} minutes. How to run it: [benchmarks](../benchmarks.md).\n"
    if run.is_quick:
        yield "**A quick run checks the benchmark; its figures mean nothing.**\n"
    yield from table_lines(("", ""), run.machine.items())
    yield "## Targets\n"
    yield f"{len(targets) - len(missed)} of {len(targets)} are met.\n"
    yield from table_lines(
        ("", "required", "measured", ""),
        ((t.what, t.required, t.measured, "met" if t.is_met else "**missed**") for t in targets),
    )
    yield from _profiles(run.profiles, missed)
    yield "## Contests\n"
    yield _INTRODUCTION
    yield f"![CPU time to solve the spirals]({TIMES})\n"
    for contest in measured.contests:
        yield from _contest(contest)
    yield "### Parity with gaussian candidates\n"
    yield from table_lines(
        ("", "solved", "hidden units", "CPU ms"),
        (
            (contest.name, f"{one.n_solved}/{one.n_seeds}", _units(one), f"{one.cpu_ms:.2f}")
            for contest in measured.parity
            for one in contest.standings
        ),
    )
    yield from _rates(measured)
    yield "## Cost\n"
    yield "Each on one thread. The power is the slope in logarithms over the upper half of the sizes.\n"
    yield f"![Cost over patterns, pool and units]({CURVES})\n"
    yield from table_lines(
        ("over", "of", "from … to", "CPU ms", "power", "expected"),
        (
            (
                c.of,
                c.about,
                f"{c.sizes[0]} … {c.sizes[-1]}",
                f"{c.cpu_ms[0]:.4g} … {c.cpu_ms[-1]:.4g}",
                f"{c.power:.2f}",
                c.expected_power,
            )
            for c in measured.curves
        ),
    )
    yield from _processes(measured)


def _profiles(profiles: Iterable[Profile], missed: Sequence[Target]) -> Iterator[str]:
    yield "## Where the time goes\n"
    if missed:
        yield "Missed, and to be read beside these: " + "; ".join(target.what for target in missed) + ".\n"
    for profile in profiles:
        yield (
            f"**{profile.of}**: {profile.total_ms:.2f} ms a training, of which output phases {profile.output:.0%}, "
            f"candidate phases {profile.candidate:.0%}, checks and layout {profile.start:.0%}. By function:\n"
        )
        yield from table_lines(
            ("function, with the compiled loops it calls", "own time"),
            ((f"`{name}`", f"{share:.0%}") for name, share in profile.functions),
        )


def _contest(contest: Contest) -> Iterator[str]:
    yield f"### {contest.name}\n"
    yield f"{contest.about}.\n"
    yield from table_lines(
        ("", "solved", "hidden units", "epochs", "CPU ms (most)", "test accuracy"),
        (
            (
                one.peer,
                f"{one.n_solved}/{one.n_seeds}" if not contest.has_noise else f"– ({one.n_seeds} seeds)",
                _units(one),
                "–" if one.epochs is None else f"{one.epochs:.0f}",
                f"{one.cpu_ms:.4g} ({one.most_cpu_ms:.4g})",
                "–" if one.test_accuracy is None else f"{one.test_accuracy:.3f}",
            )
            for one in contest.standings
        ),
    )


def _units(one: Standing) -> str:
    return "–" if one.units is None else f"{one.units:g} ({one.fewest_units}…{one.most_units})"


def _rates(measured: Measured) -> Iterator[str]:
    yield "## Candidate-epochs a second\n"
    yield (
        "Equal work: the first candidate phase on the same random patterns, sigmoid candidates, none of which stops "
        "before the last epoch.\n"
    )
    yield f"![Candidate-epochs a second]({RATES})\n"
    yield from table_lines(
        ("patterns × inputs", "back end", "Juniper", "FANN", "ratio"),
        ((r.work.name, r.backend, f"{r.juniper:,.0f}", f"{r.fann:,.0f}", f"{r.ratio:.1f}") for r in measured.rates),
    )
    yield (
        "The share that the candidates' products (4 × patterns × features operations a candidate-epoch) take of what "
        "NumPy's BLAS reaches on this machine in a large product of float32, in wall time:\n"
    )
    yield from table_lines(
        ("patterns × inputs", "threads", "back end", "candidate-epochs/s", "GFLOP/s", "of the peak"),
        map(_share, measured.shares),
    )


def _share(share: Share) -> tuple[object, ...]:
    return (
        share.work.name,
        share.threads,
        share.backend,
        f"{share.candidate_epochs_per_s:,.0f}",
        f"{share.flops_per_s / 1e9:.1f} of {share.peak_flops_per_s / 1e9:.1f}",
        f"{share.of_peak:.0%}",
    )


def _processes(measured: Measured) -> Iterator[str]:
    startup = measured.startup
    yield "## A fresh process\n"
    yield (
        f"Import of the engine {startup.import_s:.2f} s. With compiled code cached, a process that trains once on the "
        f"CMU spirals takes {startup.process_s:.2f} s from start to end, {startup.train_s:.2f} s of it from the first "
        f"import to the network. Without: {startup.cold_s:.1f} s, and in the log:\n"
    )
    yield "```"
    yield from startup.cold_log
    yield "```\n"
    yield (
        "Memory: how far one training raises the process's peak of resident memory, beyond the inputs that the caller "
        "holds. F has a row for the bias, each input, and each hidden unit that there may be. Held at the end is what "
        "these lines asked for.\n"
    )
    yield from table_lines(
        (
            "patterns × inputs",
            "pool",
            "back end",
            "growth, MB",
            "F, MB",
            "4 × pool × features, MB",
            "ratio",
            "held at the end",
        ),
        (
            (
                f"{m.n_patterns} × {m.n_inputs}",
                m.pool,
                m.backend,
                f"{m.growth_bytes / 1e6:.1f}",
                f"{m.features_bytes / 1e6:.1f}",
                f"{m.pool_bytes / 1e6:.2f}",
                f"{m.ratio:.2f}",
                ", ".join(f"{held / 1e6:.1f} MB `{line}`" for line, held in m.held),
            )
            for m in measured.memory
        ),
    )
