"""Reads JSON: one array of records, or a record a line."""

from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from types import MappingProxyType

import numpy as np
import orjson

from juniper_data.imports.parameters import ImportParameters
from juniper_data.imports.refusals import refused, shown
from juniper_data.imports.rows_file import PIECE_BYTES, Scratch
from juniper_data.imports.table import Samples, Table
from juniper_data.imports.text_file import beginning, lines, seek_text

# A text that does not fit is looked at from its start again with each further buffer.
_BUFFER_BYTES = 1 << 20

Record = dict[str, object]


class _Nested:
    """Stands for a value that holds others."""

    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __repr__(self) -> str:
        return self._shown


_NESTED: Mapping[str, object] = MappingProxyType({"start_map": _Nested("{…}"), "start_array": _Nested("[…]")})


def read_json(file: BufferedReader, parameters: ImportParameters, scratch: Scratch) -> Samples:
    """The samples of records whose keys are the columns; the first says which there are.

    A key that a record lacks is an empty cell, as is null. A key that the first record lacks is refused where it
    would have to be a feature.

    Raises:
        UnreadableFileError: names the record (from 1) and the key.
    """
    records = _array(file) if beginning(file).startswith(b"[") else _lines(file)
    table: Table | None = None
    keys: frozenset[str] = frozenset()
    rows: list[list[float]] = []
    for n, record in enumerate(records, 1):
        place = f"record {n}"
        if not isinstance(record, dict):
            raise refused(f"{place} is {shown(record)}, not an object of names and numbers")
        if table is None:
            table = Table(tuple(record), parameters, scratch)
            keys = frozenset(record)
        if parameters.feature_columns is None and not record.keys() <= keys:
            name = min(record.keys() - keys)
            raise refused(f"{place} has {shown(name)}, which the first record has not; choose feature_columns")
        rows.append(_row(record, table, place))
        if len(rows) * table.rows.width * 100 > PIECE_BYTES:
            table.add(np.array(rows))
            rows = []
    if table is None:
        raise refused("has no records")
    if rows:
        table.add(np.array(rows))
    return table.samples()


def _row(record: Record, table: Table, place: str) -> list[float]:
    for name in table.features if table.is_classification else table.columns:
        if isinstance(record.get(name), str):
            raise refused(f"{place}, column {shown(name)}: {shown(record[name])} is text, no number")
    numbers = [table.number(record.get(name), name, place) for name in table.features]
    return [*numbers, table.target(record.get(table.label), place)]


def _lines(file: BufferedReader) -> Iterator[object]:
    for n, line in enumerate(lines(file), 1):
        if not line.strip():
            continue
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise refused(f"line {n} is no JSON: {error}") from None
        except SystemError as error:
            raise MemoryError from error  # orjson's way to say so


def _array(file: BufferedReader) -> Iterator[object]:
    import ijson

    seek_text(file)
    n = 0
    try:
        for record in _records(ijson.basic_parse(file, use_float=True, buf_size=_BUFFER_BYTES)):
            n += 1
            yield record
    # ValueError: of a whole number with too many digits.
    except (ijson.JSONError, ValueError) as error:
        message = str(error).split("\n", 1)[0]
        raise refused(f"is no JSON after record {n}: {message}") from None


def _records(events: Iterable[tuple[str, object]]) -> Iterator[object]:
    """What stands in the outermost array. Values deeper than a record's own are left out, however deep they are."""
    depth = 0
    record: Record = {}
    key = ""
    for event, value in events:
        if event == "map_key":
            key = str(value)
        elif event in ("end_map", "end_array"):
            depth -= 1
            if depth == 1 and event == "end_map":
                yield record
        else:
            if depth == 1 and event == "start_map":
                record = {}
            elif depth == 1:
                yield _NESTED.get(event, value)
            elif depth == 2:
                record[key] = _NESTED.get(event, value)
            depth += event in _NESTED
