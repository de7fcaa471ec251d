"""Time to solve: whole trainings, from raw arrays to a network, by wall clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from benchmarks.engine.growing import Grown, grow
from juniper_cascor.engine.parameters import Parameters

from .sets import Patterns, Problem
from .sides import CPU_THREADS, Side, attempt, backend_of


@dataclass(frozen=True, slots=True)
class Found:
    """Medians over the seeds; of the seconds, what the parts of a training took."""

    n_seeds: int
    n_solved: int
    units: float
    total_s: float
    start_s: float  # checks, standardising, layout, and the way to the device
    output_s: float
    candidate_s: float
    accuracy: float | None  # on patterns that were not trained on, where there are such


@dataclass(frozen=True, slots=True)
class Trained:
    """A problem, trained with one pool on one side."""

    problem: str
    about: str
    pool: int
    side: Side
    found: Found | None
    note: str = ""  # why nothing was found


def measure_trainings(
    problems: Sequence[Problem], sides: Sequence[Side], most_seeds: int, budget_s: float
) -> Iterator[Trained]:
    """Each problem with each of its pools on each side: as many seeds as begin within a budget, one at least."""
    for problem in problems:
        for pool in problem.pools:
            for side in sides:
                if side == "CPU" and pool > problem.most_cpu_pool:
                    continue
                found, note = attempt(_trained, problem, pool, side, most_seeds, budget_s)
                yield Trained(problem.name, problem.about, pool, side, found, note)


def _trained(problem: Problem, pool: int, side: Side, most_seeds: int, budget_s: float) -> Found:
    parameters = replace(problem.parameters, candidate_pool_size=pool)
    short = replace(parameters, max_hidden_units=1, candidate_epochs=2, output_epochs=2)
    grow_on(problem.make(0), short, side, seed=0)  # loads the compiled code
    grown: list[Grown] = []
    accuracies: list[float] = []
    began = time.perf_counter()
    while len(grown) < most_seeds and (not grown or time.perf_counter() - began < budget_s):
        patterns = problem.make(len(grown))
        one = grow_on(patterns, parameters, side, seed=len(grown))
        grown.append(one)
        if patterns.x_test is not None:
            accuracies.append(float(np.mean(one.training.network.predict(patterns.x_test) == patterns.test_labels)))
    return Found(
        n_seeds=len(grown),
        n_solved=sum(one.training.finished == "solved" for one in grown),
        units=median(one.training.network.n_hidden_units for one in grown),
        total_s=median(one.total_s for one in grown),
        start_s=median(one.start_s for one in grown),
        output_s=median(one.output_s for one in grown),
        candidate_s=median(one.candidate_s for one in grown),
        accuracy=median(accuracies) if accuracies else None,
    )


def grow_on(patterns: Patterns, parameters: Parameters, side: Side, seed: int) -> Grown:
    """Train to the end on a side, on the wall clock."""
    n_patterns, n_inputs = patterns.x.shape
    backend = backend_of(
        side, n_patterns, n_inputs, parameters.candidate_pool_size, max_hidden_units=parameters.max_hidden_units
    )
    return grow(
        patterns.x,
        patterns.targets,
        parameters,
        seed=seed,
        backend=backend,
        threads=CPU_THREADS,
        clock=time.perf_counter,
    )
