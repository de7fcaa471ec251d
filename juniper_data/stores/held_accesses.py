"""Readings of artifacts that the hub does not know of yet."""

import hashlib
import threading
from collections.abc import Callable, Mapping

from juniper_data.stores.protocol import Accesses

HELD_S = 3600.0
"""They go to the hub with the next change; after so long without one, by themselves."""


class HeldAccesses:
    """Readings: new, until they are in the copy of the index; then held, until a document that has them is on the hub.

    `record` may come from any thread, and waits for nobody who asks the hub; all else comes from one at a time.

    Args:
        clock_s: seconds that never go back.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._new: dict[str, Accesses] = {}
        self.held: dict[str, Accesses] = {}
        self._offered: tuple[bytes, dict[str, Accesses]] | None = None
        self._told_at_s = clock_s()

    def record(self, accesses: Mapping[str, Accesses]) -> None:
        """There are more."""
        with self._lock:
            _add(self._new, accesses)

    @property
    def are_new(self) -> bool:
        """Whether some are not in the copy."""
        return bool(self._new)

    @property
    def are_any(self) -> bool:
        """Whether there is something that the hub does not know."""
        return bool(self._new or self.held)

    @property
    def are_due(self) -> bool:
        """Whether that has been so for long."""
        return self.are_any and self._clock_s() - self._told_at_s >= HELD_S

    def enter(self, write: Callable[[Mapping[str, Accesses]], None]) -> None:
        """Have what is new written into the copy; where that raises, it stays new."""
        with self._lock:
            if self._new:
                write(self._new)
                _add(self.held, self._new)
                self._new = {}

    def offer(self, document: bytes) -> None:
        """The hub is asked to take a document that has all that is held."""
        self._offered = (_digest(document), dict(self.held))

    def taken(self, document: bytes) -> None:
        """The hub has a document. If it is the one offered, though the answer to that was lost, so are the readings."""
        if self._offered is None or self._offered[0] != _digest(document):
            return
        for dataset_id, told in self._offered[1].items():
            left = self.held.pop(dataset_id)
            if left.count > told.count:
                self.held[dataset_id] = Accesses(left.count - told.count, left.last_at)
        self._offered = None
        self.put_off()

    def put_off(self) -> None:
        """Wait as long as ever before they go by themselves."""
        self._told_at_s = self._clock_s()


def _add(accesses: dict[str, Accesses], more: Mapping[str, Accesses]) -> None:
    for dataset_id, each in more.items():
        before = accesses.get(dataset_id, Accesses(0, each.last_at))
        accesses[dataset_id] = Accesses(before.count + each.count, max(before.last_at, each.last_at))


def _digest(document: bytes) -> bytes:
    return hashlib.sha256(document).digest()
