"""How often a service was started on its state folder: a number in a file, which is written whole or not at all."""

import logging
import os
from pathlib import Path

FILE_NAME = "starts"

log = logging.getLogger(__name__)


def counted(folder: Path) -> int:
    """The starts so far. A count that is damaged is taken for 0, and that is said."""
    path = folder / FILE_NAME
    try:
        return int(path.read_bytes())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("the count of starts in %s cannot be read, and is taken for 0: %s", path, error)
        return 0


def count(folder: Path) -> None:
    """Count one more start. What keeps it from being written is said, and keeps nobody from serving."""
    temporary = folder / f".{FILE_NAME}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("w") as file:
            file.write(str(counted(folder) + 1))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE_NAME)
    except OSError as error:
        log.warning("this start is not counted: %s", error)
