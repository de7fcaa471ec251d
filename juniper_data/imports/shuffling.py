"""Shuffles rows on disk, with the memory of one bucket of them.

Rows are dealt into buckets as they come, then each bucket is put into its order. Both only write forward.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from juniper_data.imports.rows_file import RowsFile, Scratch

_BUCKET_BYTES = 4 << 20

MAX_PERMUTED = 1_000_000
"""Up to so many rows the order is the one that sets made in memory have; for more, it would not be in memory."""


class _Deal(Protocol):
    """Where rows go."""

    counts: list[int]
    """Rows of each bucket."""

    def buckets(self, start: int, stop: int) -> NDArray[np.uint16]:
        """The bucket of each row from `start` to `stop`; called once for all rows in turn."""
        ...

    def orders(self) -> Iterator[NDArray[np.integer]]:
        """For bucket after bucket, which of its rows, as they were dealt, comes first, second, and so on."""
        ...


def shuffle(rows: RowsFile, seed: int, scratch: Scratch) -> None:
    """Put the rows into a random order, each order as likely as any other."""
    bucket_rows = max(1, _BUCKET_BYTES // rows.row_bytes)
    rng = np.random.default_rng(seed)
    deal: _Deal
    if rows.n <= MAX_PERMUTED:
        deal = _Permutation(rows.n, bucket_rows, rng)
    else:
        deal = _RandomDeal(rows.n, bucket_rows, rng, rows.piece_rows, seed)
    buckets = RowsFile(scratch, rows.width, rows.dtype)
    starts = np.concatenate([[0], np.cumsum(deal.counts)])
    _deal(rows, buckets, deal, starts[:-1].copy())
    for start, stop, order in zip(starts[:-1].tolist(), starts[1:].tolist(), deal.orders(), strict=True):
        rows.write(start, buckets.read(start, stop).take(order, axis=0))
    buckets.close()


def _deal(rows: RowsFile, buckets: RowsFile, deal: _Deal, ends: NDArray[np.int64]) -> None:
    first = 0
    for piece in rows.pieces(0, rows.n):
        places = deal.buckets(first, first + len(piece))
        order = np.argsort(places, kind="stable")
        counts = np.bincount(places, minlength=len(ends))
        stops = np.cumsum(counts)
        for bucket in np.flatnonzero(counts).tolist():
            dealt = piece.take(order[stops[bucket] - counts[bucket] : stops[bucket]], axis=0)
            buckets.write(int(ends[bucket]), dealt)
            ends[bucket] += len(dealt)
        first += len(piece)


class _Permutation:
    """The order of `Generator.permutation`, as `arrange` has it; int32 gives the same draws in half the memory."""

    def __init__(self, n: int, bucket_rows: int, rng: np.random.Generator) -> None:
        self._order = np.arange(n, dtype=np.int32)
        rng.shuffle(self._order)
        self._bucket_rows = bucket_rows
        # 16 bits: NumPy sorts them by radix. There are never more buckets than that, see MAX_DATA_BYTES.
        self._buckets = np.empty(n, np.uint16)
        self._buckets[self._order] = np.arange(n, dtype=np.int32) // bucket_rows
        self.counts = np.bincount(self._buckets).tolist()

    def buckets(self, start: int, stop: int) -> NDArray[np.uint16]:
        return self._buckets[start:stop]

    def orders(self) -> Iterator[NDArray[np.integer]]:
        for first in range(0, len(self._order), self._bucket_rows):
            # The rows were dealt in their own order: a row's place among them is its rank.
            yield np.argsort(np.argsort(self._order[first : first + self._bucket_rows]))


class _RandomDeal:
    """Each row into any bucket, each bucket in any order (Rao 1961, Sandelius 1962).

    The draws are made twice from the same seed: once to know how large the buckets become.
    """

    def __init__(self, n: int, bucket_rows: int, rng: np.random.Generator, piece_rows: int, seed: int) -> None:
        self._n_buckets = -(-n // bucket_rows)
        self._rng = rng
        self._again = np.random.default_rng(seed)
        counts = np.zeros(self._n_buckets, np.int64)
        for first in range(0, n, piece_rows):
            drawn = rng.integers(self._n_buckets, size=min(piece_rows, n - first), dtype=np.uint16)
            counts += np.bincount(drawn, minlength=self._n_buckets)
        self.counts = counts.tolist()

    def buckets(self, start: int, stop: int) -> NDArray[np.uint16]:
        return self._again.integers(self._n_buckets, size=stop - start, dtype=np.uint16)

    def orders(self) -> Iterator[NDArray[np.integer]]:
        for count in self.counts:
            yield self._rng.permutation(count)
