"""The socket that outlives its process: a tiny service, and a manager that keeps what it is handed."""

import os
import signal
import socket

import pytest

from tests.unit.juniper_common.conftest import KEPT, Start, hear_all, hear_until

REMOVED = b"FDSTOREREMOVE=1\nFDNAME=listen"
REQUEST = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"


def keep(manager: socket.socket) -> socket.socket:
    """The socket that the service hands over, which must be the first that it says."""
    said, descriptors, _, _ = socket.recv_fds(manager, 4096, 4)
    assert (said, len(descriptors)) == (KEPT, 1)
    return socket.socket(fileno=descriptors[0])


def answer(caller: socket.socket) -> str:
    """All that the service answers to one request."""
    with caller.makefile("rb") as stream:
        return stream.read().decode()


def test_who_calls_between_two_processes_is_answered_by_the_next(
    start: Start, manager: socket.socket, port: str
) -> None:
    """Even where the first was killed: the call waits in the socket that the manager kept."""
    first = start(JUNIPER_TINY_PORT=port)
    with keep(manager) as kept:
        hear_until(manager, b"READY=1")
        first.kill()
        first.wait()
        with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as caller:
            caller.sendall(REQUEST)
            start(kept=kept, JUNIPER_TINY_PORT=port)
            assert answer(caller).endswith("hello")
    assert KEPT not in hear_until(manager, b"READY=1")


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_port_that_was_free_stays_the_same(start: Start, manager: socket.socket, host: str) -> None:
    """Port 0 takes any, so that of the process before; the address may be IPv6, or a name."""
    first = start(JUNIPER_TINY_HOST=host)
    with keep(manager) as kept:
        hear_until(manager, b"READY=1")
        first.kill()
        first.wait()
        start(kept=kept, JUNIPER_TINY_HOST=host)
        hear_until(manager, b"READY=1")
        with socket.create_connection(kept.getsockname()[:2], timeout=30) as caller:
            caller.sendall(REQUEST)
            assert answer(caller).endswith("hello")


def test_port_that_the_settings_no_longer_say_is_closed(start: Start, manager: socket.socket, port: str) -> None:
    """At once, and the manager is told to close its end too; the new one is kept."""
    with socket.create_server(("127.0.0.1", 0)) as kept:
        start(kept=kept, JUNIPER_TINY_PORT=port)
        assert manager.recv(4096) == REMOVED
        with keep(manager) as new:
            assert new.getsockname() == ("127.0.0.1", int(port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(kept.getsockname(), timeout=30)


def test_same_port_at_another_address_is_free_at_once(start: Start, manager: socket.socket, port: str) -> None:
    """Although the manager has not closed its end yet: the service does not have to be started twice."""
    with socket.create_server(("127.0.0.1", int(port))) as kept:
        # Without keys production listens on the loopback alone.
        start(kept=kept, JUNIPER_ENV="dev", JUNIPER_TINY_HOST="0.0.0.0", JUNIPER_TINY_PORT=port)  # noqa: S104 - a test
        hear_until(manager, b"READY=1")
        with socket.create_connection(kept.getsockname(), timeout=30) as caller:
            caller.sendall(REQUEST)
            assert answer(caller).endswith("hello")


def test_what_another_process_was_handed_is_not_taken(start: Start, manager: socket.socket, port: str) -> None:
    """The variables reach the children of whom they are for, where descriptor 3 is something else."""
    start(JUNIPER_TINY_PORT=port, LISTEN_FDS="1", LISTEN_FDNAMES="listen", LISTEN_PID=str(os.getpid()))
    with keep(manager) as new:
        assert new.getsockname() == ("127.0.0.1", int(port))


def test_child_of_the_service_has_no_part_in_it(start: Start, manager: socket.socket) -> None:
    """It is told of no descriptors, and has none of them: with one, the port would stay open after a stop."""
    with socket.create_server(("127.0.0.1", 0)) as kept:
        start(kept=kept, TINY_FAULT="parent")
        heard = hear_until(manager, b"READY=1")
    assert b"X_CHILD=False" in heard


def test_socket_is_still_there_after_an_orderly_end(start: Start, manager: socket.socket, port: str) -> None:
    """The service closes its own end alone: whether the port stays is the manager's to say."""
    process = start(JUNIPER_TINY_PORT=port)
    with keep(manager) as kept:
        hear_until(manager, b"READY=1")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert REMOVED not in hear_all(manager)
        socket.create_connection(("127.0.0.1", int(port)), timeout=30).close()
        kept.accept()[0].close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=30)
