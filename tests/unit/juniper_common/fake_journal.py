"""A journal that listens on a socket of the test's, and reads entries as journald does."""

import fcntl
import os
import socket
from pathlib import Path

LENGTH_BYTES = 8
ALL_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class FakeJournal:
    """Listens from the beginning on."""

    def __init__(self, address: Path) -> None:
        self.address = str(address)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.bind(self.address)
        self._listener.setblocking(False)

    def close(self) -> None:
        """It is gone, and its socket with it."""
        self._listener.close()
        Path(self.address).unlink(missing_ok=True)

    def entries(self) -> list[dict[str, str]]:
        """The fields of each entry that came since the last time."""
        found: list[dict[str, str]] = []
        while True:
            try:
                data, files, _, _ = socket.recv_fds(self._listener, 1 << 20, 1)
            except BlockingIOError:
                return found
            found.append(_parsed(data or _sealed(files[0])))

    def messages(self) -> list[str]:
        """What they say."""
        return [entry["MESSAGE"] for entry in self.entries()]


def _sealed(file: int) -> bytes:
    with os.fdopen(file, "rb") as memory:
        assert fcntl.fcntl(memory, fcntl.F_GET_SEALS) == ALL_SEALS, "journald takes no file that can still change"
        memory.seek(0)
        return memory.read()


def _parsed(data: bytes) -> dict[str, str]:
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, has_text, text = line.partition(b"=")
        if not has_text:
            length = int.from_bytes(data[:LENGTH_BYTES], "little")
            text, data = data[LENGTH_BYTES : LENGTH_BYTES + length], data[LENGTH_BYTES + length + 1 :]
        fields[name.decode()] = text.decode()
    return fields
