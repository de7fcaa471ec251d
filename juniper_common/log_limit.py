"""No line of the program fills the log: beyond a number of records it is left out, and how often is said.

systemd's LogRateLimit* does nothing in a user's units, so the program does it.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST = 300
"""So many records of one line of the program go out at once."""

PER_S = 10.0
"""And so many a second after that."""

TELL_S = 10.0
"""So long after the first that was left out it is said how many were."""

Later = Callable[[float, Callable[[], None]], None]
"""Calls a function in some seconds."""


@dataclass(slots=True)
class _Line:
    """One line of the program that logs."""

    at_s: float
    allowance: float = BURST
    n_left_out: int = 0
    last: logging.LogRecord | None = None
    """Of those left out."""


class LimitedHandler(logging.Handler):
    """Passes records on to another handler, with a limit for each place in the program that logs.

    Not for each message: where a caller's words are in it, each may be another one.

    Args:
        out: where the records go.
        clock_s: seconds that never go back.
        later: a timer.
    """

    def __init__(
        self, out: logging.Handler, clock_s: Callable[[], float] = time.monotonic, later: Later | None = None
    ) -> None:
        super().__init__()
        self._out = out
        self._clock_s = clock_s
        self._later = later or _in_a_thread
        self._lines: dict[tuple[str, str, int], _Line] = {}
        self._is_telling = False

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on, or count it."""
        now_s = self._clock_s()
        key = record.name, record.pathname, record.lineno
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(now_s)
        line.allowance = min(BURST, line.allowance + (now_s - line.at_s) * PER_S)
        line.at_s = now_s
        if line.allowance >= 1:
            line.allowance -= 1
            self._out.handle(record)
            return
        line.n_left_out += 1
        line.last = record
        if not self._is_telling:
            self._is_telling = True
            self._later(TELL_S, self.tell)

    def tell(self) -> None:
        """Say how many were left out since this was last said."""
        self.acquire()  # A timer has a thread of its own.
        try:
            self._is_telling = False
            for line in self._lines.values():
                if line.last is not None:
                    self._out.handle(_summary(line.last, line.n_left_out))
                line.n_left_out, line.last = 0, None
        finally:
            self.release()

    def close(self) -> None:
        """Say it, and close the other handler."""
        self.tell()
        self._out.close()
        super().close()


def _summary(last: logging.LogRecord, n: int) -> logging.LogRecord:
    message = "%d more lines like this one were left out: %s"
    args = (n, str(last.msg)[:200])
    return logging.LogRecord(last.name, last.levelno, last.pathname, last.lineno, message, args, None, last.funcName)


def _in_a_thread(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True  # What it would say when the process ends, `close` says.
    timer.start()
