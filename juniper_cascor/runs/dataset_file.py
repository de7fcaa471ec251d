"""The arrays a run trains on, as one NPZ file that outlives the run: a run can only be repeated with its data."""

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from juniper_cascor.recently_used import RecentlyUsed
from juniper_common.atomic_file import replace_atomically

Matrix = NDArray[np.float32]

REMEMBERED = 1_000
"""Files of which is known whether they are whole."""


class DatasetFileError(ValueError):
    """The file is no dataset."""


@dataclass(frozen=True)
class TrainingData:
    """What a training reads: x [n, inputs], y [n, outputs], and patterns that are only watched, where there are any."""

    x: Matrix
    y: Matrix
    x_val: Matrix | None
    y_val: Matrix | None


def read(path: Path) -> TrainingData:
    """The data of a file. `X_val` is watched where it is there, else `X_test`.

    Raises:
        DatasetFileError: it is no NPZ, or an array is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            held_out = next((name for name in ("val", "test") if len(arrays.get(f"X_{name}", ()))), None)
            return TrainingData(
                x=_columns(arrays["X_train"]),
                y=_columns(arrays["y_train"]),
                x_val=None if held_out is None else _columns(arrays[f"X_{held_out}"]),
                y_val=None if held_out is None else _columns(arrays[f"y_{held_out}"]),
            )
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DatasetFileError(f"{path.name} is no dataset: {error}") from error


def write(folder: Path, data: TrainingData) -> tuple[Path, str]:
    """Keep arrays under the sha256 of their file; returns the path and that checksum."""
    buffer = io.BytesIO()
    arrays = {"X_train": data.x, "y_train": data.y}
    if data.x_val is not None and data.y_val is not None:
        arrays |= {"X_val": data.x_val, "y_val": data.y_val}
    np.savez(buffer, allow_pickle=False, **arrays)
    return keep(folder, buffer.getvalue())


def keep(folder: Path, content: bytes) -> tuple[Path, str]:
    """Keep a dataset file under its sha256, atomically; one that is there is written again where it was damaged."""
    checksum = hashlib.sha256(content).hexdigest()
    path = folder / f"{checksum}.npz"
    if not (_touched(path) and _is_whole(path)):
        folder.mkdir(parents=True, exist_ok=True)
        replace_atomically(path, content)
    return path, checksum


class KeptFiles:
    """Knows which files are kept: there, and with the sha256 that is their name. For any threads.

    A file is read to be checked, so what was found is remembered for as long as it stays as it is.
    """

    def __init__(self) -> None:
        self._whole = RecentlyUsed[bool](REMEMBERED)

    def has(self, path: Path) -> bool:
        """Whether it is kept. It counts as just written then, so that it is not deleted before its run is known."""
        try:
            found = _identity(path)
            if not _touched(path):
                return False
            is_whole = self._whole.get(found, lambda: _is_whole(path))
            return self._whole.get(_identity(path), lambda: is_whole)
        except FileNotFoundError:
            return False


def _touched(path: Path) -> bool:
    """Make a file as young as one that was just written; False where it is not there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _is_whole(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
    except OSError:
        return False  # What cannot be read is of no use to a training: whoever writes it anew hears of a sick disk.


def _identity(path: Path) -> tuple[Path, int, int, int]:
    found = path.stat()
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def _columns(y: NDArray[np.float32]) -> Matrix:
    return y.reshape(len(y), -1)
