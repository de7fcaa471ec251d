"""The world around a process: a clean environment, a manager that listens, a clock that does not wait."""

import asyncio
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

import juniper_common

_OF_THE_MANAGER = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID")
_FOLDERS = ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("JUNIPER_") or name in _OF_THE_MANAGER or name in _FOLDERS:
            monkeypatch.delenv(name)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket on which a manager hears what a process says of itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


class Start(Protocol):
    """Starts the tiny service."""

    def __call__(self, *, kept: socket.socket | None = None, **variables: str) -> "subprocess.Popen[str]":
        """With variables of the test, and the socket that the manager kept of an earlier process."""


_SERVICE = str(Path(__file__).with_name("tiny_service.py"))
_ROOT = Path(juniper_common.__file__).parents[1]
_HANDS_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update({"LISTEN_FDS": "1", "LISTEN_FDNAMES": "listen", "LISTEN_PID": str(os.getpid())})
os.execv(sys.executable, [sys.executable, sys.argv[2]])
"""
"""As a manager does it between fork and exec: what is kept becomes descriptor 3."""


@pytest.fixture
def start(manager: socket.socket, tmp_path: Path) -> Iterator[Start]:  # noqa: ARG001 - it listens
    """Starts the service with settings of the test; whatever still runs at the end is killed."""
    with ExitStack() as stack:

        def start(*, kept: socket.socket | None = None, **variables: str) -> "subprocess.Popen[str]":
            environment = os.environ | {"PYTHONPATH": str(_ROOT), "JUNIPER_TINY_STATE_DIR": str(tmp_path)} | variables
            handed = [] if kept is None else [kept.fileno()]
            command = [_SERVICE] if kept is None else ["-c", _HANDS_OVER, str(kept.fileno()), _SERVICE]
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, *command], env=environment, stderr=subprocess.PIPE, text=True, pass_fds=handed
                )
            )
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def port() -> str:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


KEPT = b"FDSTORE=1\nFDNAME=listen\nFDPOLL=0"
"""What comes with the socket that the manager is to keep."""


def hear_all(manager: socket.socket) -> list[bytes]:
    """What the manager was told and has not heard yet."""
    manager.setblocking(False)
    heard = []
    while True:
        try:
            heard.append(manager.recv(4096))
        except BlockingIOError:
            return heard


def hear_until(manager: socket.socket, last: bytes) -> list[bytes]:
    """What the manager was told from now on, up to the last line."""
    heard = [manager.recv(4096)]
    while heard[-1] != last:
        heard.append(manager.recv(4096))
    return heard


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Waits for nothing: its clock jumps to whatever is due next."""

    def __init__(self) -> None:
        self.now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.now_s


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: _VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now_s += timeout or 0
        return super().select(0)


@pytest.fixture
def virtual_time() -> Iterator[asyncio.Runner]:
    """Runs a coroutine in a time of its own, which passes at once and depends on nothing else."""
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        yield runner


@pytest.fixture
def block_loop() -> Callable[[float], None]:
    """Lets seconds pass in which the running virtual loop can do nothing, as a long computation would."""

    def block(seconds: float) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _VirtualTimeLoop)
        loop.now_s += seconds

    return block
