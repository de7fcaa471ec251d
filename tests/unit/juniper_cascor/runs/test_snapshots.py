"""Snapshot files."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import snapshots
from juniper_cascor.runs.snapshots import Card, SnapshotError

CARD = Card(
    run_id="20260101-000000-abcdef01",
    epoch=120,
    hidden_units=2,
    created_at=1.5,
    seed=7,
    task="classification",
    parameters={"max_hidden_units": 64, "patience": None},
    dataset_id="xor-1.0.0-0",
    dataset_checksum="00",
    backend="numba",
    versions={"numpy": "2"},
)
NETWORK = Network(
    feature_mean=np.array([1, 2], np.float32),
    feature_scale=np.array([3, 4], np.float32),
    hidden_weights=(np.array([1, 2, 3], np.float32), np.array([4, 5, 6, 7], np.float32)),
    activations=("tanh", "sin"),
    output_weights=np.arange(10, dtype=np.float32).reshape(2, 5),
)
STATE = {"counter": np.array(3), "steps": np.linspace(0, 1, 7, dtype=np.float32)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good snapshot."""
    return snapshots.write(tmp_path, CARD, NETWORK, STATE)


def test_what_is_written_is_read(path: Path) -> None:
    """Card, network and state come back."""
    snapshot = snapshots.read(path)
    assert snapshot.card == CARD
    x = np.array([[0.5, 1.5], [2, 3]], np.float32)
    np.testing.assert_array_equal(snapshot.network.outputs(x), NETWORK.outputs(x))
    for name, array in STATE.items():
        np.testing.assert_array_equal(snapshot.state[name], array)


def test_a_list_tells_names_without_opening(path: Path, tmp_path: Path) -> None:
    """A run's snapshots are listed by what their names say; other files are not."""
    (path.parent / "notes.h5").write_text("not ours")
    (info,) = snapshots.listed(tmp_path)
    assert (info.run_id, info.epoch, info.hidden_units) == (CARD.run_id, 120, 2)
    assert info.size_bytes == path.stat().st_size


def test_no_temporary_file_stays(path: Path) -> None:
    """The folder holds the snapshot alone."""
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_cut_file_is_refused(path: Path, share: float) -> None:
    """A file that ends early is no snapshot."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SnapshotError, match="damaged"):
        snapshots.read(path)


def test_a_changed_value_is_refused(path: Path) -> None:
    """The digest covers every array."""
    with h5py.File(path, "r+") as file:
        file["state/steps"][3] = 0.25
    with pytest.raises(SnapshotError, match="does not match its digest"):
        snapshots.read(path)


def test_a_newer_format_is_refused_by_its_number(tmp_path: Path) -> None:
    """What a later version wrote is not guessed at."""
    path = snapshots.write(tmp_path, CARD.model_copy(update={"format": 2}), NETWORK, STATE)
    with pytest.raises(SnapshotError, match="has format 2; this version reads format 1"):
        snapshots.read(path)


def test_arrays_that_make_no_network_are_refused(tmp_path: Path) -> None:
    """Sizes that do not fit each other are found."""
    wrong = replace(NETWORK, hidden_weights=NETWORK.hidden_weights[:1])
    with pytest.raises(SnapshotError, match="do not make one network"):
        snapshots.read(snapshots.write(tmp_path, CARD, wrong, STATE))
