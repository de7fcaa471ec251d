"""How much of everything a run measures, and the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.engine.machine import describe
from benchmarks.engine.work import Work

from .card import Card, measured_card
from .first_trainings import measure_firsts
from .layers import measure_layers
from .measured import Measured
from .rates import ENDLESS, measure_rates
from .sample import Sample
from .sets import PROBLEMS, Problem
from .sides import GPU_SIDES, SIDES, Side, attempt, missing
from .trainings import measure_trainings

_POOLS = (8, 64, 256, 1024, 4096, 16_384)
_SIZES = tuple(
    Work(n_patterns, n_inputs, 1024, ENDLESS, n_outputs)
    for n_patterns, n_inputs, n_outputs in (
        (194, 2, 1),
        (194, 16, 1),
        (2000, 16, 1),
        (10_000, 64, 1),
        (10_000, 256, 1),
        (60_000, 784, 10),
    )
)


@dataclass(frozen=True, slots=True)
class Extent:
    """What is measured, and how long.

    Args:
        sizes: with any pool.
        pools: of each size.
        sample: of rates and layers.
        problems: for whole trainings.
        most_seeds: of each of these.
        budget_s: within which its seeds begin.
        first: the sides whose first training is measured.
    """

    sizes: tuple[Work, ...]
    pools: tuple[int, ...]
    sample: Sample
    problems: tuple[Problem, ...]
    most_seeds: int
    budget_s: float
    first: tuple[Side, ...]


FULL = Extent(_SIZES, _POOLS, Sample(0.05, 5), PROBLEMS, most_seeds=10, budget_s=1.0, first=GPU_SIDES)
QUICK = Extent(
    (_SIZES[0], _SIZES[3]), (64, 1024), Sample(0.02, 3), PROBLEMS[:1], most_seeds=2, budget_s=1.0, first=("cupy",)
)


def measure(
    measured: Measured,
    extent: Extent,
    say: Callable[[str], None],
    save: Callable[[], None],
    *,
    all_sides: Sequence[Side] = SIDES,
    find_card: Callable[[], Card] = measured_card,
) -> None:
    """Fill in what a run finds; each figure is saved, and then said."""
    began = time.monotonic()

    def tell(what: str) -> None:
        measured.seconds = time.monotonic() - began
        save()
        say(what)

    tell("the card's ceilings")
    measured.machine = describe("torch", "cupy-cuda13x")
    measured.card, why = attempt(find_card)
    if why:
        measured.missing["the card's ceilings"] = why
    for side in all_sides:
        if why := missing(side):
            measured.missing[side] = why
            tell(f"{side}: {why}")
    sides = [side for side in all_sides if side not in measured.missing]
    for rate in measure_rates(extent.sizes, extent.pools, sides, extent.sample):
        measured.rates.append(rate)
        tell(f"{rate.work.name}, {rate.side}: {rate.note or f'{rate.per_s:.3g} candidate-epochs/s'}")
    for layer in measure_layers(extent.sizes, sides, extent.sample):
        measured.layers.append(layer)
        tell(f"output layer of {layer.work.size}, {layer.side}: {layer.note or f'{layer.epoch_us:.1f} µs an epoch'}")
    for trained in measure_trainings(extent.problems, sides, extent.most_seeds, extent.budget_s):
        measured.trainings.append(trained)
        seconds = trained.note if trained.found is None else f"{trained.found.total_s:.3g} s"
        tell(f"{trained.problem}, pool {trained.pool}, {trained.side}: {seconds}")
    for first in measure_firsts([side for side in extent.first if side in sides]):
        measured.firsts.append(first)
        tell(f"a first training, {first.side}: {first.note or f'{first.first_s:.1f} s'}")
