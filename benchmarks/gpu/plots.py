"""The plots of the page."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.engine.svg import save
from benchmarks.engine.work import Work

from .measured import Measured
from .sides import GPU_SIDES, SIDES


def plot_rates(measured: Measured, file: Path) -> None:
    """Candidate-epochs a second over the pool: a panel for each side, a line for each size."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    figure.suptitle(_title(measured))
    for axes, side in zip(figure.subplots(1, len(SIDES), sharey=True), SIDES, strict=True):
        for size, works in _by_size(measured).items():
            known = [(work.pool, per_s) for work in works if (per_s := measured.rate(work, side)) is not None]
            axes.loglog(*zip(*known, strict=True) if known else ((), ()), marker=".", label=size)
        axes.set(title=side, xlabel="pool")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("candidate-epochs/s")
    figure.axes[-1].legend(title="patterns × inputs", loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, file)


def plot_shares(measured: Measured, file: Path) -> None:
    """The share of the card's product over the features: a panel for each CUDA back end, a line for each pool.

    Of sizes with equally many features, the one with the most patterns is shown.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    figure.suptitle(_title(measured))
    largest = {work.n_inputs: work.n_patterns for work in sorted(measured.works, key=lambda work: work.n_patterns)}
    pools = sorted({work.pool for work in measured.works})
    for axes, side in zip(figure.subplots(1, len(GPU_SIDES), sharey=True), GPU_SIDES, strict=True):
        for pool in pools:
            known = sorted(
                (1 + work.n_inputs, 100 * share)
                for work in measured.works
                if work.pool == pool and work.n_patterns == largest[work.n_inputs]
                if (per_s := measured.rate(work, side)) and (share := measured.of_peak(work, per_s))
            )
            axes.semilogx(*zip(*known, strict=True) if known else ((), ()), marker=".", label=f"{pool}")
        axes.axhline(50, color="grey", linestyle=":")
        axes.set(title=side, xlabel="features")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("% of the card's product of float32")
    figure.axes[-1].legend(title="pool", loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, file)


def _by_size(measured: Measured) -> dict[str, list[Work]]:
    sizes: dict[str, list[Work]] = {}
    for work in measured.works:
        sizes.setdefault(work.size, []).append(work)
    return sizes


def _title(measured: Measured) -> str:
    return "no card" if measured.card is None else measured.card.name
