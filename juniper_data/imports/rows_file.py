"""Rows of numbers on disk, in files without a name: they are gone when the process is, however it ends."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedRandom
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from juniper_data.imports.refusals import refused

Numbers = NDArray[np.floating]
"""Of float32 or float64."""

MAX_DATA_BYTES = 4 << 30
"""A file that makes more of itself than this, at four bytes a number, is refused."""

PIECE_BYTES = 1 << 20
"""About so much of the rows is in memory at once."""


class Scratch(ExitStack):
    """The files that are needed while a file is read.

    Args:
        folder: the one whose disk they take.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def new_file(self) -> BufferedRandom:
        """An empty file, which is gone at the end of the `with` at the latest."""
        return self.enter_context(tempfile.TemporaryFile(dir=self._folder))


class RowsFile:
    """A matrix that is written row by row and read in pieces.

    Args:
        scratch: makes its file.
        width: numbers in a row.
        dtype: float32, or float64 where more digits are needed before the data is cut to float32.
    """

    def __init__(self, scratch: Scratch, width: int, dtype: DTypeLike) -> None:
        self.width = width
        self.dtype = np.dtype(dtype)
        self.row_bytes = width * self.dtype.itemsize
        self.piece_rows = max(1, PIECE_BYTES // self.row_bytes)
        self.n = 0
        self._file = scratch.new_file()

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def append(self, rows: Numbers) -> None:
        """Take rows [n, width]. Raises UnreadableFileError where they become too many."""
        check_size(self.n + len(rows), self.width)
        self.write(self.n, rows)

    def write(self, start: int, rows: Numbers) -> None:
        """Put rows [n, width] at their place."""
        self._file.seek(start * self.row_bytes)
        self._file.write(_bytes(np.ascontiguousarray(rows, dtype=self.dtype)))
        self.n = max(self.n, start + len(rows))

    def read(self, start: int, stop: int) -> Numbers:
        """The rows [stop − start, width]."""
        rows = np.empty((stop - start, self.width), self.dtype)
        self._file.seek(start * self.row_bytes)
        self._file.readinto(_bytes(rows))
        return rows

    def pieces(self, start: int, stop: int) -> Iterator[Numbers]:
        """The rows from `start` to `stop`, some at a time."""
        for first in range(start, stop, self.piece_rows):
            yield self.read(first, min(stop, first + self.piece_rows))


class ColumnsFile:
    """A matrix that is written column by column and read row by row."""

    def __init__(self, scratch: Scratch, n: int, dtype: np.dtype[np.generic]) -> None:
        self._n = n
        self._dtype = dtype
        self._end = 0
        self._file = scratch.new_file()

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def append(self, numbers: NDArray[np.generic]) -> None:
        """The next numbers [k] down the column; after `n` of them the next column begins."""
        self._end += self._file.write(_bytes(numbers))

    def rewind(self, n: int) -> None:
        """Begin another matrix, of `n` rows, in the same place."""
        self._n = n
        self._end = 0
        self._file.seek(0)

    def pieces(self) -> Iterator[NDArray[np.generic]]:
        """The rows, some at a time. Raises EOFError where the columns are not all equally long."""
        if self._n == 0:
            return
        column_bytes = self._n * self._dtype.itemsize
        width, rest = divmod(self._end, column_bytes)
        if rest:
            raise EOFError("a column ends before the others")
        piece_rows = max(1, PIECE_BYTES // (width * self._dtype.itemsize))
        for first in range(0, self._n, piece_rows):
            columns = np.empty((width, min(piece_rows, self._n - first)), self._dtype)
            for j in range(width):
                self._file.seek(j * column_bytes + first * self._dtype.itemsize)
                self._file.readinto(_bytes(columns[j]))
            yield columns.T


def _bytes(numbers: NDArray[np.generic]) -> memoryview:
    return numbers.reshape(-1).view(np.uint8).data


def check_size(n: int, width: int) -> None:
    """Refuse more rows of this width than a dataset can be made of."""
    if n * width * 4 > MAX_DATA_BYTES:
        raise refused(f"holds more than {MAX_DATA_BYTES >> 30} GiB of numbers, at four bytes each")
