"""Files that are there whole or not at all, whatever ends the process or the machine."""

import os
import secrets
from pathlib import Path

_SUFFIX = ".partial"


def replace_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file in place of the one that is there, if any. Raises OSError; then the old file stays.

    A kill may leave a temporary file beside it, hidden and never read; `remove_leftovers` removes it.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_SUFFIX}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left behind; for a folder that nobody else is writing into."""
    for path in folder.glob(f".*{_SUFFIX}"):
        path.unlink(missing_ok=True)
