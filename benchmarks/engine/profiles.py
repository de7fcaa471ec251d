"""Where the time of a training goes: what a missed target is explained by."""

from __future__ import annotations

import cProfile
import pstats
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from juniper_cascor.engine.parameters import Parameters

from .growing import Grown, grow
from .sets import Floats, cmu_spirals
from .work import Work

_LEAST = 0.01  # share of a function that is shown


@dataclass(frozen=True, slots=True)
class Profile:
    """CPU time by phase; and by function, in which compiled loops count for the function that calls them."""

    of: str
    total_ms: float  # a training
    start: float  # shares of the total
    output: float
    candidate: float
    functions: tuple[tuple[str, float], ...]  # file:line(name), and its own share of the time under the profiler


def all_profiles(quick: bool) -> list[Profile]:
    """The CMU spirals, and candidate phases of the sizes that are bound by the product."""
    patterns = cmu_spirals(0).train
    works = [Work(194, 2, 8, 8000), Work(1200, 64, 128, 200), Work(10_000, 64, 128, 40)]
    if not quick:
        works.append(Work(60_000, 784, 128, 4, n_outputs=10))
    return [
        _profile("CMU spirals", patterns.x, patterns.targets(2), Parameters(), n_seeds=20),
        *(_profile(work.name, *work.arrays(), work.parameters(), n_seeds=1) for work in works),
    ]


def _profile(of: str, x: Floats, y: Floats, parameters: Parameters, *, n_seeds: int) -> Profile:
    """Clock first, for the profiler makes Python's part of it larger than it is."""

    def run() -> list[Grown]:
        return [grow(x, y, parameters, seed=seed) for seed in range(n_seeds)]

    with threadpool_limits(1):
        trainings = run()
        profiler = cProfile.Profile()
        profiler.runcall(run)
    total_s = sum(each.total_s for each in trainings)
    rows = sorted(
        (
            (own_s, f"{Path(file).name}:{line}({name})")
            for (file, line, name), (_, _, own_s, _, _) in pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
        ),
        reverse=True,
    )
    profiled_s = sum(own_s for own_s, _ in rows)
    return Profile(
        of=of,
        total_ms=1e3 * total_s / len(trainings),
        start=sum(each.start_s for each in trainings) / total_s,
        output=sum(each.output_s for each in trainings) / total_s,
        candidate=sum(each.candidate_s for each in trainings) / total_s,
        functions=tuple((name, own_s / profiled_s) for own_s, name in rows if own_s >= _LEAST * profiled_s),
    )
