"""A file that is being sent: written down and hashed as it comes, in pieces, never whole in memory."""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import Self

_GATHERED_BYTES = 1 << 20
"""So much is gathered before it is worth a thread to write it."""


class IncomingFile:
    """A new file, open to be written. `write` and `close` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._file = path.open("xb", buffering=0)
        self._gathered: list[bytes] = []
        self._n_gathered = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def take(self, piece: bytes) -> bool:
        """Take a piece; whether there is enough to `write`."""
        self._gathered.append(piece)
        self._n_gathered += len(piece)
        self.size += len(piece)
        return self._n_gathered >= _GATHERED_BYTES

    def write(self) -> None:
        """Write what was taken."""
        content = memoryview(b"".join(self._gathered))
        self._gathered, self._n_gathered = [], 0
        self._digest.update(content)
        while content:
            content = content[self._file.write(content) :]

    @property
    def sha256(self) -> str:
        """The checksum of what was written."""
        return self._digest.hexdigest()
