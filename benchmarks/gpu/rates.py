"""Candidate-epochs a second: one candidate, one pass over all patterns, as a training's chunks run them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.engine.work import Work
from juniper_cascor.engine.backend import CandidateState
from juniper_cascor.engine.candidate_pool import new_pool
from juniper_cascor.engine.training_data import TrainingData

from .sample import Sample
from .sides import Side, attempt, backend_of, chosen_by_auto, made

ENDLESS = 1_000_000  # epochs, and patience: no candidate stops
_MOST_S = 10.0  # that one rate may take


@dataclass(frozen=True, slots=True)
class Rate:
    """What a side does on one size with one pool, by wall clock, what comes back to the host included."""

    work: Work
    side: Side
    backend: str
    auto: str  # the back end where none is asked for
    per_s: float | None  # candidate-epochs; None where none were measured
    note: str = ""  # why not

    @property
    def flops_per_s(self) -> float | None:
        """Of the candidates' products."""
        return None if self.per_s is None else self.per_s * self.work.flops / self.work.pool


def measure_rates(
    sizes: Sequence[Work], pools: Sequence[int], sides: Sequence[Side], sample: Sample, most_s: float = _MOST_S
) -> Iterator[Rate]:
    """Each size with each pool on each side; what would take too long, by the pool before it, is left out."""
    for size in sizes:
        data = TrainingData(*size.arrays(), None, None, size.parameters(), None)
        last: dict[Side, float] = {}
        for pool in pools:
            work, state = replace(size, pool=pool), None
            for side in sides:
                backend = backend_of(side, work.n_patterns, work.n_inputs, pool)
                rate = Rate(work, side, backend, chosen_by_auto(work, sides), None)
                expected_s = sample.expected_s(last[side], pool) if side in last else 0.0
                if expected_s > most_s:
                    yield replace(rate, note=f"left out, it would take about {expected_s:.0f} s")
                    continue
                state = state or _new_state(work)
                per_s, note = attempt(_per_s, work, state, side, data, sample)
                if per_s is not None:
                    last[side] = per_s
                yield replace(rate, per_s=per_s, note=note)


def _new_state(work: Work) -> CandidateState:
    n_features = 1 + work.n_inputs
    parameters = work.parameters()
    return new_pool(
        parameters, 0, fan_ins=[], n_features=n_features, n_outputs=work.n_outputs, max_epochs=work.n_epochs
    )


def _per_s(work: Work, start: CandidateState, side: Side, data: TrainingData, sample: Sample) -> float:
    state = copy.deepcopy(start)
    backend = made(side, work, data, work.parameters())
    backend.measure_residuals(np.zeros((work.n_outputs, 1 + work.n_inputs), np.float32))

    def chunk() -> int:
        return work.pool * len(backend.train_candidates(state, None).best_scores)

    per_s = sample.per_second(chunk)
    if not np.isfinite(state.scores).all():
        raise ArithmeticError("the candidates' scores are not finite")
    return per_s
