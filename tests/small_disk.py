"""A file system of its own, with room for little, that only one process and its children see."""

import os
import shutil
from pathlib import Path

import pytest

MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'


def small_disk(folder: Path, size: str) -> tuple[str, ...]:
    """What a command begins with that sees such a disk in this folder; skips the test where there can be none.

    Args:
        folder: made where it is missing; whoever else looks there sees nothing of it.
        size: as mount takes it, `2m` for two megabytes.
    """
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a file system of its own takes root and unshare")
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNT, str(folder), size)
