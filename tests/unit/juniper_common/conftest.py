"""The world around a process: a clean environment, a manager that listens, a clock that does not wait."""

import asyncio
import os
import selectors
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_OF_THE_MANAGER = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM")
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
