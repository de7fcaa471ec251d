import io
import pickle
import zipfile

import numpy as np
import pytest

from juniper_data.npz import read_npz, write_npz


def test_arrays_come_back() -> None:
    """What was written is read, in the order asked for."""
    file = io.BytesIO()
    write_npz(file, {"X": np.ones((2, 3), np.float32), "y": np.zeros((0, 2), np.float32)})
    file.seek(0)
    y, X = read_npz(file, ("y", "X"))
    assert (X.tolist(), y.shape) == ([[1.0] * 3] * 2, (0, 2))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_npz_is_refused(content: bytes) -> None:
    """Whatever else a file holds, it is refused as one kind of error."""
    with pytest.raises(ValueError, match=r"NPZ|allow_pickle"):
        read_npz(io.BytesIO(content), ("X",))


def test_pickles_are_never_opened() -> None:
    """An artifact that holds a pickle is refused, not run."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = io.BytesIO()
        np.lib.format.write_array(member, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        archive.writestr("X.npy", member.getvalue())
    file.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_npz(file, ("X",))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_npz(io.BytesIO(pickle.dumps([1])), ("X",))
