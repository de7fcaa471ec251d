"""Grows networks with the engine, and clocks the parts of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from juniper_cascor.engine import backends
from juniper_cascor.engine.backend import CPU_BACKENDS
from juniper_cascor.engine.training import Training

from .work import Work

if TYPE_CHECKING:
    from juniper_cascor.engine.backend import BackendName
    from juniper_cascor.engine.parameters import Parameters

    from .sets import Floats

Clock = Callable[[], float]


@dataclass(slots=True)
class Grown:
    """A training at its end, and the seconds that its parts took by the clock it was given."""

    training: Training
    start_s: float  # check, standardise and lay out the patterns
    output_s: float = 0.0
    candidate_s: float = 0.0
    candidate_epochs: int = 0  # of pools, not of each candidate
    unit_s: list[float] = field(default_factory=list)  # since the start, when each hidden unit was installed

    @property
    def total_s(self) -> float:
        """From raw arrays to a network."""
        return self.start_s + self.output_s + self.candidate_s


def grow(
    x: Floats,
    y: Floats,
    parameters: Parameters,
    *,
    seed: int = 0,
    validation: tuple[Floats, Floats] | None = None,
    backend: BackendName | None = None,
    threads: int = 1,
    clock: Clock = time.process_time,
) -> Grown:
    """Train to the end, on the CPU where nothing else is said. The clock is CPU time of all threads by default."""
    x_val, y_val = validation or (None, None)
    if backend is None:
        sizes = (parameters.candidate_pool_size, parameters.max_hidden_units)
        backend = backends.on_cpu(len(x), x.shape[1], *sizes)
    began = clock()
    training = Training.start(x, y, parameters, seed=seed, x_val=x_val, y_val=y_val, backend=backend, threads=threads)
    now = clock()
    grown = Grown(training, now - began)
    while training.finished is None:
        is_output, before = training.phase == "output", now
        progress = training.advance()
        now = clock()
        if is_output:
            grown.output_s += now - before
        else:
            grown.candidate_s += now - before
            grown.candidate_epochs += len(progress.rows)
        if progress.installed is not None:
            grown.unit_s.append(now - began)
    return grown


def warm_up() -> None:
    """Load the compiled code of every CPU back end, so that no figure holds it."""
    work = Work(64, 2, 2, n_epochs=2)
    for backend in CPU_BACKENDS:
        grow(*work.arrays(), work.parameters(), backend=backend)
