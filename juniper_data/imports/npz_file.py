"""Reads NPZ: arrays by name, numbers only. Nothing is ever unpickled, and no array is in memory as a whole."""

import errno
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from typing import IO

import numpy as np
from numpy.typing import NDArray

from juniper_data.imports.labels import MAX_CLASSES, Target
from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.refusals import listed, refused, shown
from juniper_data.imports.rows_file import PIECE_BYTES, ColumnsFile, RowsFile, Scratch, check_size
from juniper_data.imports.table import MAX_COLUMNS, Samples

_WHOLE = (("X", "y"), ("X_full", "y_full"))
_SPLITS = ("train", "test", "val")
_MAX_HEADER = 10_000

# What zipfile and its decompressor raise where an archive is broken, encrypted or of an unknown kind.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# What NumPy raises where a header is no header; it reads them with Python's own parser.
_NO_HEADER = (ValueError, KeyError, TypeError, SyntaxError, RecursionError, tokenize.TokenError)

Matrix = NDArray[np.generic]


def read_npz(file: BufferedReader, parameters: ImportParameters, scratch: Scratch) -> Samples:
    """The samples of `X` and `y` (or `X_full` and `y_full`), or of splits: `X_train` and `y_train`, with others.

    `y` is one-hot [n, classes] or holds class indices [n]; where `one_hot_labels` is false, it holds numbers to
    predict, [n] or [n, targets].

    Raises:
        UnreadableFileError: names the array, the row and the column, both from 0 as numpy counts.
    """
    if parameters.feature_columns is not None:
        raise refused("an NPZ has no names of columns to choose from", "feature_columns")
    try:
        with zipfile.ZipFile(file) as archive, ExitStack() as opened:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            pairs = _pairs(members)
            arrays = [
                (_Array.opened(archive, members[X], X, opened), _Array.opened(archive, members[y], y, opened))
                for X, y in pairs
            ]
            return _samples(arrays, parameters, scratch, has_splits=pairs[0][0] == "X_train")
    except _BROKEN as error:
        raise refused(f"is no NPZ that can be read: {str(error)[:200]}") from None
    except OSError as error:
        # An entry that begins before the file does.
        if error.errno != errno.EINVAL:
            raise
        raise refused("is no NPZ that can be read: it begins too late") from None


def _pairs(names: dict[str, zipfile.ZipInfo]) -> list[tuple[str, str]]:
    splits = [(f"X_{split}", f"y_{split}") for split in _SPLITS]
    if any(name in names for name in splits[0]):
        pairs = [splits[0], *(pair for pair in splits[1:] if any(name in names for name in pair))]
    else:
        pairs = [next((pair for pair in _WHOLE if any(name in names for name in pair)), _WHOLE[0])]
    for X, y in pairs:
        if X not in names or y not in names:
            missing = X if X not in names else y
            raise refused(f"has no array {missing!r}; there are: {listed(names)}")
    return pairs


