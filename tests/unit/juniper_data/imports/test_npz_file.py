import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from juniper_data.imports import rows_file
from tests.unit.juniper_data.imports.conftest import ReadContent, Refusal

X = np.array([[1, 2], [3, 4], [5, 6], [7, 8]])


def written(*, compressed: bool = False, **arrays: Any) -> bytes:
    """An NPZ of these arrays, as NumPy writes it."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def one_member(content: bytes, name: str = "X.npy") -> bytes:
    """An NPZ that holds this, and a `y` of one row."""
    file = io.BytesIO(written(y=[0]))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "i1", ">i4", "u2", "bool", "g"])
@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_of_any_type_become_float32(read_content: ReadContent, dtype: str, compressed: bool) -> None:
    """Whatever they were, and whether deflated or not, they are the same numbers as float32."""
    whole = X.astype(dtype)
    result = read_content(written(compressed=compressed, X=whole, y=np.array([0, 1, 1, 0])))
    assert (result.arrays["X_full"] == whole.astype(np.float32)).all()
    assert result.arrays["y_full"].tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]


def test_columns_after_columns_are_read_too(read_content: ReadContent, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array in Fortran's order gives the same as one in C's, however small the pieces are."""
    whole = np.arange(600.0).reshape(200, 3)
    y = np.eye(2)[np.arange(200) % 2]
    expected = read_content(written(X=whole, y=y)).artifact
    monkeypatch.setattr(rows_file, "PIECE_BYTES", 100)
    assert read_content(written(X=np.asfortranarray(whole), y=np.asfortranarray(y))).artifact == expected


def test_one_hot_targets_and_indices_are_the_same(read_content: ReadContent) -> None:
    """Both ways to say a class give the same set; a class may have no sample."""
    labels = np.array([0, 2, 2, 0])
    hot = read_content(written(X=X, y=np.eye(3)[labels]))
    assert hot.artifact == read_content(written(X_full=X, y_full=labels[:, np.newaxis])).artifact
    assert hot.facts.class_distribution == {"0": 2, "1": 0, "2": 2}


def test_numbers_can_be_predicted(read_content: ReadContent) -> None:
    """With one_hot_labels off, y is what is to be predicted, one number a sample or several."""
    result = read_content(written(X=X, y=[0.5, 1, 2, 3]), one_hot_labels=False)
    assert (result.facts.task_type, result.arrays["y_full"].tolist()) == ("regression", [[0.5], [1], [2], [3]])
    assert read_content(written(X=X, y=X), one_hot_labels=False).arrays["y_full"].tolist() == X.tolist()


def test_own_splits_are_kept_in_order(read_content: ReadContent) -> None:
    """Splits that the file has stay as they are, even where a shuffle is asked for."""
    arrays: dict[str, Any] = {
        "X_train": X,
        "y_train": [0, 1, 2, 0],
        "X_val": X[:2],
        "y_val": [2, 2],
        "X_test": X[:1],
        "y_test": [1],
    }
    result = read_content(written(**arrays), shuffle=True, train_ratio=0.1)
    read = result.arrays
    assert {name: read[name].tolist() for name in ("X_train", "X_test", "X_val")} == {
        "X_train": X.tolist(),
        "X_test": X[:1].tolist(),
        "X_val": X[:2].tolist(),
    }
    assert read["y_val"].tolist() == [[0, 0, 1], [0, 0, 1]]
    assert read["X_full"].tolist() == [*X.tolist(), *X[:1].tolist(), *X[:2].tolist()]
    assert (result.facts.n_train, result.facts.n_test, result.facts.n_val) == (4, 1, 2)


