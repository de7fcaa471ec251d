"""Doctor's section on the disk: room, and whose the folders are."""

import os
from collections.abc import Iterator
from pathlib import Path

from juniper_ctl import scope
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.locations import Locations
from juniper_ctl.services import of_this_host

LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
"""Below either of them the disk is as good as full: a snapshot, a backup or the next release needs more."""


def look(locations: Locations) -> list[Finding]:
    """Room for what the services keep, and whether they may write there."""
    folders = [locations.state_of(service.name) for service in of_this_host(locations)]
    return [*_room(folders), *_owned(folders)]


def _room(folders: list[Path]) -> Iterator[Finding]:
    """Once for each file system."""
    seen = set()
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        disk = os.statvfs(there)
        free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        said = f"{free / 2**30:.1f} of {size / 2**30:.1f} GiB are free for {there}"
        if free < LEAST_FREE_BYTES or free < LEAST_FREE_SHARE * size:
            yield Finding("wrong", said, f"du -xh --max-depth=2 {there} | sort -h | tail")
        elif disk.f_files and disk.f_favail < LEAST_FREE_SHARE * disk.f_files:
            yield Finding("wrong", f"the disk of {there} is short of inodes", f"df -i {there}")
        else:
            yield Finding("ok", said)


def _owned(folders: list[Path]) -> list[Finding]:
    """A state folder of somebody else, as after a `sudo`, keeps its service from starting."""
    if scope.chosen() == "system":
        return []  # they belong to whom the units name
    return [
        Finding("wrong", f"{folder} is not yours to write", f"sudo chown -R $(id -un): {folder}")
        for folder in folders
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    ]
