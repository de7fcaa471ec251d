"""How the cost of growing goes with patterns, pool and units; and the power of each that it goes with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from .growing import grow
from .work import Work


@dataclass(frozen=True, slots=True)
class Curve:
    """CPU milliseconds over sizes."""

    of: str
    about: str
    expected_power: int
    sizes: tuple[int, ...]
    cpu_ms: tuple[float, ...]

    @property
    def power(self) -> float:
        """The slope in logarithms, by least squares over the upper half of the sizes."""
        half = len(self.sizes) // 2
        slope, _ = np.polyfit(np.log(self.sizes[half:]), np.log(self.cpu_ms[half:]), 1)
        return float(slope)


def all_curves(quick: bool) -> Iterator[Curve]:
    """On one thread, the back end being what the table of sizes picks."""
    top = 10 if quick else 15
    sizes = tuple(2**k for k in range(7, top + 1))
    works = [Work(n, 16, 8, n_epochs=max(10, 2**20 // n)) for n in sizes]
    yield Curve("patterns", "an epoch of 8 candidates, 16 inputs", 1, sizes, tuple(_epoch_ms(work) for work in works))
    sizes = tuple(2**k for k in range(top - 5))
    works = [Work(512, 16, pool, n_epochs=max(10, 2**12 // pool)) for pool in sizes]
    yield Curve(
        "pool", "an epoch of all candidates, 512 patterns, 16 inputs", 1, sizes, tuple(_epoch_ms(w) for w in works)
    )
    yield _units(32 if quick else 256)


def _epoch_ms(work: Work) -> float:
    """The least of three: what is left is noise."""
    x, y = work.arrays()
    with threadpool_limits(1):
        times = [grow(x, y, work.parameters()).candidate_s for _ in range(3)]
    return 1e3 * min(times) / work.n_epochs


def _units(most: int) -> Curve:
    """One growth, read at each installation."""
    work = Work(512, 4, 8, n_epochs=20)
    x, y = work.arrays()
    parameters = work.parameters(output_epochs=20, output_patience=20, max_hidden_units=most)
    with threadpool_limits(1):
        runs = [grow(x, y, parameters).unit_s for _ in range(3)]
    cpu_ms = tuple(1e3 * float(t) for t in np.min(runs, axis=0))
    sizes = tuple(range(1, len(cpu_ms) + 1))  # all patterns may be learnt with fewer than were asked for
    return Curve(
        "units", "a growth to so many units, 40 epochs each, 512 patterns, 4 inputs, 8 candidates", 2, sizes, cpu_ms
    )
