"""The service's end of the trainer process: start it, talk to it, notice when it dies."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from juniper_cascor.runs import channel
from juniper_cascor.runs.channel import Message

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "juniper_cascor.runs.trainer")
END_TIMEOUT_S = 5.0

CACHES = {"NUMBA_CACHE_DIR": "numba", "CUPY_CACHE_DIR": "cupy", "CUDA_CACHE_PATH": "cuda"}
"""Where numba, CuPy and the driver keep what they compile; by default in the home, which the unit's sandbox hides."""


class TrainerProcess:
    """One trainer process; started once, and gone once.

    Args:
        on_message: called for each report.
        on_death: called once, with the reason, when the process ended without having been told to.
        environment: of the process.
        command: what is run.
    """

    def __init__(
        self,
        on_message: Callable[[Message], None],
        on_death: Callable[[str], None],
        environment: Mapping[str, str],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._on_message = on_message
        self._on_death = on_death
        self._environment = environment
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._is_ending = False
        self.heard_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        """The process's id, once it was started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=dict(self._environment),
            limit=1 << 20,
        )
        self.heard_at = time.monotonic()
        self._reader = asyncio.create_task(self._read(self._process), name="trainer reader")

    def send(self, message: Message) -> None:
        """Send. Raises BrokenPipeError when the process is gone."""
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            raise BrokenPipeError("the trainer is gone")
        self._process.stdin.write(channel.encode(message))

    def kill(self) -> None:
        """End the process at once; `on_death` follows."""
        if self._process is not None and self._process.returncode is None:
            # Not Popen.kill: it looks for the exit status itself, and then asyncio's watcher finds none (255).
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Close the process's input, and wait until it is gone."""
        self._is_ending = True
        if self._process is None or self._reader is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        output = process.stdout
        if output is None:
            raise RuntimeError("the trainer was started without a pipe")
        try:
            while True:
                prefix = await output.readexactly(channel.PREFIX_BYTES)
                message = channel.decode(prefix, await output.readexactly(channel.body_length(prefix)))
                self.heard_at = time.monotonic()
                self._on_message(message)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            log.debug("the trainer's output ended")
        except Exception:
            log.exception("what the trainer reported could not be taken; it is replaced")
        # Its output ended: whatever is left of it cannot be talked to any more.
        self.kill()
        status = await process.wait()
        if not self._is_ending:
            self._on_death(_reason(status))


def _reason(status: int) -> str:
    if status == -signal.SIGKILL:
        return "the trainer was killed (SIGKILL)"
    if status < 0:
        return f"the trainer died of {signal.Signals(-status).name}"
    return f"the trainer ended with exit code {status}; the log says why"


def environment(cache_folder: Path, place: int = 0, side_by_side: int = 1) -> dict[str, str]:
    """This process's environment, with what the trainer needs: no watchdog of its own, a folder for compiled code.

    Of several side by side the one at a place gets a share of the processors of its own, and one of the GPUs.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(("WATCHDOG_", "NOTIFY_"))}
    for name, folder in CACHES.items():
        own.setdefault(name, str(cache_folder / folder))
    if side_by_side > 1:
        cpus = sorted(os.sched_getaffinity(0))
        own["JUNIPER_CASCOR_TRAINER_CPUS"] = ",".join(map(str, cpus[place::side_by_side] or cpus))
        if gpus := len(list(Path("/dev").glob("nvidia[0-9]*"))):
            own.setdefault("CUDA_VISIBLE_DEVICES", str(place % gpus))
    return own
