"""Large tables in JSON, read piece by piece.

Reading ten megabytes of JSON takes a tenth of a second in which no other thread of this process runs, wherever it is
done. So large tables are read in pieces, in a thread, and between two of them the event loop gets its turn.
"""

import re
import time
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from juniper_common.wire.rows import ROWS, VALUES, Table, TablesRead

PIECE_BYTES = 1 << 15

AFTER_A_ROW = re.compile(rb"\]\s*(,)")
AFTER_A_VALUE = re.compile(rb"(,)")

_TABLE = re.compile(rb'"(?:train|val)_[xy]"\s*:\s*(\[)\s*(\[?)')
_END_OF_ROWS = re.compile(rb"\]\s*(\])")
_END_OF_VALUES = re.compile(rb"(\])")


def pieces(elements: bytes, comma: re.Pattern[bytes]) -> Iterator[bytes]:
    """What stands between the brackets of a list, as shorter lists, each of them JSON if the whole is.

    Args:
        elements: all of them.
        comma: finds one between two elements, as its first group.
    """
    start = 0
    while cut := comma.search(elements, start + PIECE_BYTES):
        yield b"[" + elements[start : cut.start(1)] + b"]"
        start = cut.end(1)
        time.sleep(0)  # lets the event loop run
    yield b"[" + elements[start:] + b"]"


def cut_out(body: bytes) -> tuple[bytes, TablesRead]:
    """A body with a string in place of each table of inline data, and these tables.

    What is taken for a table reads as one from bracket to bracket, or is a mistake: nothing else passes for rows.
    """
    rest, tables, at = [], dict[str, Table | ValidationError](), 0
    while start := _TABLE.search(body, at):
        end = (_END_OF_ROWS if start[2] else _END_OF_VALUES).search(body, start.end())
        if end is None:
            break
        elements = body[start.end(1) : end.start(1)]
        mark = f"table {len(tables)}"
        tables[mark] = _read(elements, ROWS, AFTER_A_ROW) if start[2] else _read(elements, VALUES, AFTER_A_VALUE)
        rest += [body[at : start.start(1)], f'"{mark}"'.encode()]
        at = end.end()
    return b"".join([*rest, body[at:]]), TablesRead(tables)


def _read(elements: bytes, adapter: TypeAdapter[Table], comma: re.Pattern[bytes]) -> Table | ValidationError:
    read: list[list[float] | float] = []
    for piece in pieces(elements, comma):
        try:
            read.extend(adapter.validate_json(piece, strict=True))
        except ValidationError as error:
            return _further_down(error, len(read))
    return read  # type: ignore[return-value] # of one kind, since one adapter has read all of it


def _further_down(error: ValidationError, rows_before: int) -> ValidationError:
    """The same error of a piece as one of its table."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    row, *column = problem["loc"] or (0,)
    kind = PydanticCustomError(problem["type"], problem["msg"])
    place = (rows_before + int(row), *column)
    return ValidationError.from_exception_data(error.title, [InitErrorDetails(type=kind, loc=place, input=None)])
