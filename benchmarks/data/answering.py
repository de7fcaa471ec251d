"""How many datasets the service gives in a second, one that is there and new ones, and how long a large one takes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks.service.figures import Line, below, percentile

from .load import Connection, Load, get, post, put_load
from .running import running_service

CONNECTIONS = 4
MIN_PAIRS = 800.0  # a second
MAX_PAIR_MS = 20.0
MIN_SETS = 150.0  # a second
MAX_MILLION_S = 1.5
MILLION = {"n_spirals": 2, "n_points_per_spiral": 500_000}


@dataclass(frozen=True)
class Answering:
    """What was measured."""

    pairs: Load
    sets: Load
    million_s: Sequence[float]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        yield _at_least("the 194-point spiral asked for and downloaded again", self.pairs, MIN_PAIRS)
        pairs_ms = [1e3 * taken_s for taken_s in self.pairs.calls_s]
        aside = f" (median {percentile(pairs_ms, 0.5):.3g} ms, most {max(pairs_ms):.3g} ms)"
        yield below("both of these requests together, p99", percentile(pairs_ms, 0.99), MAX_PAIR_MS, "ms", aside=aside)
        yield _at_least("distinct spirals made and on the disk", self.sets, MIN_SETS)
        what = "a spiral of a million points made and on the disk, most"
        aside = f" (median {percentile(self.million_s, 0.5):.3g} s, of {len(self.million_s)})"
        yield below(what, max(self.million_s), MAX_MILLION_S, "s", aside=aside)


def measure_answering(*, quick: bool) -> Answering:
    """One service for all of it, its store on a disk."""
    seconds = 0.5 if quick else 10.0
    with running_service(wait_s=60) as service:
        address = service.address
        return Answering(
            pairs=put_load(address, CONNECTIONS, seconds, _pair(address)),
            sets=put_load(address, CONNECTIONS, seconds, _new_set()),
            million_s=[_million_s(address, seed) for seed in range(1 if quick else 7)],
        )


def _pair(address: str) -> Callable[[Connection], None]:
    """Ask for the spiral, then download it; every time the same bytes."""
    ask = post("/v1/datasets", {"generator": "spiral"})
    with closing(Connection(address)) as first:
        download = get(first.create(generator="spiral")["artifact_url"])
        artifact = first.ask(download)

    def pair(connection: Connection) -> None:
        connection.ask(ask)
        if connection.ask(download) != artifact:
            raise RuntimeError("another artifact than before")

    return pair


def _new_set() -> Callable[[Connection], None]:
    seeds = itertools.count(1_000)

    def create(connection: Connection) -> None:
        connection.create(generator="spiral", params={"seed": next(seeds)})

    return create


def _million_s(address: str, seed: int) -> float:
    with closing(Connection(address)) as connection:
        began = time.perf_counter()
        connection.create(generator="spiral", params=MILLION | {"seed": seed})
        return time.perf_counter() - began


def _at_least(what: str, load: Load, rate: float) -> Line:
    return Line(f"{what}, a second", f"{load.rate:,.0f} (of {len(load.calls_s):,})", f"≥ {rate:g}", load.rate >= rate)
