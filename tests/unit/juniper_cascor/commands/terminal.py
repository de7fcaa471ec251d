"""A process whose standard error is a terminal."""

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


class Terminal:
    """The command line in it."""

    def __init__(self, *arguments: object, environment: dict[str, str]) -> None:
        self._read_fd, write_fd = pty.openpty()
        termios.tcsetwinsize(write_fd, (24, 200))
        # SIGINT as a terminal's shell leaves it, whatever the tests were started with.
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import runpy; "
        command = [sys.executable, "-c", f"{code}runpy.run_module('juniper_cascor', run_name='__main__')"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=write_fd, text=True
        )
        os.close(write_fd)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        """Read what is shown until a text is in it."""
        while text not in self.shown:
            self.shown += os.read(self._read_fd, 4096).decode()

    def end(self) -> tuple[int, str]:
        """Wait for its end; its exit code and standard output."""
        output, _ = self.process.communicate(timeout=120)
        return self.process.returncode, output

    def close(self) -> None:
        """Leave nothing."""
        self.process.kill()
        self.process.communicate()
        os.close(self._read_fd)
