"""A page that is drawn anew in place, on the terminal's second screen: what was there before comes back at its end."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn

_ENTER = "\x1b[?1049h\x1b[?25l"  # the second screen, no cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"


class Screen:
    """What `opened` gives."""

    def __init__(self) -> None:
        self._was_resized = threading.Event()

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines, as far as they fit."""
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        page = "\n".join(f"{line[:columns]}\x1b[K" for line in lines[:rows])
        print(f"\x1b[H{page}\x1b[J", end="", flush=True)

    def show(self, lines: Sequence[str], seconds: float) -> None:
        """Draw them, and again in every size that the window is given before the time is over."""
        self._was_resized.clear()
        self.draw(lines)
        while self._was_resized.wait(seconds):
            self._was_resized.clear()
            self.draw(lines)

    def on_resize(self, _number: int, _frame: FrameType | None) -> None:
        """For SIGWINCH."""
        self._was_resized.set()


@contextlib.contextmanager
def opened() -> Iterator[Screen]:
    """The screen, until Ctrl-C or SIGTERM; however it ends, the terminal is as before."""
    screen = Screen()
    before = {
        number: signal.signal(number, handler)
        for number, handler in ((signal.SIGWINCH, screen.on_resize), (signal.SIGTERM, _end))
    }
    try:
        print(_ENTER, end="", flush=True)
        yield screen
    finally:
        print(_LEAVE, end="", flush=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)
