"""A tiny service as a process: what its manager, its operator and its callers see."""

import contextlib
import http.client
import re
import signal
import socket
import subprocess

import httpx
import pytest

from tests.unit.juniper_common.conftest import KEPT, Start, hear_all, hear_until


def _end(process: "subprocess.Popen[str]") -> tuple[int, list[str]]:
    """The exit code and what was said on standard error."""
    _, said = process.communicate(timeout=30)
    return process.returncode, said.splitlines()


def test_ready_means_ready(start: Start, manager: socket.socket, port: str) -> None:
    """READY comes after the app started and the self-check, which itself found the port open."""
    start(JUNIPER_TINY_PORT=port)
    heard = hear_until(manager, b"READY=1")
    assert heard == [KEPT, b"X_APP=starting", b"X_SELF_CHECK=1", b"STATUS=ready", b"READY=1"]
    assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_in_order(start: Start, manager: socket.socket, number: signal.Signals) -> None:
    """It says so first, lets the app end, and its exit code is no failure."""
    process = start()
    hear_until(manager, b"READY=1")
    process.send_signal(number)
    code, _ = _end(process)
    assert code == 0
    assert hear_until(manager, b"X_APP=ended") == [b"STOPPING=1", b"X_APP=ended"]


def test_who_was_let_in_last_is_still_answered(start: Start, manager: socket.socket, port: str) -> None:
    """A caller that is told to wait for the next process has not sent anything yet; this one has been let in."""
    process = start(JUNIPER_TINY_PORT=port, TINY_FAULT="patient")
    hear_until(manager, b"READY=1")
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)) as caller:
        caller.request("GET", "/")
        assert caller.getresponse().read() == b"hello"
        process.send_signal(signal.SIGTERM)
        hear_until(manager, b"STOPPING=1")
        caller.request("GET", "/")
        assert caller.getresponse().read() == b"hello"
    assert _end(process)[0] == 0


def test_it_stops_in_order_without_its_manager(start: Start, manager: socket.socket) -> None:
    """A manager that died does not leave a service half stopped: only the app's own farewell finds nobody."""
    process = start()
    hear_until(manager, b"READY=1")
    manager.close()
    process.send_signal(signal.SIGTERM)
    code, said = _end(process)
    assert code == 0
    assert any("nobody was told STOPPING=1" in line for line in said)
    assert any("ConnectionRefusedError" in line for line in said)  # From the app's end, which was reached.


def test_free_port_is_named(start: Start, manager: socket.socket) -> None:
    """Whoever asked for any free port reads in the log which one it is, of an IPv6 address too."""
    process = start(JUNIPER_TINY_HOST="::1", JUNIPER_TINY_PORT="0")
    hear_until(manager, b"READY=1")
    process.send_signal(signal.SIGTERM)
    _, said = _end(process)
    assert re.search(r"listening on ::1 port [1-9]\d*$", "\n".join(said), re.MULTILINE)


