"""Rows in a body: large ones are read in pieces, and nobody can tell."""

import json

import numpy as np
import pytest

from juniper_cascor.api.rows import parsed
from juniper_common.errors import UnprocessableError
from juniper_common.json_rows import PIECE_BYTES
from juniper_common.wire.models import MAX_ROWS, PredictRequest

N = PIECE_BYTES // 4


def large(*rows: str, **fields: str) -> bytes:
    """A body of several pieces that ends in these rows."""
    texts = [*(f"[{i}.5, {-i}e-3]" for i in range(N)), *rows]
    return json.dumps(fields).encode()[:-1] + f'{", " if fields else ""}"rows": [{" , ".join(texts)} ]}}'.encode()


def refused(body: bytes) -> list[list[str | int]]:
    """Where a body is wrong."""
    with pytest.raises(UnprocessableError) as error:
        parsed(body, PredictRequest)
    return [field.loc for field in error.value.fields]


@pytest.mark.parametrize("n", [1, N])
def test_rows_become_an_array(n: int) -> None:
    """Every value in its place, and the other fields beside them."""
    rows = [[float(i), i / 3] for i in range(n)]
    asked = parsed(json.dumps({"rows": rows, "run_id": "a[b]"}).encode(), PredictRequest)
    np.testing.assert_array_equal(asked.matrix(2), np.array(rows), strict=True)
    assert asked.request.run_id == "a[b]"


def test_fields_may_stand_before_or_after_large_rows() -> None:
    """The rows are found wherever they are."""
    rows = large()
    for body in (large(run_id="r"), rows[:-1] + b', "run_id": "r"}'):
        asked = parsed(body, PredictRequest)
        assert (asked.request.run_id, len(asked.lengths)) == ("r", N)
        np.testing.assert_array_equal(asked.matrix(2), parsed(rows, PredictRequest).matrix(2))


@pytest.mark.parametrize("value", ['"1"', "NaN", "Infinity", "1e999", "null", "true", "[1]", "{}"])
def test_the_first_wrong_value_is_named(value: str) -> None:
    """By its row and column, in small bodies and large ones; the others are not listed."""
    assert refused(f'{{"rows": [[1, 2], [3, {value}], [{value}, 1]]}}'.encode()) == [["rows", 1, 1]]
    assert refused(large(f"[1, {value}]", f"[{value}]")) == [["rows", N, 1]]


def test_a_row_of_another_length_is_named() -> None:
    """By its place, with what the network takes."""
    for body, row in ((b'{"rows": [[1, 2], [1], [1, 2, 3]]}', 1), (large("[]"), N)):
        with pytest.raises(UnprocessableError, match="values, the network takes 2") as error:
            parsed(body, PredictRequest).matrix(2)
        assert error.value.fields[0].loc == ["rows", row]


def test_there_are_rows_but_not_too_many() -> None:
    """None, or more than the most, are refused, however large their text is."""
    assert refused(b'{"rows": []}') == [["rows"]]
    for row in (b"[]", b"[1.25, 2.25]"):
        assert refused(b'{"rows": [' + b",".join([row] * (MAX_ROWS + 1)) + b"]}") == [["rows"]]
    assert len(parsed(b'{"rows": [' + b",".join([b"[1]"] * MAX_ROWS) + b"]}", PredictRequest).lengths) == MAX_ROWS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"rows": 1}',
        b'{"rows": [[1]], "more": 1}',
        b'{"rows": [[1]], "run_id": "a", "snapshot_id": "b"}',
        large()[:-1],
        large()[:-2] + b",]}",
        large("[1, 2] [3, 4]"),
        large("[1, 2]]"),
        large(*["[1, 2]  [3, 4]"] * N),
        large().replace(b'"rows"', b'"rows": [[1]], "rows"') + b"]",
        large(more="1"),
        large(run_id="a", snapshot_id="b"),
    ],
)
def test_other_bodies_are_refused(body: bytes) -> None:
    """What is no JSON, or has other fields, is no request."""
    assert refused(body)
