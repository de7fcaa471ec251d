"""The journal's native protocol: one entry with fields that can be asked for, whatever their text holds.

Libraries for it need libsystemd, and a compiler or a wheel of their own. The protocol itself is stable and small:
https://systemd.io/JOURNAL_NATIVE_PROTOCOL
"""

import array
import errno
import fcntl
import os
import socket
from collections.abc import Mapping

SOCKET = "/run/systemd/journal/socket"

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def is_standard_error() -> bool:
    """Whether the journal reads what this process writes to standard error; systemd says where that would go."""
    told = os.environ.get("JOURNAL_STREAM")
    if told is None:
        return False
    stream = os.fstat(2)
    return told == f"{stream.st_dev}:{stream.st_ino}"


class Journal:
    """Sends entries. Whoever listens there may come and go: each entry looks for it anew.

    Args:
        address: the socket's path.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._opened: socket.socket | None = None

    def send(self, fields: Mapping[str, str]) -> None:
        """Send one entry; names are capitals, digits and underscores.

        Raises:
            OSError: nobody takes it.
        """
        entry = b"".join(_encoded(name, value) for name, value in fields.items())
        try:
            self._socket().sendto(entry, self._address)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            self._send_as_file(entry)

    def close(self) -> None:
        """Close the socket."""
        if self._opened is not None:
            self._opened.close()

    def _socket(self) -> socket.socket:
        # Only now: a sandbox may allow no socket at all, which is an error of sending.
        self._opened = self._opened or socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        return self._opened

    def _send_as_file(self, entry: bytes) -> None:
        """What no datagram holds goes as a file in memory. The journal takes none that can still change."""
        file = os.memfd_create("juniper-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(file, "wb", buffering=0) as memory:
            memory.write(entry)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
            # Not socket.send_fds: Python 3.11's forgets the address.
            descriptors = array.array("i", [memory.fileno()])
            self._socket().sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)], 0, self._address)


def _encoded(name: str, value: str) -> bytes:
    """`NAME=value`. A value of several lines has its length before it: none of them passes for another field."""
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode("ascii"), data)
    return b"%s\n%s%s\n" % (name.encode("ascii"), len(data).to_bytes(8, "little"), data)
