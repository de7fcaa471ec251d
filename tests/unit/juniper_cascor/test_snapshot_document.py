"""docs/snapshot-format.md describes what is written."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor import snapshots, versions
from juniper_cascor.engine.activations import ACTIVATIONS
from juniper_cascor.engine.training import Training
from juniper_cascor.plain_hdf5 import Arrays
from juniper_cascor.snapshots import METRICS, Card
from tests.unit.juniper_cascor.engine.data import FAST, noisy_points

from .snapshot_data import CARD, NETWORK, SNAPSHOT

DOCUMENT = (Path(__file__).parents[3] / "docs" / "snapshot-format.md").read_text(encoding="utf-8")
X, Y = noisy_points(40)


def section(title: str) -> str:
    """The part of the document under a heading."""
    return DOCUMENT.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> dict[str, list[str]]:
    """The lines of a section's table by the names in their first cell."""
    found = {}
    for line in section(title).splitlines():
        first, *cells = line.strip("|").split("|")
        for name in re.findall(r"`(\w+)`", first) if cells else []:
            found[name] = [cell.strip() for cell in cells]
    return found


def described(title: str) -> dict[str, tuple[str, int]]:
    """Type and number of dimensions of each array in a section's table, where it says them."""
    return {
        name: (cells[0], len([size for size in cells[1].strip("[]").split(",") if size]))
        for name, cells in rows(title).items()
        if cells[0]
    }


def shapes(arrays: Arrays) -> dict[str, tuple[str, int]]:
    """The same of arrays."""
    return {name: (array.dtype.name, array.ndim) for name, array in arrays.items()}


def test_nothing_is_described_twice() -> None:
    """Each name has one line in its table."""
    for title in ("The card", "The network", "The metrics so far", "The state"):
        names = re.findall(r"^\| `(\w+)`", section(title), re.MULTILINE)
        assert len(names) == len(set(names)), title


def test_every_field_of_the_card_is_described() -> None:
    """The table of the card names its fields and no other, and every entry of `versions`."""
    assert set(rows("The card")) == set(Card.model_fields)
    for name in versions.here():
        assert f"`{name}`" in section("The card")


def test_every_array_of_the_network_is_described() -> None:
    """With its type and dimensions."""
    assert described("The network") == shapes(NETWORK.arrays())


def test_every_column_of_the_metrics_is_described() -> None:
    """With its type."""
    assert {name: cells[0] for name, cells in rows("The metrics so far").items()} == {
        name: np.dtype(dtype).name for name, dtype in METRICS.items()
    }


def test_every_array_of_the_state_is_described() -> None:
    """With its type and dimensions, in either phase."""
    training = Training.start(X, Y, replace(FAST, validation_patience=1), seed=0, x_val=X, y_val=Y)
    written = dict(training.state())
    while training.phase == "output":
        training.advance()
    written |= training.state()
    assert set(rows("The state")) == set(written)
    states = described("The state")
    assert states == {name: shape for name, shape in shapes(written).items() if name in states}


def test_every_activation_is_described() -> None:
    """With its code."""
    for code, name in enumerate(ACTIVATIONS):
        assert f"{code} {name} " in rows("The network")["activations"][2]


def test_the_number_is_the_present_one() -> None:
    """The document is of the format that is written."""
    assert DOCUMENT.startswith(f"# Snapshot files, format {snapshots.FORMAT}\n")


def test_the_program_in_the_document_reads_a_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs as it stands there, without Juniper."""
    snapshots.write(tmp_path / "net.h5", SNAPSHOT)
    monkeypatch.chdir(tmp_path)
    program = section("Reading one without Juniper").split("```python\n")[1].split("```")[0]
    exec(program, {})  # noqa: S102 - our own document
    assert capsys.readouterr().out == f"{CARD.task} (2, 5)\n"
