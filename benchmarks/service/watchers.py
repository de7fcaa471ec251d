"""Many WebSocket clients in a process of their own: ``python -m benchmarks.service.watchers ADDRESS CLIENTS``.

Ready once all are greeted; at the end of its input it says what they received.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from juniper_cascor.client import ADDRESSED

from .aside import Aside, aside, ready_until_input_ends

_HEAD = re.compile(rb'\{"type":"(\w+)","timestamp":([\d.e+]+)')
_CONNECTING_AT_ONCE = 20


@dataclass
class Received:
    """What all clients together received while they were watched."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)  # from each message's own timestamp to its receipt
    counts: list[int] = field(default_factory=list)  # of messages, one for each client
    n_bytes: int = 0

    @property
    def least_rate(self) -> float:
        """Messages a second of the client that got fewest."""
        return min(self.counts) / self.seconds


class Watchers:
    """The process, seen from the benchmark."""

    def __init__(self, process: Aside) -> None:
        self._process = process

    def received(self) -> Received:
        """Let them go; what they received since they were all there."""
        return Received(**self._process.ended())


@contextmanager
def watching(address: str, clients: int) -> Iterator[Watchers]:
    """So many clients, each greeted."""
    with aside("benchmarks.service.watchers", address, str(clients)) as process:
        yield Watchers(process)


async def watch(address: str, clients: int) -> Received:
    """Watch until the input ends."""
    turns = asyncio.Semaphore(_CONNECTING_AT_ONCE)
    received = Received(counts=[0] * clients)
    sockets = await asyncio.gather(*(_greeted(address, turns) for _ in range(clients)))
    began, began_cpu = time.perf_counter(), time.process_time()
    readers = [asyncio.create_task(_read(socket, index, received)) for index, socket in enumerate(sockets)]
    await ready_until_input_ends()
    received.seconds = time.perf_counter() - began
    received.cpu_s = time.process_time() - began_cpu
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return received


async def _greeted(address: str, turns: asyncio.Semaphore) -> ClientConnection:
    async with turns:
        socket = await connect(address, max_size=None, proxy=None)
        for _ in range(3):
            await socket.recv()
        return socket


async def _read(socket: ClientConnection, index: int, received: Received) -> None:
    while True:
        message = await socket.recv(decode=False)
        now = time.time()
        head = _HEAD.match(message)
        if head is None:
            raise RuntimeError(f"not a message of the stream: {message[:80]!r}")
        if head[1].decode() not in ADDRESSED:
            received.delays_s.append(now - float(head[2]))
            received.counts[index] += 1
            received.n_bytes += len(message)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(watch(sys.argv[1], int(sys.argv[2]))))))
