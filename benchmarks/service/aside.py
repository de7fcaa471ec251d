"""Work in a process of its own, beside the benchmark: it says READY, and JSON once its input ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

READY = "ready"


class Aside:
    """The process, seen from the benchmark."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers

    def ended(self) -> Any:
        """Let it end; what it found."""
        self._requests.close()
        return json.loads(self._answers.read())


@contextmanager
def aside(module: str, *arguments: str) -> Iterator[Aside]:
    """Run a module, and wait until it is ready. Raises RuntimeError where it never is."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None or process.stdout.readline() != f"{READY}\n":
            raise RuntimeError("the clients could not connect; they say why")
        yield Aside(process.stdin, process.stdout)


async def ready_until_input_ends() -> None:
    """Say READY, and return when the benchmark wants what was found."""
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