def test_taken_port_is_one_line_and_75(start: Start) -> None:
    """The manager tries again, the operator reads how to find who holds it."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = str(holder.getsockname()[1])
        code, said = _end(start(JUNIPER_TINY_PORT=taken))
    assert (code, len(said)) == (75, 1)
    assert said[0].startswith(f"juniper-tiny: port {taken} on 127.0.0.1 is taken")


def test_port_is_taken_while_its_app_starts(start: Start, manager: socket.socket, port: str) -> None:
    """Of two that start at once, the second knows at once, and not only after its app has started too."""
    start(JUNIPER_TINY_PORT=port, TINY_FAULT="slow start")
    hear_until(manager, b"X_APP=starting")
    code, said = _end(start(JUNIPER_TINY_PORT=port))
    assert (code, len(said)) == (75, 1)


@pytest.mark.parametrize(
    ("began", "endless"),
    [
        (b"GET / HTTP/1.1\r\nX-Long: ", b"x" * 100_000),
        (b"GET /", b"x" * 100_000),
        (b"GET / HTTP/1.1\r\n", b"X-Many: x\r\n" * 10_000),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Late: ", b"x" * 100_000),
        (b"", b"GET / HTTP/1.1\r\n\r\n" * 10_000),
    ],
)
def test_caller_without_end_is_cut_off(
    start: Start, manager: socket.socket, port: str, began: bytes, endless: bytes
) -> None:
    """Whoever sends a head, or requests whose answers it does not read, without end: all of that would be held."""
    start(JUNIPER_TINY_PORT=port)
    hear_until(manager, b"READY=1")
    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as caller:
        caller.sendall(began)
        with pytest.raises(ConnectionError):
            for _ in range(300):
                caller.sendall(endless)
    assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"


def test_long_body_is_no_head(start: Start, manager: socket.socket, port: str) -> None:
    """In small chunks, of which each has a line of its own before it."""
    start(JUNIPER_TINY_PORT=port)
    hear_until(manager, b"READY=1")
    answer = httpx.post(f"http://127.0.0.1:{port}/", content=(b"x" * 1000 for _ in range(1000)))
    assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED


def test_address_of_another_host_is_one_line_and_78(start: Start) -> None:
    """Trying again would not help."""
    code, said = _end(start(JUNIPER_TINY_HOST="192.0.2.1"))
    assert (code, len(said)) == (78, 1)
    assert "192.0.2.1" in said[0]


def test_each_wrong_setting_is_one_line_and_78(start: Start) -> None:
    """Nothing else is said, and nothing is started."""
    code, said = _end(start(JUNIPER_TINY_PORT="many", JUNIPER_TINY_LOG_LEVEL="loud"))
    assert code == 78
    assert sorted(line.split(": ")[1] for line in said) == ["JUNIPER_TINY_LOG_LEVEL", "JUNIPER_TINY_PORT"]


def test_status_that_the_service_told_stays(start: Start, manager: socket.socket) -> None:
    """What it said while it started, by the notifier that it shares with the server, is not overwritten by "ready"."""
    start(TINY_FAULT="speaks")
    heard = hear_until(manager, b"READY=1")
    assert b"EXTEND_TIMEOUT_USEC=5000000" in heard
    assert [line for line in heard if line.startswith(b"STATUS=")] == [b"STATUS=restored 2 runs"]


def test_failed_self_check_is_told_and_1(start: Start, manager: socket.socket) -> None:
    """Never ready; the app ends in order, and the log has the reason."""
    code, said = _end(start(TINY_FAULT="self-check"))
    heard = hear_until(manager, b"X_APP=ended")
    assert code == 1
    assert heard == [KEPT, b"X_APP=starting", b"STATUS=the self-check failed", b"STOPPING=1", b"X_APP=ended"]
    assert any("the store is away" in line for line in said)


def test_app_that_cannot_start_is_a_failure(start: Start, manager: socket.socket) -> None:
    """Never ready, and the exit code has the manager try again."""
    code, said = _end(start(TINY_FAULT="start"))
    assert code not in (0, 78)
    assert any("the app cannot start" in line for line in said)
    assert hear_all(manager) == [KEPT]


def test_watchdog_is_answered_while_all_is_well(start: Start, manager: socket.socket) -> None:
    """A manager that asks for pings gets them, after READY, and they do not keep the service from stopping."""
    process = start(WATCHDOG_USEC="3000000")
    heard = hear_until(manager, b"WATCHDOG=1")
    process.send_signal(signal.SIGTERM)
    code, _ = _end(process)
    assert heard[-2:] == [b"READY=1", b"WATCHDOG=1"]
    assert code == 0


def test_watchdog_is_not_answered_when_a_check_objects(start: Start, manager: socket.socket) -> None:
    """The reason comes in place of the ping."""
    start(WATCHDOG_USEC="3000000", TINY_FAULT="ill")
    assert hear_until(manager, b"STATUS=ill")[-2:] == [b"READY=1", b"STATUS=ill"]


def test_aborted_it_says_where_it_was(start: Start, manager: socket.socket) -> None:
    """As the watchdog's signal does to a service that hangs: each thread's place is on standard error."""
    process = start()
    hear_until(manager, b"READY=1")
    process.send_signal(signal.SIGABRT)
    code, said = _end(process)
    assert code == -signal.SIGABRT
    assert any("server.py" in line and " in serve" in line for line in said)
