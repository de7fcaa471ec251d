"""Doctor's section on what is kept: room on the disk, whose the folders are, and how the store of datasets is."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from juniper_ctl import scope
from juniper_ctl.doctor.findings import Finding
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError
from juniper_ctl.health import in_time
from juniper_ctl.locations import Locations
from juniper_ctl.service_api import ServiceApi
from juniper_ctl.services import DATA, of_this_host
from juniper_ctl.table import printable

ANSWER_S = 5.0
LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
"""Below either of them the disk is as good as full: a snapshot, a backup or the next release needs more."""


def look(locations: Locations) -> list[Finding]:
    """Room for what the services keep, whether they may write there, and where datasets are."""
    services = of_this_host(locations)
    folders = [locations.state_of(service.name) for service in services]
    return [*_room(folders), *_owned(folders), *([_store(locations)] if DATA in services else [])]


def _store(locations: Locations) -> Finding:
    """What the service says of its store; what is set, where it says nothing."""
    environment = environment_of(DATA, locations, over=os.environ)
    is_set = f"datasets are kept in {printable(environment.get('JUNIPER_DATA_STORE') or 'file_system')}"
    try:
        api = ServiceApi.keyless(environment, DATA, locations, ANSWER_S)
        answer = in_time(partial(api.get, "/v1/health/ready"), ANSWER_S)
    except ControlError as error:
        return Finding("unknown", f"{is_set}, as it is set: {error.message}", error.next_command)
    except OSError:
        return Finding("unknown", f"{is_set}, as it is set: {DATA.name} does not answer", "juniper-ctl start data")
    told = printable(answer.text("dependencies", "store", "message"))
    match answer.text("dependencies", "store", "status"):
        case "healthy":
            return Finding("ok", f"datasets are kept in {told}")
        case "unhealthy":
            return Finding("wrong", f"{is_set}; the store fails: {told}", "juniper-ctl logs data")
    return Finding("unknown", f"{is_set}, as it is set: no answer of {DATA.command}", "juniper-ctl doctor ports")


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
