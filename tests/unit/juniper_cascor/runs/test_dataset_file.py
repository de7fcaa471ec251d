"""Files that runs train on."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from juniper_cascor.runs import dataset_file
from juniper_cascor.runs.dataset_file import DatasetFileError, KeptFiles, TrainingData

X = np.arange(8, dtype=np.float32).reshape(4, 2)
Y = np.array([[0], [1], [1], [0]], np.float32)


def test_the_same_data_is_kept_once_under_its_checksum(tmp_path: Path) -> None:
    """The name of a file is the sha256 of its content."""
    path, checksum = dataset_file.write(tmp_path, TrainingData(X, Y, None, None))
    assert dataset_file.write(tmp_path, TrainingData(X, Y, None, None)) == (path, checksum)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == checksum == path.stem
    assert list(tmp_path.iterdir()) == [path]
    data = dataset_file.read(path)
    np.testing.assert_array_equal(data.x, X)
    np.testing.assert_array_equal(data.y, Y)
    assert data.x_val is None


def test_a_damaged_file_is_written_again(tmp_path: Path) -> None:
    """The same rows are posted once more: then they can be trained on."""
    path, _ = dataset_file.write(tmp_path, TrainingData(X, Y, None, None))
    path.write_bytes(b"damaged")
    dataset_file.write(tmp_path, TrainingData(X, Y, None, None))
    np.testing.assert_array_equal(dataset_file.read(path).x, X)


def test_images_are_rows_of_their_pixels(tmp_path: Path) -> None:
    """A dataset may hold rows of rows; a network has inputs in one row."""
    images = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    np.savez(tmp_path / "images.npz", X_train=images, y_train=Y[:3], X_test=images, y_test=Y[:3])
    data = dataset_file.read(tmp_path / "images.npz")
    np.testing.assert_array_equal(data.x, images.reshape(3, 4))
    assert data.x_val is not None
    assert data.x_val.shape == (3, 4)


def test_a_file_is_kept_where_it_is_what_its_name_says(tmp_path: Path) -> None:
    """Neither one that is damaged, nor one that is not there."""
    path, _ = dataset_file.write(tmp_path, TrainingData(X, Y, None, None))
    files = KeptFiles()
    assert files.has(path)
    path.write_bytes(b"damaged")
    assert not files.has(path)
    path.unlink()
    assert not files.has(path)


def test_what_is_kept_is_young_and_read_once(tmp_path: Path) -> None:
    """It is not deleted before its run is known; a change that the file does not show is not seen."""
    path, _ = dataset_file.write(tmp_path, TrainingData(X, Y, None, None))
    os.utime(path, (1, 1))
    files = KeptFiles()
    assert files.has(path)
    found = path.stat()
    assert found.st_mtime > 1
    path.write_bytes(bytes(found.st_size))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert files.has(path)


@pytest.mark.parametrize(("names", "watched"), [(("test",), "test"), (("test", "val"), "val"), ((), None)])
def test_what_is_held_out_is_watched(tmp_path: Path, names: tuple[str, ...], watched: str | None) -> None:
    """Validation patterns are watched, else test patterns, else none; empty ones do not count."""
    arrays = {"X_train": X, "y_train": Y, "X_test": X[:0], "y_test": Y[:0]}
    for index, name in enumerate(names, start=1):
        arrays |= {f"X_{name}": X[:index], f"y_{name}": Y[:index]}
    np.savez(tmp_path / "a.npz", allow_pickle=False, **arrays)
    data = dataset_file.read(tmp_path / "a.npz")
    assert (None if data.x_val is None else len(data.x_val)) == (names.index(watched) + 1 if watched else None)


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    """Text, a missing array and a pickled object alike."""
    text, missing, pickled = tmp_path / "text.npz", tmp_path / "missing.npz", tmp_path / "pickled.npz"
    text.write_text("hello")
    np.savez(missing, allow_pickle=False, X_train=X)
    np.savez(pickled, X_train=np.array([{"a": 1}], dtype=object), y_train=Y)
    for path in (text, missing, pickled):
        with pytest.raises(DatasetFileError, match=f"{path.name} is no dataset"):
            dataset_file.read(path)
