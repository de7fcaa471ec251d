import socket
from pathlib import Path

import pytest

from juniper_ctl.notify_socket import NotifySocket


def test_assignments_come_in_the_order_they_were_sent(tmp_path: Path) -> None:
    """Several may be in one datagram; what is no assignment is nobody's loss."""
    with NotifySocket(tmp_path / "notify") as notify, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.connect(str(notify.path))
        service.send(b"STATUS=a=b\nnonsense\nMAINPID=7")
        service.send("STATUS=\N{CHECK MARK}".encode())
        assert list(notify.received()) == [("STATUS", "a=b"), ("MAINPID", "7"), ("STATUS", "\N{CHECK MARK}")]
        assert list(notify.received()) == []
    assert not (tmp_path / "notify").exists()


def test_a_socket_that_a_service_hands_over_is_closed(tmp_path: Path) -> None:
    """Nothing is kept for a service in the foreground: its port would stay open after its end."""
    with NotifySocket(tmp_path / "notify") as notify, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.connect(str(notify.path))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
            socket.send_fds(service, [b"FDSTORE=1\nFDNAME=listen"], [listener.fileno()])
        assert list(notify.received()) == [("FDSTORE", "1"), ("FDNAME", "listen")]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=30)
