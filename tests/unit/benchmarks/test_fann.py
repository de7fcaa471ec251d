"""FANN through ctypes: does what it is told, or says how to get it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.engine import __main__ as command
from benchmarks.engine import fann
from benchmarks.engine.sets import parity

XOR = parity(2)(0).train
CASCADE = fann.Cascade(fann.SIGMOID_SYMMETRIC, win_distance=0.4)


@pytest.fixture
def _installed() -> None:
    try:
        fann.check_installed()
    except fann.FannMissingError as error:
        pytest.skip(str(error))


def trained(seed: int) -> fann.Trained:
    """A cascade for two-bit parity."""
    return fann.train(XOR.x, XOR.targets(2), CASCADE, seed=seed, asked=XOR.x)


@pytest.mark.usefixtures("_installed")
def test_learns_parity() -> None:
    """FANN's cascade learns two-bit parity, and answers as it has learnt."""
    result = trained(seed=0)
    assert result.has_solved
    assert result.units >= 1
    assert result.epochs > 1
    assert ((result.outputs[:, 0] > 0.5) == XOR.labels).all()


@pytest.mark.usefixtures("_installed")
def test_repeats() -> None:
    """The seed determines what FANN grows."""
    first, again, other = trained(seed=1), trained(seed=1), trained(seed=2)
    assert (first.outputs == again.outputs).all()
    assert (first.outputs != other.outputs).any()


@pytest.mark.usefixtures("_installed")
def test_most_units() -> None:
    """A cascade that may not have enough units ends unsolved, with the most that it may have."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 2), np.float32)
    y = rng.integers(0, 2, (100, 1)).astype(np.float32)
    result = fann.train(x, y, fann.Cascade(fann.SIGMOID_SYMMETRIC, 0.4, max_units=2), seed=0, asked=x)
    assert not result.has_solved
    assert result.units == 2


@pytest.mark.usefixtures("_installed")
def test_clocks_whole_phase() -> None:
    """A clocked candidate phase runs all its epochs: it raises where the library ran fewer or more."""
    assert fann.candidate_phase_s(XOR.x, XOR.targets(2), CASCADE, n_epochs=300) > 0


def test_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the library the command ends at once, and says what brings it."""
    monkeypatch.setattr(fann, "LIBRARY", "libthat-nobody-has.so")
    assert command.main([]) == 1
    assert "libthat-nobody-has.so is missing; it comes with: sudo apt-get install libfann2" in capsys.readouterr().err
