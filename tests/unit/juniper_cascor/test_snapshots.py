"""Snapshot files: what is written is read, and nothing else is."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor import snapshots
from juniper_cascor.snapshots import ForeignSnapshotError, Snapshot, SnapshotError

from .snapshot_data import CARD, COLUMNS, NETWORK, SNAPSHOT, STATE

FORMAT_1 = Path(__file__).parents[2] / "data" / "snapshot-format-1.h5"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good snapshot."""
    path = tmp_path / "good.h5"
    snapshots.write(path, SNAPSHOT)
    return path


def test_what_is_written_is_read(path: Path) -> None:
    """Card, network, state and metrics come back, types and shapes included."""
    snapshot = snapshots.read(path)
    assert snapshot.card == CARD
    x = np.array([[0.5, 1.5], [2, 3]], np.float32)
    np.testing.assert_array_equal(snapshot.network.outputs(x), NETWORK.outputs(x))
    for read, written in ((snapshot.state, STATE), (snapshot.metrics, COLUMNS)):
        assert set(read) == set(written)
        for name, array in written.items():
            np.testing.assert_array_equal(read[name], array, strict=True)


def test_a_network_alone_is_a_snapshot(tmp_path: Path) -> None:
    """State and metrics may be left out, and whatever belongs to a service's run."""
    path = tmp_path / "net.h5"
    card = CARD.model_copy(update={"run_id": None, "dataset_id": None, "dataset_checksum": None, "labels": None})
    snapshots.write(path, Snapshot(card, NETWORK))
    snapshot = snapshots.read(path)
    assert (snapshot.card, dict(snapshot.state), dict(snapshot.metrics)) == (card, {}, {})


def test_writing_replaces_and_leaves_nothing_else(path: Path) -> None:
    """A second snapshot takes the first one's place; the folder holds it alone."""
    snapshots.write(path, replace(SNAPSHOT, card=CARD.model_copy(update={"epoch": 121})))
    assert snapshots.read(path).card.epoch == 121
    assert list(path.parent.iterdir()) == [path]


def test_the_same_snapshot_is_the_same_file(path: Path, tmp_path: Path) -> None:
    """No clock, address or leftover memory gets into a file."""
    snapshots.write(tmp_path / "again.h5", SNAPSHOT)
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_format_1_is_read() -> None:
    """A file of format 1 comes as the present one: fan-ins and activations are filled in, the old state is left out."""
    snapshot = snapshots.read(FORMAT_1)
    assert (snapshot.card.format, snapshot.card.hidden_units, dict(snapshot.state)) == (1, 3, {})
    assert [len(weights) for weights in snapshot.network.hidden_weights] == [3, 4, 5]
    assert snapshot.network.activations == ("tanh", "tanh", "tanh")
    # As the version that wrote it answered.
    outputs = snapshot.network.outputs([[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_allclose(outputs[:, 0], [0.3643487, 0.2888255, 0.8179189, 0.4294766], rtol=1e-6)


def test_format_1_is_written_again_as_the_present_format(tmp_path: Path) -> None:
    """Reading and writing upgrades a file."""
    path = tmp_path / "upgraded.h5"
    snapshots.write(path, snapshots.read(FORMAT_1))
    assert path.read_bytes().startswith(b"juniper snapshot\nformat 2\n")
    assert snapshots.read(path).card.format == 2


def test_a_changed_array_of_format_1_is_refused(tmp_path: Path) -> None:
    """Its digest covers card and arrays."""
    content = bytearray(FORMAT_1.read_bytes())
    weights = snapshots.read(FORMAT_1).network.output_weights.astype(np.float32).tobytes()
    content[content.index(weights)] ^= 1
    path = tmp_path / "changed.h5"
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=r"changed\.h5 is damaged .* does not match its digest"):
        snapshots.read(path)


def test_arrays_that_make_no_network_are_refused(tmp_path: Path) -> None:
    """Sizes that do not fit each other are found."""
    path = tmp_path / "wrong.h5"
    snapshots.write(path, replace(SNAPSHOT, network=replace(NETWORK, output_weights=NETWORK.output_weights[:, :4])))
    with pytest.raises(SnapshotError, match="do not make one network"):
        snapshots.read(path)


@pytest.mark.parametrize(
    ("metrics", "problem"),
    [
        ({"epoch": np.arange(2), "loss": np.arange(2)}, "no column loss"),
        ({"epoch": np.arange(2), "score": np.arange(3)}, "not equally long"),
        ({"epoch": np.array(1)}, "not equally long"),
    ],
)
def test_metrics_are_columns(tmp_path: Path, metrics: dict[str, np.ndarray], problem: str) -> None:
    """Columns that are not known or not equally long are not written."""
    with pytest.raises(ValueError, match=problem):
        snapshots.write(tmp_path / "net.h5", replace(SNAPSHOT, metrics=metrics))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"labels": ["setosa"]}, "labels are not 2 different"),
        ({"labels": ["a", "b", "c"]}, "labels are not 2 different"),
        ({"labels": ["a", "a"]}, "labels are not 2 different"),
        ({"labels": ["a", 1]}, "labels are not 2 different ones of one type"),
        ({"task": "regression"}, "labels are not 0"),
        ({"task": "regression", "labels": None, "target_dimensions": 1}, "targets of one column, its network has 2"),
        ({"feature_names": ["width"]}, "names 1 inputs, its network has 2"),
        ({"hidden_units": 99}, "99 hidden units, its network 2"),
        ({"epoch": -1}, r"no snapshot: card\.epoch: Input should be greater than or equal to 0$"),
        ({"created_at": 1e300}, "created_at"),
        ({"created_at": -1e18}, "created_at"),
    ],
)
def test_a_card_of_another_network_is_refused(path: Path, changes: dict[str, object], problem: str) -> None:
    """It stands beside a network that it must fit, and in a calendar."""
    snapshots.write(path, replace(SNAPSHOT, card=CARD.model_copy(update=changes)))
    with pytest.raises(SnapshotError, match=problem):
        snapshots.read(path)


@pytest.mark.parametrize("units", [[0, 1, 2, 2**31 - 1], [-1, 0, 1, 2]])
def test_units_that_cannot_have_been_installed_are_refused(path: Path, units: list[int]) -> None:
    """No metrics make a reader ask for memory that the file does not have."""
    snapshots.write(path, replace(SNAPSHOT, metrics=COLUMNS | {"hidden_units": np.array(units)}))
    with pytest.raises(SnapshotError, match="hidden units that cannot have been installed"):
        snapshots.read(path)


def test_a_text_that_is_none_is_not_written(tmp_path: Path) -> None:
    """Half a surrogate pair has no UTF-8."""
    card = CARD.model_copy(update={"feature_names": ["width", "\ud800"]})
    with pytest.raises(ValueError, match=r"the card cannot be written: .*surrogates"):
        snapshots.write(tmp_path / "net.h5", replace(SNAPSHOT, card=card))
    assert list(tmp_path.iterdir()) == []


def test_objects_are_not_written(tmp_path: Path) -> None:
    """A state is numbers alone."""
    with pytest.raises(TypeError, match="state/thing holds object, not numbers"):
        snapshots.write(tmp_path / "net.h5", replace(SNAPSHOT, state={"thing": np.array([{}])}))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    """The message names the file and the cause."""
    with pytest.raises(SnapshotError, match=r"none\.h5 cannot be read: No such file"):
        snapshots.read(tmp_path / "none.h5")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes into it: it is no snapshot, at once."""
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(ForeignSnapshotError, match="is no regular file"):
        snapshots.read(tmp_path / "pipe.h5")
