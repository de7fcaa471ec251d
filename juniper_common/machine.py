"""What a host has, and what of it is in use."""

import logging
import os
from pathlib import Path

import psutil

from juniper_common.wire.host import Machine

log = logging.getLogger(__name__)


class MachineMeter:
    """Measures the host that this process runs on.

    Args:
        folder: of whose file system the space is told.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._busy_s = 0.0
        self._all_s = 0.0

    def measure(self) -> Machine | None:
        """The host as it is now; None where a sandbox hides it, since that is no error."""
        try:
            memory, swap = psutil.virtual_memory(), psutil.swap_memory()
            cpu_percent = self._cpu_percent()
        except OSError as error:
            log.debug("the host cannot be measured: %s", error)
            return None
        disk_total, disk_free = disk_space(self._folder)
        return Machine(
            processors=psutil.cpu_count() or 1,
            cpu_percent=cpu_percent,
            memory_total=memory.total,
            memory_available=memory.available,
            swap_total=swap.total,
            swap_used=swap.used,
            disk_total=disk_total,
            disk_free=disk_free,
        )

    def _cpu_percent(self) -> float:
        times = psutil.cpu_times()
        # A guest's time is in user's already.
        all_s = sum(times) - times.guest - times.guest_nice
        busy_s = all_s - times.idle - times.iowait
        passed_s = all_s - self._all_s
        share = 100 * (busy_s - self._busy_s) / passed_s if passed_s > 0 else 0.0
        self._busy_s, self._all_s = busy_s, all_s
        return min(max(share, 0.0), 100.0)  # the kernel's idle time may go back a little


def disk_space(folder: Path) -> tuple[int | None, int | None]:
    """How large the file system of a folder is, and what is free for this user; None where there is no such folder."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None, None
    return told.f_blocks * told.f_frsize, told.f_bavail * told.f_frsize
