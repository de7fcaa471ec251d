"""What was used last stays in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """A few values by their keys, for any threads."""

    def __init__(self, max_kept: int) -> None:
        self._max_kept = max_kept
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not kept. Raises what `make` does."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()  # without the lock: it may take long
        with self._lock:
            value = self._kept.setdefault(key, made)  # another thread may have been faster
            if len(self._kept) > self._max_kept:
                self._kept.popitem(last=False)
        return value

    def forget(self, key: Hashable) -> None:
        """Make the value of a key anew when it is asked for next."""
        with self._lock:
            self._kept.pop(key, None)
