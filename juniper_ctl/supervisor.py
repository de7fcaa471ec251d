"""Runs services in the foreground under the contract that systemd gives them, where there is no systemd.

Each is started only when the one before said READY, and they are stopped in reverse order. It restarts none: when one
ends, all end, so that a person sees the failure.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, Self

from juniper_ctl.notify_socket import NotifySocket

LAST_LINES = 12
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `environment` is all that it gets, but for what the supervisor adds."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    """What it prints; what stood there before is kept as `NAME.log.1`."""


class StopRequested(Exception):  # noqa: N818 - no error: a person pressed Ctrl-C, or the machine goes down
    """A signal asked for the end."""


class ServiceEnded(Exception):  # noqa: N818 - an event that the caller turns into its own error
    """A service ended, or did not become ready in time, while it should run."""

    def __init__(self, program: Program, exit_status: int | None) -> None:
        super().__init__(program.name, exit_status)
        self.program = program
        self.exit_status = exit_status
        """As a shell has it (128 + n for signal n); None: it runs, but is not ready in time."""

    def last_lines(self) -> list[str]:
        """The end of what it printed."""
        text = self.program.log.read_text(encoding="utf-8", errors="replace")
        return text.splitlines()[-LAST_LINES:]


@dataclass(slots=True)
class _Running:
    program: Program
    process: subprocess.Popen[bytes]
    notify: NotifySocket
    is_ready: bool = False


class Supervisor:
    """A context: within it signals to stop are noted, and at its end every service is stopped.

    Args:
        report: told what the services say while they start, and what is being stopped.
        start_timeout_s: how long READY may take.
        stop_timeout_s: how long each may take to end before it is killed.
    """

    def __init__(
        self, report: Callable[[str, str], None], *, start_timeout_s: float = 120, stop_timeout_s: float = 60
    ) -> None:
        self._report = report
        self._start_timeout_s = start_timeout_s
        self._stop_timeout_s = stop_timeout_s
        self._running: list[_Running] = []
        self._stop_signals = 0
        self._previous_handlers: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="juniper-"))
        # Signals wake the select below: SIGCHLD when a service ends, the others when a person wants the end.
        self._wakeup, self._wakeup_end = socket.socketpair()
        self._wakeup.setblocking(False)
        self._wakeup_end.setblocking(False)
        self._previous_wakeup = signal.set_wakeup_fd(self._wakeup_end.fileno(), warn_on_full_buffer=False)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            self._previous_handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._stop_all()
        finally:
            signal.set_wakeup_fd(self._previous_wakeup)
            for number, handler in self._previous_handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]
            self._wakeup.close()
            self._wakeup_end.close()
            shutil.rmtree(self._folder)

    def start(self, program: Program) -> float:
        """Start it and wait until it is ready; returns the seconds that took.

        Raises:
            ServiceEnded: it ended, or another did, or it is not ready in time.
            StopRequested: a signal came.
        """
        began = time.monotonic()
        service = self._launch(program)
        deadline = began + self._start_timeout_s
        while not service.is_ready:
            self.check()
            if time.monotonic() >= deadline:
                raise ServiceEnded(program, None)
            self._wait(deadline - time.monotonic())
            for name, value in service.notify.received():
                if name == "STATUS" and value != "ready":
                    self._report(program.name, value)
                elif name == "EXTEND_TIMEOUT_USEC" and value.isdigit():
                    deadline = max(deadline, time.monotonic() + int(value) / 1e6)
                elif (name, value) == ("READY", "1"):
                    service.is_ready = True
        return time.monotonic() - began

    def watch(self) -> NoReturn:
        """Wait until there is a reason to raise.

        Raises:
            ServiceEnded: a service ended.
            StopRequested: a signal came.
        """
        while True:
            self.check()
            self._wait(None)
            for service in self._running:
                for _ in service.notify.received():
                    pass

    def check(self) -> None:
        """Raise if a signal came or a service ended, as `watch` does, but without waiting."""
        if self._stop_signals:
            raise StopRequested
        for service in self._running:
            status = service.process.poll()
            if status is not None:
                raise ServiceEnded(service.program, status if status >= 0 else 128 - status)

    def _launch(self, program: Program) -> _Running:
        folder = self._folder / program.name
        folder.mkdir(mode=0o700)
        notify = NotifySocket(self._folder / f"{program.name}.notify")
        program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if program.log.exists():
            program.log.replace(program.log.with_name(program.log.name + ".1"))
        with program.log.open("wb") as log:
            process = subprocess.Popen(
                program.command,
                env={
                    **program.environment,
                    "NOTIFY_SOCKET": str(notify.path),
                    "RUNTIME_DIRECTORY": str(folder),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C reaches the supervisor alone, which then stops them in order.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        service = _Running(program, process, notify)
        self._running.append(service)
        return service

    def _wait(self, timeout_s: float | None) -> None:
        notify = [service.notify.fileno() for service in self._running]
        select.select([self._wakeup.fileno(), *notify], [], [], timeout_s)
        with contextlib.suppress(BlockingIOError):
            self._wakeup.recv(4096)

    def _note(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._stop_signals += 1

    def _stop_all(self) -> None:
        hurry_at = self._stop_signals + 1
        while self._running:
            service = self._running[-1]
            process = service.process
            if process.poll() is None:
                # The terminal may be the thing that is gone.
                with contextlib.suppress(OSError):
                    self._report(service.program.name, "stopping")
                process.terminate()
            deadline = time.monotonic() + self._stop_timeout_s
            while process.poll() is None and time.monotonic() < deadline and self._stop_signals < hurry_at:
                self._wait_for_end(deadline - time.monotonic())
            # What is left of it, or of its children, after SIGTERM: as KillMode=mixed does it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            service.notify.close()
            self._running.pop()

    def _wait_for_end(self, timeout_s: float) -> None:
        # Its datagrams are read on: a full socket would block a service that says STOPPING.
        self._wait(timeout_s)
        for service in self._running:
            for _ in service.notify.received():
                pass


def _end_with_parent() -> None:
    # Runs in the child: should the supervisor itself be killed, the services get SIGTERM instead of living on unseen.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
