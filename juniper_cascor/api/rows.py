"""Rows in the body of a request: checked as their model says, then an array; a large body is read in pieces."""

import asyncio
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from juniper_common import json_rows
from juniper_common.errors import UnprocessableError
from juniper_common.json_rows import PIECE_BYTES
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import MAX_ROWS, PredictRows, Rows

_ROWS = TypeAdapter[list[list[float]]](Rows)
_PLACEHOLDER = [[0.0]]

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
        listed = json_rows.pieces(body[start + 1 : end], json_rows.AFTER_A_ROW)
        pieces = [_Piece.of(_ROWS.validate_json(piece)) for piece in listed]
    except ValidationError:
        return None
    if rest.rows != _PLACEHOLDER or sum(len(piece.lengths) for piece in pieces) > MAX_ROWS:
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


def _joined(asked: Asked, pieces: list[_Piece]) -> RowsAsked[Asked]:
    return RowsAsked(
        asked.model_copy(update={"rows": []}),
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate([piece.lengths for piece in pieces]),
    )
