"""Sends each message to every watcher: encoded once, whoever watches; a slow watcher never slows the training.

Each watcher has a bounded queue. When it is full the oldest message that a later one replaces goes (metrics, candidate
progress, heartbeats, topologies), never one that tells a change of state.
"""

import asyncio
import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass

import orjson
from pydantic import BaseModel

REPLACEABLE = frozenset({"metrics", "candidate_progress", "heartbeat", "topology"})
QUEUE_LIMIT = 200
QUEUE_CHARACTERS = 8 << 20
HARD_LIMIT = 2_000
HARD_CHARACTERS = 32 << 20
KEPT = 2_048
KEPT_CHARACTERS = 32 << 20


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message, ready to be sent."""

    seq: int
    kind: str
    text: str
    run_id: str | None
    is_foreground: bool = True
    """Whether it is of the run that those follow who name none."""


class Watcher:
    """One client's queue.

    Args:
        joined_seq: the last message published before this client came.
        run_id: the run that it follows; None: whichever is in the foreground.
    """

    def __init__(self, joined_seq: int, run_id: str | None = None) -> None:
        self.joined_seq = joined_seq
        self.run_id = run_id
        self._queue: deque[Encoded] = deque()
        self._characters = 0
        self._waiting: Counter[str] = Counter()  # by kind
        self._there_is_some = asyncio.Event()
        self._lost = asyncio.Event()

    @property
    def is_lost(self) -> bool:
        """The client reads so slowly that messages of state pile up, or not at all: its connection is to be closed."""
        return self._lost.is_set()

    def wants(self, message: Encoded) -> bool:
        """Whether the message is of the run that this client follows."""
        return message.is_foreground if self.run_id is None else message.run_id == self.run_id

    def offer(self, message: Encoded) -> None:
        """Queue a message, if the client wants it."""
        if self.is_lost or not self.wants(message):
            return
        self._queue.append(message)
        self._characters += len(message.text)
        self._waiting[message.kind] += 1
        while (len(self._queue) > QUEUE_LIMIT or self._characters > QUEUE_CHARACTERS) and self._drop_one():
            pass
        if len(self._queue) > HARD_LIMIT or self._characters > HARD_CHARACTERS:
            self.lose()
        self._there_is_some.set()

    def lose(self) -> None:
        """Give the client up."""
        self._lost.set()
        self._queue.clear()
        self._there_is_some.set()

    async def lost(self) -> None:
        """Return when the client is given up."""
        await self._lost.wait()

    async def next(self) -> Encoded | None:
        """The next message; None when the client is lost."""
        while not self._queue and not self.is_lost:
            self._there_is_some.clear()
            await self._there_is_some.wait()
        if self.is_lost:
            return None
        message = self._queue.popleft()
        self._forget(message)
        return message

    def _drop_one(self) -> bool:
        """Drop the oldest message that a later one in the queue replaces; whether there was one."""
        for index, message in enumerate(self._queue):
            if message.kind in REPLACEABLE and self._waiting[message.kind] > 1:
                del self._queue[index]
                self._forget(message)
                return True
        return False

    def _forget(self, message: Encoded) -> None:
        self._characters -= len(message.text)
        self._waiting[message.kind] -= 1


class Fanout:
    """All watchers of this process, and the last messages for those who come back."""

    def __init__(self) -> None:
        self.server_instance_id = uuid.uuid4().hex
        self.seq = 0
        self._watchers: set[Watcher] = set()
        self._kept: deque[Encoded] = deque()
        self._kept_characters = 0

    def __len__(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def join(self, run_id: str | None = None) -> Watcher:
        """A new watcher; it gets every message of its run from now on.

        Args:
            run_id: the run to follow; None: whichever is in the foreground.
        """
        watcher = Watcher(self.seq, run_id)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """The watcher is gone."""
        self._watchers.discard(watcher)

    def publish(self, kind: str, data: BaseModel, run_id: str | None, *, is_foreground: bool = True) -> None:
        """Send to every watcher of the run.

        Args:
            kind: the message's type.
            data: its data.
            run_id: the run that it is of.
            is_foreground: whether that run is in the foreground now.
        """
        self.seq += 1
        message = self.encoded(kind, data.model_dump_json(), run_id, is_foreground=is_foreground)
        self._keep(message)
        for watcher in self._watchers:
            watcher.offer(message)

    def _keep(self, message: Encoded) -> None:
        self._kept.append(message)
        self._kept_characters += len(message.text)
        while len(self._kept) > KEPT or self._kept_characters > KEPT_CHARACTERS:
            self._kept_characters -= len(self._kept.popleft().text)

    def encoded(self, kind: str, data_json: str, run_id: str | None, *, is_foreground: bool = True) -> Encoded:
        """A message with the current sequence number, for one watcher."""
        head = orjson.dumps({"type": kind, "timestamp": time.time(), "seq": self.seq, "run_id": run_id}).decode()
        return Encoded(self.seq, kind, f'{head[:-1]},"data":{data_json}}}', run_id, is_foreground)

    def missed(self, last_seq: int, watcher: Watcher) -> list[Encoded] | None:
        """What came after `last_seq` and before the watcher did; None when that is no longer, or not yet, known."""
        oldest = self._kept[0].seq if self._kept else self.seq + 1
        if not oldest - 1 <= last_seq <= self.seq:
            return None
        missed = (message for message in self._kept if last_seq < message.seq <= watcher.joined_seq)
        return [message for message in missed if watcher.wants(message)]
