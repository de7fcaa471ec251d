import json
import struct

import numpy as np
import pytest

from juniper_canopy.backend.updates import Reported
from juniper_canopy.state.live import LiveState
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture
from juniper_canopy.transport.frames import Array, encode_frame, pack
from juniper_common.wire.training import DatasetData, DecisionBoundary
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend

pytestmark = pytest.mark.anyio

Unpacked = tuple[dict[str, object], dict[str, Array]]


def unpack(frame: bytes) -> Unpacked:
    """Decode as frame.js does."""
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    offset = 4 + length
    arrays: dict[str, Array] = {}
    for name, dtype, count in header["arrays"]:
        offset = -(-offset // 8) * 8
        arrays[name] = np.frombuffer(frame, "<" + dtype, count, offset)
        offset += arrays[name].nbytes
    return header, arrays


def test_arrays_survive_whatever_their_length() -> None:
    """Each array begins on a multiple of eight bytes, as typed arrays in a browser must."""
    given: dict[str, Array] = {
        "a": np.array([1, 2, 3], np.uint8),
        "b": np.array([1.5], np.float32),
        "c": np.array([2.5, -1], np.float64),
        "d": np.array([], np.uint32),
    }

    header, arrays = unpack(pack({"type": "frame"}, given))

    assert header["type"] == "frame"
    for name, array in given.items():
        assert arrays[name].tolist() == array.tolist()


async def test_everything_stands_in_a_history(live: LiveState, backend: FakeBackend) -> None:
    """The history of a run tells all that a page draws."""
    for update in await backend.heard():
        live.apply(update)
    run_id = (await backend.cascor.start(SPIRALS)).run_id
    backend.advance(80)
    for update in await backend.heard():
        live.apply(update)
    dataset, boundary = await backend.cascor.dataset_data(), await backend.cascor.decision_boundary(20)
    live.set_dataset(DatasetPicture.of(dataset))
    live.set_boundary(BoundaryPicture.of(boundary))

    header, arrays = unpack(encode_frame("history", 7, live.everything(), live))

    assert (header["type"], header["tick"], header["run"], header["reset"]) == ("history", 7, run_id, True)
    assert (header["mode"], header["upstream"]) == ("service", True)
    assert arrays["epoch"].tolist() == list(range(1, 81))
    assert (np.diff(arrays["timestamp"]) >= 0).all()
    assert len(arrays["timestamp"]) == 80
    assert len(arrays["boundary"]) == 400
    assert len(arrays["dataset_x"]) == len(arrays["dataset_class"]) == 120
    assert header["installs"] == [{"index": 0, "units": 1, "epoch": 75, "score": pytest.approx(0.517, abs=0.001)}]
    assert {"state", "candidates", "topology", "boundary", "dataset"} <= header.keys()


async def test_what_is_not_there_is_told_as_null(live: LiveState, backend: FakeBackend) -> None:
    """A page that showed a network learns that it is gone."""
    live.apply(Reported(await backend.cascor.status()))

    header, _ = unpack(encode_frame("history", 1, live.everything(), live))

    assert header["topology"] is None
    assert header["boundary"] is None
    assert header["dataset"] is None
    assert header["candidates"] is None


def test_a_grid_that_falls_is_turned_over() -> None:
    """The lowest row comes first, whichever way the grid runs."""
    boundary = DecisionBoundary(
        x_range=(0, 1),
        y_range=(0, 1),
        resolution=2,
        grid_x=[[0, 1], [0, 1]],
        grid_y=[[1, 1], [0, 0]],
        predictions=[[1, 1], [0, 1]],
        features=(0, 1),
        held_at=[0, 0],
    )

    picture = BoundaryPicture.of(boundary)

    assert picture is not None
    assert picture.cells.tolist() == [0, 1, 1, 1]


def test_a_regression_has_no_boundary() -> None:
    """Values are not classes."""
    boundary = DecisionBoundary(
        x_range=(0, 1),
        y_range=(0, 1),
        resolution=1,
        grid_x=[[0]],
        grid_y=[[0]],
        predictions=[[0.25]],
        features=(0, 1),
        held_at=[0, 0],
    )

    assert BoundaryPicture.of(boundary) is None


@pytest.mark.parametrize(
    ("targets", "classes"),
    [([0, 1, 1], [0, 1, 1]), ([[1.0, 0.0], [0.0, 1.0]], [0, 1]), ([[0.0], [1.0]], [0, 1])],
    ids=["indices", "one-hot", "single column"],
)
def test_targets_of_any_form_become_classes(targets: list[int] | list[list[float]], classes: list[int]) -> None:
    """Indices, one-hot rows and a single 0/1 column mean the same."""
    rows = [[0.0, 1.0]] * len(classes)

    picture = DatasetPicture.of(DatasetData(dataset_id=None, train_x=rows, train_y=targets, val_x=[], val_y=[]))

    assert picture is not None
    assert picture.classes.tolist() == classes
    assert picture.title == f"inline data, {len(classes)} patterns"


def test_patterns_of_one_feature_have_no_plane() -> None:
    """There is nothing to draw them against."""
    assert DatasetPicture.of(DatasetData(dataset_id="x", train_x=[[1.0]], train_y=[0], val_x=[], val_y=[])) is None
