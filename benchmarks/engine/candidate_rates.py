"""Candidate-epochs per second: one candidate, one pass over all patterns. Equal work, without any patience."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from . import fann
from .growing import Clock, grow
from .peers import WIN_DISTANCE
from .work import Work


@dataclass(frozen=True, slots=True)
class Rate:
    """Candidate-epochs a CPU second, on one thread."""

    work: Work
    backend: str
    juniper: float
    fann: float

    @property
    def ratio(self) -> float:
        """How many times FANN's."""
        return self.juniper / self.fann


@dataclass(frozen=True, slots=True)
class Share:
    """What the candidates' matrix products take of the machine's best."""

    work: Work
    backend: str
    threads: int
    candidate_epochs_per_s: float
    flops_per_s: float
    peak_flops_per_s: float

    @property
    def of_peak(self) -> float:
        """From 0 to 1."""
        return self.flops_per_s / self.peak_flops_per_s


_AGAINST_FANN = (
    Work(194, 2, 8, 8000, activation="sigmoid"),
    Work(194, 8, 8, 4000, activation="sigmoid"),  # features as in the middle of growing for the CMU spirals
    Work(1200, 64, 8, 400, activation="sigmoid"),
    Work(1200, 64, 128, 40, activation="sigmoid"),
    Work(10_000, 64, 128, 6, activation="sigmoid"),
)

_PRODUCT_BOUND = (
    Work(1200, 64, 128, 400),
    Work(1347, 64, 128, 200, n_outputs=10),
    Work(10_000, 64, 128, 60),
    Work(60_000, 784, 128, 5, n_outputs=10),
)


def against_fann(quick: bool) -> list[Rate]:
    """Both engines' rates, interleaved; medians of five."""
    return [_rate(work, 2 if quick else 5) for work in (_AGAINST_FANN[:1] if quick else _AGAINST_FANN)]


def shares_of_peak(quick: bool) -> list[Share]:
    """Rates on sizes that are bound by the product, on one thread and on all there are."""
    all_threads = len(os.sched_getaffinity(0))
    shares = []
    for threads in sorted({1, all_threads}):
        peak = sgemm_flops_per_s(threads, 512 if quick else 3072)
        for work in _PRODUCT_BOUND[:1] if quick else _PRODUCT_BOUND:
            seconds, backend = _median_phase_s(work, 3, threads, time.perf_counter)
            epochs_per_s = work.n_epochs / seconds
            shares.append(Share(work, backend, threads, epochs_per_s * work.pool, epochs_per_s * work.flops, peak))
    return shares


def sgemm_flops_per_s(threads: int, n: int) -> float:
    """The best of five products of two n × n matrices of float32, by NumPy's BLAS."""
    a, b = np.random.default_rng(0).standard_normal((2, n, n), np.float32)
    with threadpool_limits(threads):
        a @ b
        return 2.0 * n**3 / min(_seconds(lambda: a @ b) for _ in range(5))


def _rate(work: Work, repeats: int) -> Rate:
    x, y = work.arrays()
    cascade = fann.Cascade(fann.SIGMOID_SYMMETRIC, WIN_DISTANCE, work.pool)
    fann_s, juniper_s, backend = [], [], ""
    for _ in range(repeats):
        fann_s.append(fann.candidate_phase_s(x, y, cascade, work.n_epochs))
        seconds, backend = _median_phase_s(work, 1, 1, time.process_time)
        juniper_s.append(seconds)
    done = work.pool * work.n_epochs
    return Rate(work, backend, done / float(np.median(juniper_s)), done / float(np.median(fann_s)))


def _median_phase_s(work: Work, repeats: int, threads: int, clock: Clock) -> tuple[float, str]:
    x, y = work.arrays()
    seconds, backend = [], ""
    with threadpool_limits(threads):
        for _ in range(repeats):
            grown = grow(x, y, work.parameters(), threads=threads, clock=clock)
            if grown.candidate_epochs != work.n_epochs:
                raise RuntimeError(f"{grown.candidate_epochs} epochs were trained, not {work.n_epochs}")
            seconds.append(grown.candidate_s)
            backend = grown.training.backend
    return float(np.median(seconds)), backend


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
