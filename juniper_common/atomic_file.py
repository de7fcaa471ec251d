"""Files that are there whole or not at all, whatever ends the process or the machine."""

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_SUFFIX = ".partial"


def replace_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file in place of the one that is there, if any. Raises OSError; then the old file stays."""
    with NewFile(path) as new:
        new.file.write(content)
        new.keep()


class NewFile:
    """A file that grows beside its place: `keep` puts it there; what is not kept is gone at the end of the `with`.

    Its methods raise OSError; then the old file stays. A kill may leave a temporary file beside it, hidden and never
    read; `remove_leftovers` removes it.
    """

    file: BinaryIO

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_SUFFIX}")

    def keep(self) -> None:
        """Let it take the place of the one that is there, if any."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self._temporary.replace(self._path)
        sync(self._path.parent)

    def __enter__(self) -> Self:
        """Begin it."""
        self.file = self._temporary.open("x+b")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not kept."""
        self.file.close()
        self._temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left behind; for a folder that nobody else is writing into."""
    for path in folder.glob(f".*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Bring what was written into a file, or which names there are in a folder, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