@dataclass(frozen=True, slots=True)
class _Array:
    """An array of an archive, read from its first row to its last."""

    name: str
    member: IO[bytes]
    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    is_fortran: bool

    @classmethod
    def opened(cls, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, opened: ExitStack) -> "_Array":
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise refused(f"array {name!r} is compressed in a way that is not read; numpy.savez_compressed's is")
        member = opened.enter_context(archive.open(info))
        try:
            version = np.lib.format.read_magic(member)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, is_fortran, dtype = read_header(member, max_header_size=_MAX_HEADER)
        except _NO_HEADER:
            raise refused(f"array {name!r} is not in numpy's format") from None
        if dtype.hasobject:
            raise refused(f"array {name!r} holds Python objects, which are never read; save it with a dtype of numbers")
        if dtype.kind not in "biuf" or dtype.subdtype is not None:
            raise refused(f"array {name!r} holds {dtype}, no real numbers")
        n_dimensions = (2,) if name.startswith("X") else (1, 2)
        if len(shape) not in n_dimensions or any(length < 0 for length in shape):
            wanted = " or ".join(str(n) for n in n_dimensions)
            raise refused(f"array {name!r} has shape {shown(shape)}; {wanted} dimensions are needed")
        width = shape[1] if len(shape) == 2 else 1
        if not 1 <= width <= MAX_COLUMNS:
            raise refused(f"array {name!r} has {width} columns; 1 to {MAX_COLUMNS} can be")
        check_size(shape[0], width)
        if info.file_size - member.tell() != shape[0] * width * dtype.itemsize:
            raise refused(f"array {name!r} does not hold as many numbers as its shape says")
        return cls(name, member, (shape[0], width), dtype, is_fortran and width > 1)

    def pieces(self, piece_rows: int, scratch: Scratch) -> Iterator[Matrix]:
        """The rows, so many at a time."""
        n, width = self.shape
        if self.is_fortran and n:
            yield from _regrouped(self._transposed(scratch), piece_rows)
            return
        for first in range(0, n, piece_rows):
            k = min(piece_rows, n - first)
            yield np.frombuffer(self._read(k * width * self.dtype.itemsize), self.dtype).reshape(k, width)

    def _transposed(self, scratch: Scratch) -> Iterator[Matrix]:
        columns = ColumnsFile(scratch, self.shape[0], self.dtype)
        left = math.prod(self.shape) * self.dtype.itemsize
        while left:
            # Not cut between the bytes of a number.
            size = min(left, PIECE_BYTES // self.dtype.itemsize * self.dtype.itemsize)
            columns.append(np.frombuffer(self._read(size), self.dtype))
            left -= size
        yield from columns.pieces()
        columns.close()

    def _read(self, size: int) -> bytes:
        # zipfile gives what there is, and checks the checksum at the end.
        content = self.member.read(size)
        if len(content) != size:
            raise EOFError(f"array {self.name!r} ends early")
        return content


def _regrouped(pieces: Iterator[Matrix], piece_rows: int) -> Iterator[Matrix]:
    """The same rows, so many at a time."""
    waiting: Matrix | None = None
    for piece in pieces:
        waiting = piece if waiting is None else np.concatenate([waiting, piece])
        while len(waiting) >= piece_rows:
            yield waiting[:piece_rows]
            waiting = waiting[piece_rows:]
    if waiting is not None and len(waiting):
        yield waiting


def _samples(
    arrays: list[tuple[_Array, _Array]], parameters: ImportParameters, scratch: Scratch, *, has_splits: bool
) -> Samples:
    X, y = arrays[0]
    if X.shape[0] == 0:
        raise refused(f"array {X.name!r} has no rows")
    is_classification = parameters.one_hot_labels
    is_one_hot = is_classification and y.shape[1] > 1
    if is_one_hot and y.shape[1] > MAX_CLASSES:
        raise refused(f"array {y.name!r} has {y.shape[1]} columns; at most {MAX_CLASSES} classes can be")
    n_targets = 1 if is_classification else y.shape[1]
    dtype = np.float64 if parameters.normalize_features else np.float32
    rows = RowsFile(scratch, X.shape[1] + n_targets, dtype)
    highest = 0
    for each_X, each_y in arrays:
        _check_fit(each_X, each_y, X, y)
        piece_rows = max(1, PIECE_BYTES // ((X.shape[1] + y.shape[1]) * 8))
        first = 0
        both = zip(each_X.pieces(piece_rows, scratch), each_y.pieces(piece_rows, scratch), strict=True)
        for X_piece, y_piece in both:
            piece = np.empty((len(X_piece), rows.width), rows.dtype)
            piece[:, : X.shape[1]] = _numbers(X_piece, each_X.name, first)
            if is_one_hot:
                piece[:, -1] = _hot(y_piece, each_y.name, first)
            elif is_classification:
                piece[:, -1] = _indices(y_piece, each_y.name, first)
                highest = max(highest, int(piece[:, -1].max()))
            else:
                piece[:, X.shape[1] :] = _numbers(y_piece, each_y.name, first)
            rows.append(piece)
            first += len(piece)
    if is_classification:
        n_classes = y.shape[1] if is_one_hot else highest + 1
        target = Target(n_classes, n_classes, np.arange(n_classes))
    else:
        target = Target(0, n_targets)
    sizes = [each.shape[0] for each, _ in arrays]
    by_name = dict(zip((each.name for each, _ in arrays), sizes, strict=True))
    split_sizes = (by_name["X_train"], by_name.get("X_test", 0), by_name.get("X_val", 0)) if has_splits else None
    return Samples(rows, target, split_sizes=split_sizes)


def _check_fit(X: _Array, y: _Array, first_X: _Array, first_y: _Array) -> None:
    if X.shape[0] != y.shape[0]:
        raise refused(f"array {X.name!r} has {X.shape[0]} rows, {y.name!r} {y.shape[0]}")
    for array, first in ((X, first_X), (y, first_y)):
        if array.shape[1] != first.shape[1]:
            raise refused(f"array {array.name!r} has {array.shape[1]} columns, {first.name!r} {first.shape[1]}")


def _numbers(piece: Matrix, name: str, first: int) -> NDArray[np.float64]:
    numbers = piece.astype(np.float64)
    with np.errstate(over="ignore"):
        is_odd = ~np.isfinite(numbers.astype(np.float32))
    if is_odd.any():
        row, column = np.argwhere(is_odd)[0].tolist()
        value = float(numbers[row, column])
        what = "is too large for a 32-bit number" if math.isfinite(value) else "is no finite number"
        raise refused(f"array {name!r}, row {first + row}, column {column}: {value} {what}")
    return numbers


def _hot(piece: Matrix, name: str, first: int) -> NDArray[np.int64]:
    is_one = piece == 1
    is_bad = (is_one.sum(axis=1) != 1) | (~is_one & (piece != 0)).any(axis=1)
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        raise refused(f"array {name!r}, row {first + row}: is not one-hot: exactly one 1, all else 0")
    return np.asarray(is_one.argmax(axis=1), np.int64)


def _indices(piece: Matrix, name: str, first: int) -> NDArray[np.float64]:
    indices = piece[:, 0].astype(np.float64)
    is_bad = ~((indices >= 0) & (indices < MAX_CLASSES) & (indices == np.floor(indices)))
    if is_bad.any():
        row = int(np.flatnonzero(is_bad)[0])
        message = f"array {name!r}, row {first + row}: {indices[row]:g} is no class index from 0 to {MAX_CLASSES - 1}"
        raise refused(f"{message}; one_hot_labels=false takes numbers to predict")
    return indices
