"""The last answer to a question that may take long, for those who cannot wait."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

WAIT_S = 0.25
"""So long whoever asks waits for a new answer: less than readiness has."""


@dataclass(frozen=True, slots=True)
class _Answer:
    told: str | None = None
    error: Exception | None = None


class LastAnswer:
    """Asks anew, in a thread, each time that somebody wants to know. What takes longer is told to the next one.

    The first answer is waited for. Safe to use from any threads.

    Args:
        question: returns what is told, or raises.
    """

    def __init__(self, question: Callable[[], str | None]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._last: _Answer | None = None

    def __call__(self) -> str | None:
        """The last answer. Raises what the question raised."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._ask, name="asking", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(None if self._last is None else WAIT_S)
        assert self._last is not None  # noqa: S101 - it was waited for
        if self._last.error is not None:
            raise self._last.error.with_traceback(None)
        return self._last.told

    def _ask(self) -> None:
        try:
            self._last = _Answer(told=self._question())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            self._last = _Answer(error=error)
