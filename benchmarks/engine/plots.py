"""The figures of the report, as SVG that comes out the same for the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from .candidate_rates import Rate
from .contests import Contest
from .curves import Curve
from .sets import SPIRAL_SETS
from .svg import save


def plot_times(contests: Sequence[Contest], file: Path) -> None:
    """CPU time to solve the spirals: one group of bars a set."""
    shown = [contest for contest in contests if contest.name in SPIRAL_SETS]
    figure = Figure(figsize=(9, 3.2 * len(shown)), layout="constrained")
    for axes, contest in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown, strict=True):
        standings = contest.standings[::-1]
        bars = axes.barh([one.peer for one in standings], [one.cpu_ms for one in standings])
        axes.bar_label(bars, [f" {_ms(one.cpu_ms)}, {one.n_solved}/{one.n_seeds} solved" for one in standings])
        axes.set(title=contest.name, xlabel="CPU ms, median", xscale="log")
        axes.margins(x=0.4)
    save(figure, file)


def plot_rates(rates: Sequence[Rate], file: Path) -> None:
    """Candidate-epochs a second, ours and FANN's."""
    figure = Figure(figsize=(8, 1.2 + 0.7 * len(rates)), layout="constrained")
    axes = figure.subplots()
    for offset, name, values in (
        (-0.2, "Juniper", [rate.juniper for rate in rates]),
        (0.2, "FANN", [rate.fann for rate in rates]),
    ):
        bars = axes.barh([place + offset for place in range(len(rates))], values, height=0.4, label=name)
        axes.bar_label(bars, [f" {value:,.0f}" for value in values])
    axes.set_yticks(range(len(rates)), [rate.work.name for rate in rates])
    axes.set(xlabel="candidate-epochs a CPU second, one thread", xscale="log")
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.legend()
    save(figure, file)


def plot_curves(curves: Sequence[Curve], file: Path) -> None:
    """Cost over sizes, both in logarithms."""
    figure = Figure(figsize=(4 * len(curves), 3.8), layout="constrained")
    for axes, curve in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        axes.loglog(curve.sizes, curve.cpu_ms, marker="." if len(curve.sizes) < 32 else "")
        axes.set(title=f"{curve.of}: power {curve.power:.2f}", xlabel=curve.of, ylabel="CPU ms")
        axes.grid(alpha=0.3)
    save(figure, file)


def _ms(cpu_ms: float) -> str:
    return f"{cpu_ms:,.1f} ms" if cpu_ms < 100 else f"{cpu_ms:,.0f} ms"
