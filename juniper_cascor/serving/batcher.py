"""Requests that come while others are being answered are answered together.

A network answers hundreds of patterns in hardly more time than one. So there is one product at a time, in a thread, and
what is asked meanwhile waits for the next one, whose time is the only delay: nobody waits for company that may not
come. A pattern's answer is the same in every bit whichever others are asked about with it (`Network.outputs`).
"""

import asyncio
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter

from juniper_cascor.engine.network import Network
from juniper_common.errors import UnavailableError

Rows = NDArray[np.float64]


@dataclass(eq=False)
class _Asked:
    network: Network
    rows: Rows  # [n, inputs]
    outputs: Rows  # [n, outputs], filled from the front
    answered: asyncio.Future[Rows]
    n_done: int = 0


@dataclass(frozen=True)
class _Piece:
    """The rows of one request that are in the next product."""

    asked: _Asked
    rows: slice


class Batcher:
    """Answers for any networks, of one event loop. Large requests are answered in pieces, so that small ones get in."""

    def __init__(
        self, registry: CollectorRegistry | None = None, max_rows: int = 4_096, max_waiting_values: int = 1 << 24
    ) -> None:
        """Answer at most `max_rows` in a product, and let no more than `max_waiting_values` in at once.

        Args:
            registry: where rows and products are counted.
            max_rows: what bounds the time that others wait for one product.
            max_waiting_values: inputs and outputs, 8 bytes each, of all that wait; one request is always let in.
        """
        registry = registry or CollectorRegistry()
        self._rows = Counter("juniper_cascor_predicted_rows", "Patterns answered.", registry=registry)
        self._products = Counter("juniper_cascor_prediction_batches", "Products they took.", registry=registry)
        self._max_rows = max_rows
        self._max_waiting_values = max_waiting_values
        self._waiting: deque[_Asked] = deque()
        self._n_waiting_values = 0
        self._work: asyncio.Task[None] | None = None

    async def outputs(self, network: Network, rows: Rows) -> Rows:
        """What `network.outputs(rows)` says. Who is cancelled is not answered any more.

        Raises:
            ValueError: rows is not [n, inputs].
            UnavailableError: too much waits already.
        """
        if rows.ndim != 2 or rows.shape[1] != network.n_inputs:
            raise ValueError(f"rows must be [n, {network.n_inputs}], not {list(rows.shape)}")
        n_values = len(rows) * (network.n_inputs + network.n_outputs)
        if self._n_waiting_values and self._n_waiting_values + n_values > self._max_waiting_values:
            raise UnavailableError("as many rows as there is room for wait for their predictions: ask again later")
        outputs = np.empty((len(rows), network.n_outputs))
        asked = _Asked(network, rows, outputs, asyncio.get_running_loop().create_future())
        self._n_waiting_values += n_values
        self._waiting.append(asked)
        if self._work is None:
            self._work = asyncio.create_task(self._answer_all())
        try:
            return await asked.answered
        finally:
            self._n_waiting_values -= n_values

    async def _answer_all(self) -> None:
        try:
            while pieces := self._next_pieces():
                await self._answer(pieces)
        finally:
            self._work = None

    def _next_pieces(self) -> list[_Piece]:
        """The next product: of the network asked longest ago, as much as goes into one."""
        while self._waiting and self._waiting[0].answered.done():
            self._waiting.popleft()
        pieces: list[_Piece] = []
        others: deque[_Asked] = deque()
        room = self._max_rows
        for asked in self._waiting:
            if asked.answered.done():
                continue  # it was cancelled
            if room == 0 or asked.network is not self._waiting[0].network:
                others.append(asked)
                continue
            end = min(len(asked.rows), asked.n_done + room)
            pieces.append(_Piece(asked, slice(asked.n_done, end)))
            room -= end - asked.n_done
        self._waiting = others
        return pieces

    async def _answer(self, pieces: list[_Piece]) -> None:
        network = pieces[0].asked.network
        try:
            answers = await asyncio.to_thread(_product, network, pieces)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it
            for piece in pieces:
                _fail(piece.asked, error)
            return
        self._products.inc()
        self._rows.inc(len(answers))
        first = 0
        for piece in pieces:
            asked, n = piece.asked, piece.rows.stop - piece.rows.start
            asked.outputs[piece.rows] = answers[first : first + n]
            asked.n_done = piece.rows.stop
            first += n
            if asked.n_done < len(asked.rows):
                self._waiting.append(asked)
            elif not asked.answered.done():
                asked.answered.set_result(asked.outputs)


def _product(network: Network, pieces: list[_Piece]) -> Rows:
    return network.outputs(np.concatenate([piece.asked.rows[piece.rows] for piece in pieces]))


def _fail(asked: _Asked, error: Exception) -> None:
    if not asked.answered.done():
        asked.answered.set_exception(error)
