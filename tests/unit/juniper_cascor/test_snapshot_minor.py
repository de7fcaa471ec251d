"""Snapshots of a later release: what is new in them is passed over, as far as the release says that it may be."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from juniper_cascor import snapshots
from juniper_cascor.snapshots import SnapshotError

from .snapshot_data import CARD, COLUMNS, SNAPSHOT, STATE, set_card, snapshot_with

NEWER = CARD.model_dump_json().replace('"format":2', f'"format":2,"minor":{snapshots.MINOR + 1},"author":"me"').encode()


def next_minor(file: Any) -> None:
    """More of everything."""
    set_card(NEWER)(file)
    file.attrs["minor"] = snapshots.MINOR + 1
    file["network/centres"] = np.zeros(2)
    file["state/more"] = np.zeros(3)
    file["metrics/test_loss"] = np.zeros(7)
    file["plots/first"] = np.zeros((2, 2))


def test_what_a_later_minor_number_adds_is_passed_over(tmp_path: Path) -> None:
    """All the rest is read as ever."""
    snapshot = snapshots.read(snapshot_with(tmp_path / "newer.h5", next_minor))
    assert snapshot.card == CARD.model_copy(update={"minor": snapshots.MINOR + 1})
    assert set(snapshot.metrics) == set(COLUMNS)
    for name, array in STATE.items():
        np.testing.assert_array_equal(snapshot.state[name], array, strict=True)


def test_it_is_written_again_with_the_present_number(tmp_path: Path) -> None:
    """It holds no more than that any longer."""
    snapshot = snapshots.read(snapshot_with(tmp_path / "newer.h5", next_minor))
    snapshots.write(tmp_path / "again.h5", snapshot)
    assert snapshots.read(tmp_path / "again.h5").card == CARD


def test_the_first_minor_number_is_not_written(tmp_path: Path) -> None:
    """The release before, which knows none, refuses a card with a field that it does not know."""
    snapshots.write(tmp_path / "net.h5", SNAPSHOT)
    with h5py.File(tmp_path / "net.h5") as file:
        assert b"minor" not in file["card"][()]


def test_a_later_minor_number_opens_no_door(tmp_path: Path) -> None:
    """What is new is of plain numbers, too, and no way to other files."""

    def linked(file: Any) -> None:
        next_minor(file)
        file["more"] = h5py.ExternalLink("/etc/passwd", "/")

    with pytest.raises(SnapshotError, match="more is a link"):
        snapshots.read(snapshot_with(tmp_path / "bad.h5", linked))
