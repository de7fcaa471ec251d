"""The host as a whole: its load, its memory, and the disks that the services keep their data on."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl.locations import Locations
from juniper_ctl.services import Service
from juniper_ctl.usage import PROC


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system with state folders on it."""

    services: tuple[str, ...]
    folder: str
    total_bytes: int
    free_bytes: int
    """What a user without privileges can still write there."""


@dataclass(frozen=True, slots=True)
class Machine:
    """As `--json` prints it."""

    processors: int
    load: tuple[float, float, float]
    """Over 1, 5 and 15 minutes."""
    memory_total_bytes: int
    memory_available_bytes: int
    """What programs can still get without swapping."""
    swap_total_bytes: int
    swap_used_bytes: int
    disks: tuple[Disk, ...]


def machine(services: Iterable[Service], locations: Locations, proc: Path = PROC) -> Machine:
    """Measure it."""
    memory = {}
    for line in (proc / "meminfo").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        memory[name] = 1024 * int(value.split()[0])
    return Machine(
        processors=os.cpu_count() or 1,
        load=os.getloadavg(),
        memory_total_bytes=memory["MemTotal"],
        memory_available_bytes=memory["MemAvailable"],
        swap_total_bytes=memory["SwapTotal"],
        swap_used_bytes=memory["SwapTotal"] - memory["SwapFree"],
        disks=_disks(services, locations),
    )


def _disks(services: Iterable[Service], locations: Locations) -> tuple[Disk, ...]:
    """Each file system once, under the first of the folders on it."""
    named: dict[int, list[str]] = {}
    folders: dict[int, Path] = {}
    for service in services:
        folder = locations.state_of(service.name)
        if not folder.is_dir():  # the service was never started
            continue
        device = folder.stat().st_dev
        folders.setdefault(device, folder)
        named.setdefault(device, []).append(service.name)
    return tuple(_disk(folder, tuple(named[device])) for device, folder in folders.items())


def _disk(folder: Path, services: tuple[str, ...]) -> Disk:
    there = os.statvfs(folder)
    return Disk(services, str(folder), there.f_frsize * there.f_blocks, there.f_frsize * there.f_bavail)
