"""Rows in the body of a request: checked as their model says, then an array.

Reading ten megabytes of JSON takes a tenth of a second in which no other thread of this process runs, wherever it is
done. So a large body is read in pieces, in a thread, and between two of them the event loop gets its turn.
"""

import asyncio
import time
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import MAX_ROWS, PredictRows, Rows

PIECE_BYTES = 1 << 15

_ROWS = TypeAdapter[list[list[float]]](Rows)
_PLACEHOLDER = [[0.0]]
_SPACE = b" \t\n\r"

Asked = TypeVar("Asked", bound=PredictRows)


@dataclass(frozen=True)
class RowsAsked(Generic[Asked]):
    """What a body asks: `request` is all of it but the rows."""

    request: Asked
    values: NDArray[np.float64]  # of all rows, one after another
    lengths: NDArray[np.int64]  # of each row

    def matrix(self, n_inputs: int) -> NDArray[np.float64]:
        """The rows: [n, n_inputs]. Raises UnprocessableError naming the first row that is of another length."""
        wrong = np.flatnonzero(self.lengths != n_inputs)
        if len(wrong):
            row = int(wrong[0])
            problem = f"has {self.lengths[row]} values, the network takes {n_inputs}"
            raise UnprocessableError(f"rows.{row}: {problem}", (FieldProblem(loc=["rows", row], msg=problem),))
        return self.values.reshape(-1, n_inputs)


async def read_rows(request: Request, model: type[Asked]) -> RowsAsked[Asked]:
    """The JSON body as `model`. Raises UnprocessableError naming the first wrong row, its column and other fields."""
    body = await request.body()
    if len(body) <= PIECE_BYTES:
        return parsed(body, model)
    return await asyncio.to_thread(parsed, body, model)


def parsed(body: bytes, model: type[Asked]) -> RowsAsked[Asked]:
    """The same of a body's bytes."""
    return _in_pieces(body, model) or _whole(body, model)


def _whole(body: bytes, model: type[Asked]) -> RowsAsked[Asked]:
    try:
        asked = model.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise UnprocessableError.from_validation(error) from None
    return _joined(asked, [_Piece.of(asked.rows)])


def _in_pieces(body: bytes, model: type[Asked]) -> RowsAsked[Asked] | None:
    """What `_whole` answers; None where it can say better what is wrong, or nothing is gained.

    The rows are all that lies between the first and the last bracket, if the rest makes sense without it.
    """
    start, end = body.find(b"["), body.rfind(b"]")
    if not 0 <= start < end or end - start <= PIECE_BYTES:
        return None
    try:
        rest = model.model_validate_json(body[:start] + b"[[0]]" + body[end + 1 :])
        pieces = _pieces(body, start + 1, end)
    except ValidationError:
        return None
    if rest.rows != _PLACEHOLDER or pieces is None or sum(len(piece.lengths) for piece in pieces) > MAX_ROWS:
        return None
    return _joined(rest, pieces)


@dataclass(frozen=True)
class _Piece:
    values: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, rows: list[list[float]]) -> "_Piece":
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return cls(np.fromiter(chain.from_iterable(rows), np.float64, lengths.sum()), lengths)


def _pieces(body: bytes, start: int, end: int) -> list[_Piece] | None:
    """The rows between these places, read in pieces; None where no comma separates two.

    Raises:
        ValidationError: a row is wrong, or none follows a comma.
    """
    pieces = []
    while True:
        cut = body.find(b"]", min(start + PIECE_BYTES, end), end) + 1 or end
        pieces.append(_Piece.of(_ROWS.validate_json(b"[" + body[start:cut] + b"]")))
        rest = body[cut : min(cut + PIECE_BYTES, end)].lstrip(_SPACE)
        if not rest:
            return pieces if not body[cut:end].strip(_SPACE) else None
        if not rest.startswith(b","):
            return None
        start = body.index(b",", cut) + 1
        time.sleep(0)  # lets the event loop run


def _joined(asked: Asked, pieces: list[_Piece]) -> RowsAsked[Asked]:
    return RowsAsked(
        asked.model_copy(update={"rows": []}),
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate([piece.lengths for piece in pieces]),
    )
