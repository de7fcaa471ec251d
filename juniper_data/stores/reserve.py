"""Room on the disk that is kept for what frees room: on a full one SQLite could not even note a deletion."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from juniper_data.errors import StoreFullError

RESERVE_BYTES = 1 << 20

T = TypeVar("T")


class Reserve:
    """A file that takes room and holds nothing; several processes may share it.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Take the room where it is not taken, or what there is of it. Raises OSError."""
        with self._path.open("ab") as file:
            disk = os.statvfs(file.fileno())
            size = min(RESERVE_BYTES, file.tell() + disk.f_bavail * disk.f_frsize)
            if size > file.tell():
                os.posix_fallocate(file.fileno(), 0, size)

    def used_for(self, call: Callable[[], T]) -> T:
        """What a call returns; one that a full disk refuses is made again with the room that is kept."""
        try:
            return call()
        except StoreFullError:
            self._path.unlink(missing_ok=True)
            return call()
