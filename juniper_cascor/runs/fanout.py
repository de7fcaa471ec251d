"""Sends each message to every watcher: encoded once, whoever watches; a slow watcher never slows the training.

Each watcher has a bounded queue. When it is full the oldest message that a later one replaces goes (metrics, candidate
progress, heartbeats), never one that tells a change of state.
"""

import asyncio
import time
import uuid
from collections import deque
from dataclasses import dataclass

import orjson
from pydantic import BaseModel

REPLACEABLE = frozenset({"metrics", "candidate_progress", "heartbeat", "topology"})
QUEUE_LIMIT = 200
HARD_LIMIT = 2_000
KEPT = 2_048
KEPT_BYTES = 32 << 20


@dataclass(frozen=True)
class Encoded:
    """A message, ready to be sent."""

    seq: int
    kind: str
    text: str


class Watcher:
    """One client's queue."""

    def __init__(self, joined_seq: int) -> None:
        self.joined_seq = joined_seq
        """The last message published before this client came."""
        self._queue: deque[Encoded] = deque()
        self._there_is_some = asyncio.Event()
        self.is_lost = False
        """The client reads so slowly that messages of state pile up: its connection is to be closed."""

    def offer(self, message: Encoded) -> None:
        """Queue a message."""
        if len(self._queue) >= QUEUE_LIMIT:
            self._drop_one()
        self.is_lost = self.is_lost or len(self._queue) >= HARD_LIMIT
        if not self.is_lost:
            self._queue.append(message)
        self._there_is_some.set()

    async def next(self) -> Encoded | None:
        """The next message; None when the client is lost."""
        while not self._queue and not self.is_lost:
            self._there_is_some.clear()
            await self._there_is_some.wait()
        return None if self.is_lost else self._queue.popleft()

    def _drop_one(self) -> None:
        for index, message in enumerate(self._queue):
            if message.kind in REPLACEABLE:
                del self._queue[index]
                return


class Fanout:
    """All watchers of this process, and the last messages for those who come back."""

    def __init__(self) -> None:
        self.server_instance_id = uuid.uuid4().hex
        self.seq = 0
        self._watchers: set[Watcher] = set()
        self._kept: deque[Encoded] = deque()
        self._kept_bytes = 0

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def join(self) -> Watcher:
        """A new watcher; it gets every message from now on."""
        watcher = Watcher(self.seq)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """The watcher is gone."""
        self._watchers.discard(watcher)

    def publish(self, kind: str, data: BaseModel, run_id: str | None) -> None:
        """Send to every watcher."""
        self.seq += 1
        message = self.encoded(kind, data.model_dump_json(), run_id)
        self._keep(message)
        for watcher in self._watchers:
            watcher.offer(message)

    def _keep(self, message: Encoded) -> None:
        self._kept.append(message)
        self._kept_bytes += len(message.text)
        while len(self._kept) > KEPT or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().text)

    def encoded(self, kind: str, data_json: str, run_id: str | None) -> Encoded:
        """A message with the current sequence number, for one watcher."""
        head = orjson.dumps({"type": kind, "timestamp": time.time(), "seq": self.seq, "run_id": run_id}).decode()
        return Encoded(self.seq, kind, f'{head[:-1]},"data":{data_json}}}')

    def missed(self, last_seq: int, watcher: Watcher) -> list[Encoded] | None:
        """What came after `last_seq` and before the watcher did; None when that is no longer, or not yet, known."""
        oldest = self._kept[0].seq if self._kept else self.seq + 1
        if not oldest - 1 <= last_seq <= self.seq:
            return None
        return [message for message in self._kept if last_seq < message.seq <= watcher.joined_seq]
