"""Whether a file is what was written; large files, once found whole, are not read again at each opening."""

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from io import BufferedReader

ALWAYS_READ_BYTES = 1 << 20
"""A file of this size or less is read at each opening."""

TRUSTED_S = 600.0
"""For so long a larger file that was found whole is taken to be whole while its inode is not changed."""

TRUSTED_FILES = 1024

Inode = tuple[int, int, int, int, int]


class Verifier:
    """Compares files with their checksums; for any threads.

    A file that is written to gets another ctime, which nobody can set back. What changes on the disk below the
    file system does not, and is found once the trust has run out.

    Args:
        clock_s: seconds that never go back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._trusted: OrderedDict[tuple[Inode, str], float] = OrderedDict()
        # Who asks for ranges of one file at once waits for one reading of it, not for as many as they are.
        self._reading = [threading.Lock() for _ in range(16)]

    def size_if_whole(self, file: BufferedReader, checksum: str) -> int | None:
        """The size of an open file; None where its content has another SHA-256. Leaves it at its start."""
        size = os.fstat(file.fileno()).st_size
        if size <= ALWAYS_READ_BYTES:
            content = file.read()
            file.seek(0)
            return len(content) if hashlib.sha256(content).hexdigest() == checksum else None
        inode = _inode(file)
        with self._reading[inode[1] % len(self._reading)]:
            if not self._is_trusted(inode, checksum):
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                if digest != checksum or _inode(file) != inode:
                    return None
                self._trust(inode, checksum)
        return size

    def _is_trusted(self, inode: Inode, checksum: str) -> bool:
        with self._lock:
            return self._trusted.get((inode, checksum), float("-inf")) > self._clock_s()

    def _trust(self, inode: Inode, checksum: str) -> None:
        with self._lock:
            self._trusted[inode, checksum] = self._clock_s() + TRUSTED_S
            self._trusted.move_to_end((inode, checksum))
            if len(self._trusted) > TRUSTED_FILES:
                self._trusted.popitem(last=False)


def _inode(file: BufferedReader) -> Inode:
    stat = os.fstat(file.fileno())
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
