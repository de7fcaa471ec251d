"""NPZ files: arrays by name, none of them unpickled, checked before anything is trained on them."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from juniper_cascor import input_checks
from juniper_cascor.commands import files
from juniper_cascor.commands.errors import bad_data, first_line


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ; nothing is unpickled. Raises CommandError."""
    content = files.read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in archive.infolist()}
    except Exception as error:  # what a damaged file makes zipfile, zlib and NumPy raise is no closed list
        said = first_line(error) or type(error).__name__
        raise bad_data(path, f"is no NPZ of plain arrays: {said}", "numpy.savez writes one") from error


def inputs(path: Path, X: NDArray[Any], name: str) -> NDArray[Any]:
    """An array as patterns, [n, features], all finite; text that says numbers is taken as such.

    Raises:
        CommandError: naming array, row and column.
    """
    _check_kind(path, X, name)
    if X.ndim != 2:
        raise bad_data(path, f"{name} is {list(X.shape)}, not [patterns, features]", "reshape it")
    return values(path, X, name)


def targets(path: Path, y: NDArray[Any], name: str, n: int) -> NDArray[Any]:
    """An array as what n patterns are to give, [n] or [n, outputs] with more than one. Raises CommandError."""
    _check_kind(path, y, name)
    if y.ndim not in (1, 2) or len(y) != n:
        raise bad_data(
            path, f"{name} is {list(y.shape)}, and there are {n} patterns", f"reshape it to [{n}] or [{n}, outputs]"
        )
    if y.dtype.kind == "f":
        values(path, y, name)
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def values(path: Path, given: NDArray[Any], name: str) -> NDArray[Any]:
    """An array as finite numbers. Raises CommandError, naming row and column."""
    try:
        numbers = given if given.dtype in (np.float32, np.float64) else given.astype(np.float64)
        if numbers.size:
            input_checks.check_finite(numbers, name)
    except ValueError as error:
        problem = input_checks.first_word(given, name) or error
        raise bad_data(path, first_line(problem), "correct the data") from error
    return numbers


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        _check_size(file, member.file_size)
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _check_size(file: IO[bytes], size: int) -> None:
    """Refuse a header that promises more than there is before memory is taken for it."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if not dtype.hasobject and math.prod(shape) * dtype.itemsize > size:
        raise ValueError(f"{list(shape)} numbers of {dtype} are promised, and there are {size} bytes")


def _check_kind(path: Path, array: NDArray[Any], name: str) -> None:
    if array.dtype.kind not in "biufU":
        step = "save it as numbers, or labels as text (dtype=str)"
        raise bad_data(path, f"{name} is of {array.dtype}, neither numbers nor text", step)
