"""What the probes try to reach: everything here is open to the user `juniper`, so that a sandbox alone can refuse it.

Runs on the host, with the standard library alone: `python3 -m tests.host.bait prepare` as root, once; `serve`, as the
user, is the process outside of every sandbox.
"""

import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

BAIT = Path("/usr/local/share/juniper-bait")
"""Among the system's files, and everybody may write there."""

TMP_FILE = Path("/tmp/juniper-bait")  # noqa: S108
SHARED_FILE = Path("/dev/shm/juniper-bait")  # noqa: S108
DEVICE = Path("/dev/juniper-bait")
TUNABLES = Path("/sys/kernel/debug")
MODULES = Path("/usr/lib/modules")
SHARED_MEMORY_KEY = 0x6A756E69
ABSTRACT_SOCKET = "\0juniper-bait"
DAEMON = Path("/run/juniper-bait/socket")
"""Of one who gives away privileges to whoever may talk to it, as container engines do."""
PORT = 8999

SET_USER_ID, CAPABLE, CODE_OF_32_BITS = BAIT / "set-user-id", BAIT / "capable", BAIT / "code-of-32-bits"
_CAP_NET_RAW = 13


def prepare() -> None:
    """Lay out what takes root."""
    for folder in (BAIT, DAEMON.parent):
        folder.mkdir()
        folder.chmod(0o777)
    shutil.copy("/usr/bin/id", SET_USER_ID)
    SET_USER_ID.chmod(0o4755)
    shutil.copy(Path(sys.executable).resolve(), CAPABLE)
    os.setxattr(CAPABLE, "security.capability", struct.pack("<5I", 0x02000001, 1 << _CAP_NET_RAW, 0, 0, 0))
    CODE_OF_32_BITS.write_bytes(_exit_of_32_bits())
    CODE_OF_32_BITS.chmod(0o755)
    for file in (TMP_FILE, SHARED_FILE):
        file.touch()
        file.chmod(0o644)
    DEVICE.touch()
    subprocess.run(["mount", "--bind", "/dev/null", DEVICE], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "tmpfs", TUNABLES], check=True)
    MODULES.mkdir(exist_ok=True)


def _exit_of_32_bits() -> bytes:
    """The smallest program for Linux on i386: exit(0)."""
    code = bytes.fromhex("b801000000 31db cd80")
    base, header, program = 0x08048000, 52, 32
    start = header + program
    identity = b"\x7fELF\x01\x01\x01" + bytes(9)
    return (
        struct.pack("<16sHHIIIIIHHHHHH", identity, 2, 3, 1, base + start, header, 0, 0, header, program, 1, 0, 0, 0)
        + struct.pack("<8I", 1, 0, base, base, start + len(code), start + len(code), 5, 4096)
        + code
    )


def serve() -> None:
    """Be there, with doors of each kind open, until the end."""
    if ctypes.CDLL(None).shmget(SHARED_MEMORY_KEY, 4096, 0o1600) == -1:
        raise OSError("no shared memory")
    abstract, daemon, port = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX), socket.socket()
    abstract.bind(ABSTRACT_SOCKET)
    daemon.bind(str(DAEMON))
    port.bind(("127.0.0.1", PORT))
    for door in (abstract, daemon, port):
        door.listen()
    (BAIT / "state").write_text(os.environ["STATE_DIRECTORY"], encoding="utf-8")
    (BAIT / "pid").write_text(str(os.getpid()), encoding="ascii")
    signal.pause()


if __name__ == "__main__":
    {"prepare": prepare, "serve": serve}[sys.argv[1]]()
