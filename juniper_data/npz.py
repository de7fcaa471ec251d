"""NPZ artifacts: the same arrays always give the same bytes, and nothing is ever unpickled."""

import math
import os
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# A zip entry has a time; this one, the earliest there is, keeps the bytes a function of the arrays.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)

_PIECE_BYTES = 4 << 20

# NumPy's own reader takes more, with Python's parser, which a hostile header can bring to many kinds of errors.
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(rb"\{'descr': '<f4', 'fortran_order': False, 'shape': \((\d[\d, ]*)\), \} *\n")


def write_npz(file: IO[bytes], arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Write the arrays, uncompressed, to a seekable file. The bytes are those of NumPy's own `write_array`."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            write_array(archive, name, array.shape, [array])


def write_array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], pieces: Iterable[NDArray[np.float32]]
) -> None:
    """Write an array that comes in pieces, row after row."""
    # force_zip64: the size is not known before the entry is written.
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _ENTRY_TIME), "w", force_zip64=True) as member:
        npy.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for piece in pieces:
            content = np.ascontiguousarray(piece, "<f4").reshape(-1).view(np.uint8).data
            for start in range(0, len(content), _PIECE_BYTES):
                member.write(content[start : start + _PIECE_BYTES])


def write_texts(archive: zipfile.ZipFile, name: str, texts: NDArray[np.str_]) -> None:
    """Write an array of texts, which needs no pickle either."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _ENTRY_TIME), "w", force_zip64=True) as member:
        npy.write_array(member, texts, version=(1, 0), allow_pickle=False)


def read_rows(file: IO[bytes], name: str, n: int) -> NDArray[np.float32]:
    """The first `n` rows of one array of an artifact, which is never read further, no matter how large it is.

    Takes what `write_npz` writes, and nothing else.

    Raises:
        ValueError: the file is no NPZ of such arrays, or it has no array of that name.
    """
    with _opened(file, name) as (member, (n_rows, *row)):
        shape = (min(n, n_rows), *row)
        return np.frombuffer(member.read(4 * math.prod(shape)), dtype="<f4").reshape(shape)


def read_pieces(file: IO[bytes], name: str) -> Iterator[NDArray[np.float32]]:
    """All rows of one array of an artifact, some at a time. Raises as `read_rows`."""
    with _opened(file, name) as (member, (n_rows, *row)):
        step = max(1, _PIECE_BYTES // max(1, 4 * math.prod(row)))
        for start in range(0, n_rows, step):
            shape = (min(step, n_rows - start), *row)
            yield np.frombuffer(member.read(4 * math.prod(shape)), dtype="<f4").reshape(shape)


def read_picked(file: IO[bytes], name: str, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """The rows of one array at these places, ascending. Raises as `read_rows`."""
    picked, start = [read_rows(file, name, 0)], 0
    for piece in read_pieces(file, name):
        first, last = np.searchsorted(places, [start, start + len(piece)])
        picked.append(piece[places[first:last] - start])
        start += len(piece)
    return np.concatenate(picked)


@contextmanager
def _opened(file: IO[bytes], name: str) -> Iterator[tuple[IO[bytes], list[int]]]:
    """An array's entry, at its first row, and its shape."""
    try:
        with zipfile.ZipFile(file) as archive:
            entry = archive.getinfo(f"{name}.npy")
            size = file.seek(0, os.SEEK_END)
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size:
                raise ValueError(f"{name} is not stored as it is")
            with archive.open(entry) as member:
                yield member, _read_shape(member, entry.file_size)
    # RuntimeError: an encrypted entry, or a later version of zip. OSError: an entry that starts before the file does.
    except (EOFError, KeyError, OSError, RuntimeError, struct.error, zipfile.BadZipFile) as error:
        raise ValueError(f"no NPZ with {name}: {error}") from error


def _read_shape(member: IO[bytes], size: int) -> list[int]:
    """The shape that the header of an entry of so many bytes states; the entry is then at its first row."""
    start = member.read(len(_MAGIC) + 2)
    header = _HEADER.fullmatch(member.read(int.from_bytes(start[-2:], "little")))
    if not start.startswith(_MAGIC) or header is None:
        raise ValueError("not an array of float32, row after row")
    shape = [int(length) for length in header[1].split(b",") if length.strip()]
    # Memory is taken for what the entry holds, not for what its header says.
    if member.tell() + 4 * math.prod(shape) != size:
        raise ValueError(f"{size} bytes are no array of shape {shape}")
    return shape
