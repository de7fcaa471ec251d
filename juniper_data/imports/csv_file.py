"""Reads a CSV: fast as long as all is well, carefully from the first row that is not.

Both ways read the same language: cells may be quoted, spaces around a number do not count, empty lines are passed
over. The careful one knows which line it is on.
"""

import csv
import io
import os
from collections.abc import Iterator
from io import BufferedReader
from typing import TYPE_CHECKING

import numpy as np

from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.refusals import refused
from juniper_data.imports.rows_file import PIECE_BYTES, Numbers, Scratch
from juniper_data.imports.table import Samples, Table
from juniper_data.imports.text_file import MAX_LINE_BYTES, lines, seek_text

if TYPE_CHECKING:
    import pyarrow
    from _typeshed import WriteableBuffer

_BLOCK_BYTES = 1 << 18
# Arrow takes memory for each column, however short the file is.
_MAX_FAST_COLUMNS = 2_000


class _NotFastError(Exception):
    """A row that needs care."""


def read_csv(file: BufferedReader, parameters: ImportParameters, scratch: Scratch) -> Samples:
    """The samples of a CSV.

    Raises:
        UnreadableFileError: names the line and the column.
    """
    import pyarrow as pa

    first = next(_records(file, parameters.delimiter), None)
    if first is None:
        raise refused("is empty")
    names = tuple(cell.strip() for cell in first[1]) if parameters.header else _numbered(len(first[1]))
    table = Table(names, parameters, scratch)
    first_end = file.tell()
    start = first_end if parameters.header else seek_text(file)
    # A row must fit into a block; those of a wide table are about as long as its first.
    block_bytes = min(max(_BLOCK_BYTES, 16 * first_end), MAX_LINE_BYTES)
    try:
        if len(names) > _MAX_FAST_COLUMNS:
            raise _NotFastError
        for rows in _fast(file, start, names, table, parameters.delimiter, block_bytes):
            table.add(rows)
    except (pa.ArrowInvalid, _NotFastError):
        for rows in _careful(file, names, table, parameters):
            table.add(rows)
    return table.samples()


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(f"c{j}" for j in range(n))


def _fast(
    file: BufferedReader, start: int, names: tuple[str, ...], table: Table, delimiter: str, block_bytes: int
) -> Iterator[Numbers]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(table.features, pa.float64())
    types[table.label] = pa.dictionary(pa.int32(), pa.string()) if table.is_classification else pa.float64()
    reader = arrow_csv.open_csv(
        _From(file, start),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=block_bytes, use_threads=False),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types,
            include_columns=table.columns,
            null_values=[""] if table.takes_empty else [],
            strings_can_be_null=True,
        ),
    )
    with reader:
        for batch in reader:
            rows = table.empty_rows(batch.num_rows)
            with np.errstate(over="ignore"):
                for j, column in enumerate(batch.columns[:-1]):
                    rows[:, j] = column.to_numpy(zero_copy_only=False)
                rows[:, -1] = _targets(batch.columns[-1], table)
            n_empty = sum(column.null_count for column in batch.columns)
            # Whatever else is not finite was written so, or is too large.
            if np.isfinite(rows).sum() + n_empty != rows.size:
                raise _NotFastError
            yield rows


def _targets(column: "pyarrow.Array", table: Table) -> Numbers:
    if not table.is_classification:
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    labels = [text if text.strip() else None for text in column.dictionary.to_pylist()]
    if None in labels:
        raise _NotFastError
    codes = table.codes.codes(labels)
    positions = np.asarray(column.indices.to_numpy(zero_copy_only=False))
    if column.null_count == 0:
        return np.asarray(codes[positions])
    targets = np.full(len(positions), np.nan)
    is_there = ~np.isnan(positions)
    targets[is_there] = codes[positions[is_there].astype(np.int64)]
    return targets


def _careful(
    file: BufferedReader, names: tuple[str, ...], table: Table, parameters: ImportParameters
) -> Iterator[Numbers]:
    """What comes after the rows that the table has seen."""
    records = _records(file, parameters.delimiter)
    for _ in range(table.n_seen + parameters.header):
        next(records)
    place_of = {name: j for j, name in enumerate(names)}
    places = [place_of[name] for name in table.columns]
    piece_rows = max(1, PIECE_BYTES // (100 * len(names)))
    rows: list[list[float]] = []
    for line, cells in records:
        place = f"line {line}"
        if len(cells) != len(names):
            raise refused(f"{place} has {len(cells)} cells, not {len(names)} as the others")
        chosen = [cells[j].strip() or None for j in places]
        numbers = [table.number(cell, name, place) for cell, name in zip(chosen[:-1], table.features, strict=True)]
        rows.append([*numbers, table.target(chosen[-1], place)])
        if len(rows) == piece_rows:
            yield np.array(rows)
            rows = []
    if rows:
        yield np.array(rows)


def _records(file: BufferedReader, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line it begins on, from 1."""
    reader = csv.reader(_text(file), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # Python's own advice here is about the opening of files.
            reason = "lines end with LF or CRLF, not with CR alone" if "new-line character" in str(error) else error
            raise refused(f"line {line}: {reason}") from None
        if cells is None:
            return
        if cells:
            yield line, cells


def _text(file: BufferedReader) -> Iterator[str]:
    for n, line in enumerate(lines(file), 1):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise refused(f"line {n} is no UTF-8") from None


class _From(io.RawIOBase):
    """A file from a place on. It has a position of its own, and may be closed as Arrow closes it."""

    def __init__(self, file: BufferedReader, start: int) -> None:
        self._descriptor = file.fileno()
        self._position = start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        n = os.preadv(self._descriptor, [buffer], self._position)
        self._position += n
        return n
