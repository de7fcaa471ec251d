"""Contests: peers on one set, interleaved seed by seed, so that whatever else the machine does hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from . import peers
from .peers import Peer, Result
from .sets import SOURCES, SPIRAL_SETS, Dataset, parity


@dataclass(frozen=True, slots=True)
class Entry:
    """A peer, and the seeds it trains with: 0 and on."""

    peer: Peer
    n_seeds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A peer at the end of a contest; medians over its seeds."""

    peer: str
    n_seeds: int
    n_solved: int
    cpu_ms: float
    most_cpu_ms: float
    units: float | None
    fewest_units: int | None
    most_units: int | None
    epochs: float | None
    test_accuracy: float | None


@dataclass(frozen=True, slots=True)
class Contest:
    """A set, and how all peers stood."""

    name: str
    about: str
    has_noise: bool
    standings: tuple[Standing, ...]

    def of(self, peer: Peer) -> Standing:
        """How this peer stood."""
        return next(standing for standing in self.standings if standing.peer == peer.name)


def hold_all(quick: bool) -> Iterator[Contest]:
    """Every contest, one after the other; if quick, two seeds each and none that takes long."""
    for source in SOURCES:
        entries = _entries(source.name)
        if quick:
            if source.name == "10k × 64":
                continue
            entries = [Entry(entry.peer, min(entry.n_seeds, 2)) for entry in entries]
        yield hold(source.name, source.about, source.make, entries)


def hold_parity(quick: bool) -> list[Contest]:
    """Parity of 2 to 8 bits with gaussian candidates."""
    entries = [Entry(peers.GAUSSIAN, 3 if quick else 20)]
    return [hold(f"{n_bits}-bit parity", f"{2**n_bits} patterns", parity(n_bits), entries) for n_bits in range(2, 9)]


def hold(name: str, about: str, make: Callable[[int], Dataset], entries: Sequence[Entry]) -> Contest:
    """Train each peer with each of its seeds, on one thread."""
    results: dict[str, list[Result]] = {entry.peer.name: [] for entry in entries}
    has_noise = False
    with threadpool_limits(1):
        for seed in range(max(entry.n_seeds for entry in entries)):
            data = make(seed)
            has_noise = data.has_noise
            for entry in entries:
                if seed < entry.n_seeds:
                    results[entry.peer.name].append(entry.peer.train(data, seed))
    return Contest(name, about, has_noise, tuple(_standing(peer, found) for peer, found in results.items()))


def _entries(name: str) -> list[Entry]:
    """Fewer seeds for those that take seconds each."""
    if name in (*SPIRAL_SETS, "8-bit parity"):
        seeds = 100 if name == "CMU spirals" else 30
        all_seeds: list[Peer] = [peers.DEFAULT, peers.ONE_HOT, peers.QUALITY, peers.COMPACT, peers.FANN_8]
        if name == "8-bit parity":
            all_seeds.insert(0, peers.GAUSSIAN)
        return [
            *(Entry(peer, seeds) for peer in all_seeds),
            Entry(peers.FANN_80, 20),
            Entry(peers.MLP, 5),
            Entry(peers.BOOSTING, 5),
        ]
    seeds = {"breast cancer": 20, "digits": 10, "10k × 64": 3}[name]
    several = (peers.DEFAULT, peers.RIDGE, peers.QUALITY, peers.COMPACT, peers.MLP, peers.BOOSTING)
    # FANN takes more than a minute for one training on the 10k patterns.
    return [*(Entry(peer, seeds) for peer in several), Entry(peers.FANN_8, 1 if name == "10k × 64" else seeds)]


def _standing(peer: str, results: Sequence[Result]) -> Standing:
    units = [result.units for result in results if result.units is not None]
    epochs = [result.epochs for result in results if result.epochs is not None]
    accuracies = [result.test_accuracy for result in results if result.test_accuracy is not None]
    cpu_ms = [1e3 * result.cpu_s for result in results]
    return Standing(
        peer=peer,
        n_seeds=len(results),
        n_solved=sum(result.has_solved for result in results),
        cpu_ms=float(np.median(cpu_ms)),
        most_cpu_ms=max(cpu_ms),
        units=float(np.median(units)) if units else None,
        fewest_units=min(units, default=None),
        most_units=max(units, default=None),
        epochs=float(np.median(epochs)) if epochs else None,
        test_accuracy=float(np.median(accuracies)) if accuracies else None,
    )
