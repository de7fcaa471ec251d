"""`inspect` says what a file of a network holds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor import snapshots
from juniper_cascor.engine.parameters import Parameters
from tests.unit.juniper_cascor.snapshot_data import CARD, COLUMNS, SNAPSHOT

from .command_line import refusal, run


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A small one with everything in it."""
    path = tmp_path / "net.h5"
    parameters = Parameters(max_hidden_units=2, patience=3).as_dict()
    snapshots.write(
        path, replace(SNAPSHOT, card=CARD.model_copy(update={"parameters": parameters, "outcome": "solved"}))
    )
    return path


def test_for_a_person(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it is for, what it is made of, how it was trained, and whether it is whole."""
    ended = run(capsys, "inspect", net)
    facts = dict(line.split("  ", 1) for line in ended.out.splitlines() if "  " in line)
    told = {name.strip(): fact.strip() for name, fact in facts.items()}
    assert ended.code == 0
    assert told["file"] == f"{net}, format 2, whole: its content matches its digest"
    assert told["task"] == "classification: setosa, virginica"
    assert told["inputs"] == "2: width, length"
    assert told["hidden units"] == "2: tanh of 2, sin of 3"
    assert told["outcome"] == "solved"
    assert told["trained"] == "1970-01-01 00:00 UTC, 120 epochs, seed 7, numba"
    assert told["dataset"] == "xor-1.0.0-0"
    assert told["data sha256"] == "00"
    assert told["parameters"] == "max_hidden_units=2, patience=3"
    assert told["versions"] == "numpy 2"
    assert told["can resume"] == "yes"


def test_for_a_program(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON."""
    told = json.loads(run(capsys, "inspect", net, "--json").out)
    assert told["units"] == [{"activation": "tanh", "fan_in": 2}, {"activation": "sin", "fan_in": 3}]
    assert (told["inputs"], told["outputs"], told["is_whole"], told["can_resume"]) == (2, 2, True, True)
    assert told["parameters"]["patience"] == 3
    assert told["labels"] == ["setosa", "virginica"]


def test_a_network_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not known is not told."""
    path = tmp_path / "net.h5"
    bare = {"run_id": None, "dataset_id": None, "dataset_checksum": None, "labels": None, "feature_names": None}
    snapshots.write(path, replace(SNAPSHOT, card=CARD.model_copy(update=bare), state={}, metrics={}))
    shown = run(capsys, "inspect", path).out
    assert "can resume    no, it was kept to predict" in shown
    assert not {"dataset", "run", "loss"} & {line.split()[0] for line in shown.splitlines()}


def test_a_damaged_file(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused, whatever byte has changed."""
    content = bytearray(net.read_bytes())
    content[-1] ^= 1
    net.write_bytes(bytes(content))
    assert "net.h5 is damaged" in refusal(capsys, "inspect", net, code=65)


def test_a_card_does_not_command_the_terminal(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wrote the file chose its texts; each stays in its line."""
    card = CARD.model_copy(update={"labels": ["\x1b[2J", "b\nwhole"], "outcome": "\x1b[31mboo"})
    snapshots.write(net, replace(SNAPSHOT, card=card))
    lines = run(capsys, "inspect", net).out.splitlines()
    assert r"task          classification: \x1b[2J, b\nwhole" in lines
    assert r"outcome       \x1b[31mboo" in lines


@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_curves_that_are_not_finite(net: Path, capsys: pytest.CaptureFixture[str], loss: float) -> None:
    """They are told as far as they go; JSON has no word for them."""
    losses = np.array([2, loss, loss, loss], np.float32)
    metrics = {**COLUMNS, "phase": np.zeros(4, np.uint8), "train_loss": losses}
    del metrics["train_accuracy"]
    snapshots.write(net, replace(SNAPSHOT, metrics=metrics))
    assert f"loss 2 ▁ {loss:g}" in run(capsys, "inspect", net).out.splitlines()
    told = json.loads(run(capsys, "inspect", net, "--json").out)
    assert told["curves"]["train_loss"] == [2, None, None, None]
