"""Writes a run's snapshots in their order while the training goes on.

An image of arrays, its digest and two fsyncs take milliseconds, in which a small network would have grown by a unit.
"""

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

Write = Callable[[], object]
"""Writes one snapshot, of arrays that nobody changes any more. Raises OSError where the disk does not take it."""

LIMIT = 4
"""Snapshots that wait in memory, at most."""


class SnapshotWriter:
    """A thread that writes what its owner gives it, one after another.

    What the disk does not take stays first in the queue, and nothing after it is written, until `retry` or `close`.
    Its methods are for one thread, which owns it.

    Args:
        limit: how many snapshots may wait, the one that is being written included.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._queue: deque[Write] = deque()
        self._error: Exception | None = None
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="snapshot writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def error(self) -> OSError | None:
        """Why the disk does not take the oldest snapshot that waits; None while it does.

        Raises:
            Exception: what else the writing of that snapshot raised.
        """
        with self._changed:
            return self._refusal()

    def put(self, write: Write) -> bool:
        """Give it a snapshot to write; waits while too many wait already.

        Returns:
            Whether it was taken: not where the disk does not take an older one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or len(self._queue) < self._limit)
            if self._refusal() is not None:
                return False
            self._queue.append(write)
            self._changed.notify_all()
            return True

    def flush(self) -> OSError | None:
        """Wait until all is on the disk, or the disk does not take it: then why."""
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or not self._queue)
            return self._refusal()

    def retry(self) -> OSError | None:
        """Try again to write what waits; as `flush`."""
        with self._changed:
            self._error = None
            self._changed.notify_all()
        return self.flush()

    def close(self) -> None:
        """Write what waits, as far as the disk takes it, and end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _refusal(self) -> OSError | None:
        if self._error is None or isinstance(self._error, OSError):
            return self._error
        raise self._error

    def _work(self) -> None:
        while (write := self._next()) is not None:
            error = None
            try:
                write()
            except Exception as raised:  # noqa: BLE001 - raised in the owner's thread, or told it
                error = raised
            with self._changed:
                self._error = error
                if error is None:
                    self._queue.popleft()
                self._changed.notify_all()

    def _next(self) -> Write | None:
        """What is to be written now; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or (bool(self._queue) and self._error is None))
            return self._queue[0] if self._queue and self._error is None else None
