"""The data that all are measured on."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.engine.sets import SOURCES, SPIRAL_SETS, Source, cmu_spirals, parity


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_same_for_a_seed(source: Source) -> None:
    """Everyone who asks for a seed's set gets the same patterns."""
    first, again = source.make(3), source.make(3)
    assert (first.train.x == again.train.x).all()
    assert (first.train.labels == again.train.labels).all()


@pytest.mark.parametrize("name", SPIRAL_SETS[1:])
def test_noise_anew(name: str) -> None:
    """Noisy spirals are drawn anew for each seed, and once more for the test."""
    make = next(source.make for source in SOURCES if source.name == name)
    first, second = make(0), make(1)
    assert first.test is not None
    assert len(first.train.x) == len(first.test.x) == 400
    assert (first.train.x != second.train.x).any()
    assert (first.train.x != first.test.x).any()


def test_cmu_spirals() -> None:
    """CMU's spirals are 194 points, all to be learnt; the negation of each is of the other class."""
    train = cmu_spirals(0).train
    order, mirrored = (np.lexsort(np.round(x, 3).T) for x in (train.x, -train.x))
    assert len(train.x) == 194
    assert np.allclose(train.x[order], -train.x[mirrored], atol=1e-5)
    assert (train.labels[order] != train.labels[mirrored]).all()


def test_parity() -> None:
    """Each pattern of four bits once; odd sums are class 1."""
    train = parity(4)(0).train
    assert len(np.unique(train.x, axis=0)) == 16
    assert (train.labels == (train.x == 1).sum(axis=1) % 2).all()


def test_targets() -> None:
    """Two classes take one column of 0 and 1, unless a column a class is asked for."""
    train = parity(2)(0).train
    assert train.targets(2).tolist() == [[0], [1], [1], [0]]
    assert train.targets(2, one_hot=True).tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]


def test_held_out() -> None:
    """Of a set with noise a quarter is tested on, and a quarter of the rest chooses the size; all classes in each."""
    digits = next(source.make for source in SOURCES if source.name == "digits")(0)
    assert digits.test is not None
    fitted, held = digits.held_out(0)
    assert [len(part.x) for part in (fitted, held, digits.test)] == [1010, 337, 450]
    assert all(len(np.unique(part.labels)) == 10 for part in (fitted, held, digits.test))
