"""A terminal that a program under test writes to, and what stands on it."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

TIMEOUT_S = 60


class Terminal:
    """One end of it is the test's, the other the program's."""

    def __init__(self, *, columns: int, rows: int) -> None:
        self._ours, self.theirs = os.openpty()
        self.resize(columns=columns, rows=rows)
        self.written = ""
        """All that came, control sequences too."""

    def resize(self, *, columns: int, rows: int) -> None:
        """Give it another size. The signal that tells is the caller's to send: it is nobody's controlling terminal."""
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, text: str) -> str:
        """Read on until this has come, and return what came up to it."""
        deadline = time.monotonic() + TIMEOUT_S
        came = ""
        while text not in came:
            assert time.monotonic() < deadline, f"{text!r} does not come after {came!r}"
            if select.select([self._ours], [], [], 1)[0]:
                came += os.read(self._ours, 65536).decode()
        self.written += came
        return came

    def close(self) -> None:
        """Both ends."""
        os.close(self._ours)
        os.close(self.theirs)


@contextmanager
def running(terminal: Terminal, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`juniper-ctl` with its output on the terminal; it has ended afterwards."""
    command = [sys.executable, "-m", "juniper_ctl", *arguments]
    with subprocess.Popen(
        command, stdout=terminal.theirs, stderr=terminal.theirs, env=os.environ | {"TERM": "xterm"}
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            terminal.close()
