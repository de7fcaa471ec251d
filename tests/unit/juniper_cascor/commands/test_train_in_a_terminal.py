"""What a person sees of a training, and how it is ended early."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor import snapshots

from .terminal import Terminal


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Terminal]:
    """A training that no network is ever done with: values that follow from nothing."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "noise.npz", X=rng.normal(size=(4000, 8)), y=rng.normal(size=4000), allow_pickle=False)
    settings = ("--set", "max_hidden_units=10000", "--set", "error_threshold=1e-6")
    arguments = ("train", tmp_path / "noise.npz", "--out", tmp_path / "net.h5", *settings)
    terminal = Terminal(*arguments, environment={"TQDM_MININTERVAL": "0"})
    yield terminal
    terminal.close()


def test_ctrl_c_keeps_what_was_grown(endless: Terminal, tmp_path: Path) -> None:
    """A terminal shows a bar; SIGINT ends the training, the file is written, and the exit code says it."""
    endless.wait_for(" 1 of at most 10000 units")
    endless.process.send_signal(signal.SIGINT)
    code, output = endless.end()
    assert code == 130
    assert "interrupted, and what was grown is kept: " in output
    card = snapshots.read(tmp_path / "net.h5").card
    assert card.outcome == "interrupted"
    assert card.hidden_units >= 1


def test_a_cold_cache_is_said(tmp_path: Path) -> None:
    """Where the engine must be compiled first, a person is told why it takes that long."""
    (tmp_path / "xor.csv").write_text("a,b,either\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    arguments = ("train", tmp_path / "xor.csv", "--out", tmp_path / "net.h5")
    terminal = Terminal(*arguments, environment={"NUMBA_CACHE_DIR": str(tmp_path / "cold")})
    try:
        terminal.wait_for("compiling them takes some seconds")
        assert terminal.end()[0] == 0
    finally:
        terminal.close()
