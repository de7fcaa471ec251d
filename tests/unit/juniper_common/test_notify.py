"""What the manager hears, on a real socket."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from juniper_common.notify import Notifier, Watchdog
from tests.unit.juniper_common.conftest import hear_all


@pytest.fixture
def notifier(manager: socket.socket) -> Iterator[Notifier]:  # noqa: ARG001 - it listens
    """Speaks to the manager."""
    notifier = Notifier()
    yield notifier
    notifier.close()


def test_each_state_is_a_datagram_of_its_own(manager: socket.socket, notifier: Notifier) -> None:
    """So that nothing wrong with one takes READY with it."""
    notifier.status("loading")
    notifier.ready()
    notifier.alive()
    notifier.stopping()
    assert hear_all(manager) == [b"STATUS=loading", b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_start_is_extended_in_microseconds(manager: socket.socket, notifier: Notifier) -> None:
    """As often as the work that takes so long has come on."""
    notifier.extend_timeout(30)
    notifier.extend_timeout(0.5)
    assert hear_all(manager) == [b"EXTEND_TIMEOUT_USEC=30000000", b"EXTEND_TIMEOUT_USEC=500000"]


def test_age_of_the_last_ping_is_kept() -> None:
    """Without a ping, as without a watchdog, there is none."""
    now_s = iter([100.0, 107.5])
    notifier = Notifier(clock_s=now_s.__next__)
    assert notifier.ping_age_s() is None
    notifier.alive()
    assert notifier.ping_age_s() == 7.5


def test_sign_beyond_latin_1_loses_nothing(manager: socket.socket, notifier: Notifier) -> None:
    """What the protocol's library cannot write is replaced, and what comes after arrives."""
    notifier.status("solved ✓ in 14 units")
    notifier.ready()
    assert hear_all(manager) == [b"STATUS=solved ? in 14 units", b"READY=1"]


def test_status_is_one_line(manager: socket.socket, notifier: Notifier) -> None:
    """A line break would begin another assignment."""
    notifier.status("failed\nREADY=1\r\n")
    assert hear_all(manager) == [b"STATUS=failed READY=1"]


def test_a_manager_that_does_not_read_is_not_waited_for(manager: socket.socket, notifier: Notifier) -> None:
    """Its queue is full; what it has no room for is left out, and the process goes on."""
    for number in range(10_000):
        notifier.status(f"{number}")
    heard = hear_all(manager)
    assert heard == [f"STATUS={number}".encode() for number in range(len(heard))]
    assert len(heard) < 10_000


def test_without_a_manager_nothing_is_said() -> None:
    """In a terminal there is no socket, and no error."""
    notifier = Notifier()
    notifier.ready()
    notifier.close()


def test_manager_that_left_is_logged_and_no_error(
    manager: socket.socket, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    """A process whose manager is gone must still be able to stop in order."""
    manager.close()
    notifier.stopping()
    assert "STOPPING=1" in caplog.text


@pytest.mark.parametrize("variables", [{}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_PID": "1"}])
def test_no_watchdog_where_none_was_asked_for(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """Without an interval, or with another process's, nobody waits for pings."""
    if "WATCHDOG_PID" in variables:
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Watchdog.from_environment(Notifier()) is None


def test_watchdog_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval is read in microseconds."""
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    watchdog = Watchdog.from_environment(Notifier())
    assert watchdog is not None
    assert watchdog.interval_s == 30


async def _watch(watchdog: Watchdog, seconds: float) -> bool:
    """Whether the watchdog gave up within some seconds."""
    task = asyncio.create_task(watchdog.run())
    await asyncio.sleep(seconds)
    return not task.cancel()


def test_watchdog_pings_twice_per_interval(
    manager: socket.socket, notifier: Notifier, virtual_time: asyncio.Runner
) -> None:
    """One lost ping does no harm."""
    virtual_time.run(_watch(Watchdog(notifier, 20.0, [lambda: None]), 41))
    assert hear_all(manager) == [b"WATCHDOG=1"] * 4


def test_watchdog_falls_silent_once_the_loop_was_late(
    manager: socket.socket,
    notifier: Notifier,
    virtual_time: asyncio.Runner,
    block_loop: Callable[[float], None],
) -> None:
    """A quarter of the interval is too late; the reason is told, and no ping follows."""

    async def watch() -> bool:
        asyncio.get_running_loop().call_later(15, block_loop, 10)
        return await _watch(Watchdog(notifier, 20.0), 200)

    assert virtual_time.run(watch())
    assert hear_all(manager) == [b"WATCHDOG=1", b"STATUS=the event loop was late by 5.0 s"]


def test_watchdog_forgives_a_little(
    manager: socket.socket,
    notifier: Notifier,
    virtual_time: asyncio.Runner,
    block_loop: Callable[[float], None],
) -> None:
    """Less than a quarter late is well."""

    async def watch() -> None:
        asyncio.get_running_loop().call_later(15, block_loop, 9)
        await _watch(Watchdog(notifier, 20.0), 30)

    virtual_time.run(watch())
    assert hear_all(manager) == [b"WATCHDOG=1"] * 2


def test_watchdog_falls_silent_once_a_check_objects(
    manager: socket.socket, notifier: Notifier, virtual_time: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """One objection is enough, even if it is withdrawn."""
    answers = iter([None, "the trainer hangs", None, None])
    watchdog = Watchdog(notifier, 20.0, [lambda: None, lambda: next(answers)])
    with caplog.at_level(logging.CRITICAL):
        assert virtual_time.run(_watch(watchdog, 200))
    assert hear_all(manager) == [b"WATCHDOG=1", b"STATUS=the trainer hangs"]
    assert "the trainer hangs" in caplog.text


def test_check_that_fails_is_an_objection(
    manager: socket.socket, notifier: Notifier, virtual_time: asyncio.Runner
) -> None:
    """A check with a fault cannot say that all is well, and must not end the task unheard."""

    def fail() -> str | None:
        raise KeyError("x")

    assert virtual_time.run(_watch(Watchdog(notifier, 20.0, [fail]), 200))
    assert hear_all(manager) == [b"STATUS=a check failed: KeyError('x')"]
