"""The real dataset service, its store on a disk."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.service.running import Started, started

DISK = Path("/var/tmp")  # noqa: S108 - /tmp may be memory, where nothing takes the time that it takes on a disk


@contextmanager
def running_service(**settings: object) -> Iterator[Started]:
    """Start the service with a new store, and end both; settings as in `wait_s=1`."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder, started("data", Path(folder), settings) as service:
        yield service


def resident_mb(pid: int) -> float:
    """Resident memory of a process now."""
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """Most of it that there ever was."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, field: str) -> float:
    """Raises FileNotFoundError, or ValueError, where the process has ended."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise ValueError(f"process {pid} has no memory any more")
    return int(found[1]) * 1024 / 1e6