def test_artifact_comes_back_as_it_is(read_content: ReadContent) -> None:
    """A dataset's own artifact, sent again, gives the same bytes."""
    artifact = read_content(written(X=X, y=[0, 1, 0, 1]), val_ratio=0.2, train_ratio=0.5, test_ratio=0.3).artifact
    assert read_content(artifact, shuffle=True).artifact == artifact


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X}, "has no array 'X'; there are: 'a'"),
        ({"X": X}, "has no array 'y'; there are: 'X'"),
        ({"X_train": X, "y_train": [0] * 4, "X_test": X}, "has no array 'y_test'; there are: "),
        ({"X": X, "y": [0]}, "array 'X' has 4 rows, 'y' 1"),
        ({"X": X[0], "y": [0, 1]}, "array 'X' has shape (2,); 2 dimensions are needed"),
        ({"X": X, "y": np.zeros((4, 2, 2))}, "array 'y' has shape (4, 2, 2); 1 or 2 dimensions are needed"),
        ({"X": X[:0], "y": X[:0, 0]}, "array 'X' has no rows"),
        ({"X": X[:, :0], "y": [0] * 4}, "array 'X' has 0 columns; 1 to 20000 can be"),
        ({"X": X + 1j, "y": [0] * 4}, "array 'X' holds complex128, no real numbers"),
        ({"X": X.astype(str), "y": [0] * 4}, "array 'X' holds <U21, no real numbers"),
        ({"X": X.astype("M8[s]"), "y": [0] * 4}, "array 'X' holds datetime64[s], no real numbers"),
        ({"X": np.where(X == 6, np.nan, X), "y": [0] * 4}, "array 'X', row 2, column 1: nan is no finite number"),
        ({"X": np.where(X == 6, -np.inf, X), "y": [0] * 4}, "array 'X', row 2, column 1: -inf is no finite number"),
        ({"X": X * 1e38, "y": [0] * 4}, "array 'X', row 1, column 1: 4e+38 is too large for a 32-bit number"),
        ({"X": X, "y": [0, 1, -1, 0]}, "array 'y', row 2: -1 is no class index from 0 to 999; one_hot_labels=false"),
        ({"X": X, "y": [0, 1, 0.5, 0]}, "array 'y', row 2: 0.5 is no class index"),
        ({"X": X, "y": [0, 1, 1000, 0]}, "array 'y', row 2: 1000 is no class index"),
        ({"X": X, "y": [[0, 1], [1, 0], [1, 1], [0, 1]]}, "array 'y', row 2: is not one-hot"),
        ({"X": X, "y": [[0, 1], [1, 0], [0, 0.5], [0, 1]]}, "array 'y', row 2: is not one-hot"),
        ({"X": X, "y": np.zeros((4, 1001))}, "array 'y' has 1001 columns; at most 1000 classes can be"),
        (
            {"X_train": X, "y_train": [0] * 4, "X_test": X[:, :1], "y_test": [0] * 4},
            "array 'X_test' has 1 columns, 'X_train' 2",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(refusal: Refusal, arrays: dict[str, Any], message: str) -> None:
    """Each mistake is told by the array, the row and the column, as NumPy counts them."""
    assert refusal(written(**arrays))[1].startswith(message)


def test_numbers_to_predict_are_finite(refusal: Refusal) -> None:
    """A regression's target is held to the same as a feature."""
    said = refusal(written(X=X, y=[0, np.nan, 0, 0]), one_hot_labels=False)[1]
    assert said == "array 'y', row 1, column 0: nan is no finite number"


def test_there_are_no_names_to_choose_features_by(refusal: Refusal) -> None:
    """An NPZ's columns have no names."""
    assert refusal(written(X=X, y=[0] * 4), feature_columns=("a",))[0] == ["params", "feature_columns"]


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


def test_pickles_are_never_opened(refusal: Refusal, tmp_path: Path) -> None:
    """An array of objects is refused; the code in it does not run."""
    mark = tmp_path / "mark"
    bomb = np.array([[Bomb(mark)]], dtype=object)
    assert refusal(written(X=bomb, y=[0]))[1].startswith("array 'X' holds Python objects, which are never read")
    for content in (pickle.dumps(Bomb(mark)), pickle.dumps(Bomb(mark), protocol=0)):
        assert refusal(one_member(content))[1] == "array 'X' is not in numpy's format"
    assert not mark.exists()


def npy(header: str, content: bytes = b"") -> bytes:
    """An array file with this header."""
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "array 'X' is not in numpy's format"),
        (b"\x93NUMPY\x07\x00", "array 'X' is not in numpy's format"),
        (npy("(" * 9000), "array 'X' is not in numpy's format"),
        (npy("__import__('os').abort()"), "array 'X' is not in numpy's format"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}"), "array 'X' has shape (-1, 2)"),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9, 2)}", bytes(4)),
            "array 'X' does not hold as many numbers as its shape says",
        ),
        (
            npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 2)}", bytes(4)),
            "holds more than 4 GiB of numbers",
        ),
        (npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1)}", bytes(4)), "array 'X' holds [('a'"),
    ],
)
def test_hostile_headers_are_refused(refusal: Refusal, content: bytes, message: str) -> None:
    """Whatever a header says, it is neither run nor believed."""
    assert refusal(one_member(content))[1].startswith(message)


def test_other_ways_to_compress_are_refused(refusal: Refusal) -> None:
    """LZMA and the like may take any amount of memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("X.npy", b"x")
        archive.writestr("y.npy", b"x")
    assert refusal(file.getvalue())[1].startswith("array 'X' is compressed in a way that is not read")


@pytest.mark.parametrize("part", [slice(0, 10), slice(0, -1), slice(0, -30), slice(1, None)])
def test_part_of_a_file_is_refused(refusal: Refusal, part: slice) -> None:
    """What was cut off anywhere is no NPZ."""
    said = refusal(written(X=X, y=[0] * 4)[part], file_format="npz")[1]
    assert said.startswith("is no NPZ that can be read: ")


def test_flipped_bit_is_found(refusal: Refusal) -> None:
    """A number that is not what was written is found by its checksum."""
    content = bytearray(written(X=X.astype("f8"), y=[0] * 4))
    content[content.index(np.float64(5).tobytes())] ^= 1
    assert "CRC" in refusal(bytes(content))[1]
