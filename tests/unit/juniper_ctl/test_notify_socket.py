import socket
from pathlib import Path

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
