"""What training through the service costs over the bare engine, on scikit-learn's digits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from juniper_cascor.engine.training import Training

from .figures import Line, Ratio, cheaper, ratio
from .running import Service
from .work import SEED, Work, digits, digits_grown

MAX_OVERHEAD = 0.10
UNITS = 30


@dataclass(frozen=True)
class Cost:
    """Of one training."""

    wall_s: float
    cpu_s: float  # of the process that trains, over all its threads


@dataclass(frozen=True)
class Overhead:
    """What was measured on one set."""

    of: str
    wall: Ratio
    cpu: Ratio
    bare: Cost  # the last of them

    def lines(self) -> Iterator[Line]:
        """For the table."""
        for name, found, alone_s in (("time", self.wall, self.bare.wall_s), ("CPU", self.cpu, self.bare.cpu_s)):
            aside = f"; the engine alone takes {alone_s:.2f} s"
            yield cheaper(f"{self.of}: {name} over the bare engine", found, MAX_OVERHEAD, aside=aside)


def measure_overhead(service: Service, *, quick: bool) -> list[Overhead]:
    """Train the same by turns, each first as often as the other."""
    repeats = 1 if quick else 10
    return [_compared(service, digits(), 2 * repeats), _compared(service, digits_grown(UNITS), repeats)]


def _compared(service: Service, work: Work, repeats: int) -> Overhead:
    _bare(work)  # loads the compiled code of this process
    _served(service, work)
    pairs = []
    for number in range(repeats):
        if number % 2:
            bare, served = _bare(work), _served(service, work)
        else:
            served, bare = _served(service, work), _bare(work)
        pairs.append((served, bare))
    return Overhead(
        of=work.name,
        wall=ratio([(served.wall_s, bare.wall_s) for served, bare in pairs]),
        cpu=ratio([(served.cpu_s, bare.cpu_s) for served, bare in pairs]),
        bare=pairs[-1][1],
    )


def _bare(work: Work) -> Cost:
    """The engine in this process, with as many threads as the trainer takes."""
    began, began_cpu = time.perf_counter(), time.process_time()
    training = Training.start(work.x, work.y, work.parameters, seed=SEED)
    while training.finished is None:
        training.advance()
    return Cost(time.perf_counter() - began, time.process_time() - began_cpu)


def _served(service: Service, work: Work) -> Cost:
    """A run of the service, by the times of its record."""
    before = service.trainer_cpu_s()
    record = service.train(work.request())
    if record.ended_at is None or record.status != "COMPLETED":
        raise RuntimeError(f"the run did not come to its end: {record.status} {record.reason}")
    return Cost(record.ended_at - record.created_at, service.trainer_cpu_s() - before)
