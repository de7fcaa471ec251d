"""NPZ artifacts: the same arrays always give the same bytes, and nothing is ever unpickled."""

import zipfile
from collections.abc import Mapping
from typing import IO

import numpy as np
from numpy.typing import NDArray

# A zip entry has a time; this one, the earliest there is, keeps the bytes a function of the arrays.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


def write_npz(file: IO[bytes], arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the arrays, uncompressed, to a seekable file."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _ENTRY_TIME)
            # force_zip64: the size is not known before the entry is written.
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def read_npz(file: IO[bytes], names: tuple[str, ...]) -> tuple[NDArray[np.float32], ...]:
    """The named arrays, in the order asked for, from a file at its start.

    Raises:
        ValueError: the file is no NPZ of plain arrays, or one is missing.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            return tuple(np.asarray(archive[name], dtype=np.float32) for name in names)
    except (EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"no NPZ with {', '.join(names)}: {error}") from error
