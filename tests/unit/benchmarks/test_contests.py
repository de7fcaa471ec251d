"""Contests: who trains when, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from benchmarks.engine import peers
from benchmarks.engine.contests import Entry, hold
from benchmarks.engine.peers import Result
from benchmarks.engine.sets import SOURCES, Dataset, parity


@dataclass
class Recorder:
    """A peer that writes down when it is trained, and needs seed seconds and units."""

    name: str
    log: list[tuple[str, int]] = field(default_factory=list)

    def train(self, data: Dataset, seed: int) -> Result:
        """Solve every seed but 0."""
        assert len(data.train.x) == 4
        self.log.append((self.name, seed))
        return Result(has_solved=seed > 0, cpu_s=float(seed), units=seed)


def test_interleaved() -> None:
    """Peers take turns seed by seed; one with fewer seeds leaves early."""
    log: list[tuple[str, int]] = []
    entries = [Entry(Recorder("a", log), 3), Entry(Recorder("b", log), 2)]
    hold("parity", "", parity(2), entries)
    assert log == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2)]


def test_standing() -> None:
    """A standing counts the solved and takes medians; what a peer does not tell stays unknown."""
    peer = Recorder("a")
    standing = hold("parity", "", parity(2), [Entry(peer, 5)]).of(peer)
    assert (standing.n_solved, standing.n_seeds) == (4, 5)
    assert (standing.cpu_ms, standing.most_cpu_ms) == (2000, 4000)
    assert (standing.units, standing.fewest_units, standing.most_units) == (2, 0, 4)
    assert standing.epochs is None
    assert standing.test_accuracy is None


def test_engine() -> None:
    """The engine as a peer learns parity, and tells units and epochs."""
    result = peers.GAUSSIAN.train(parity(3)(0), seed=0)
    assert result.has_solved
    assert result.units == 1
    assert result.epochs is not None
    assert result.cpu_s > 0


@pytest.mark.parametrize("peer", [peers.DEFAULT, peers.MLP, peers.BOOSTING], ids=lambda peer: peer.name)
def test_accuracy(peer: peers.Peer) -> None:
    """On a set with noise every peer answers for patterns it has not seen, far better than a guess."""
    cancer = next(source.make for source in SOURCES if source.name == "breast cancer")(0)
    result = peer.train(cancer, seed=0)
    assert result.test_accuracy is not None
    assert result.test_accuracy > 0.85
