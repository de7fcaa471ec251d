"""Takes a backup of what the services keep, while they run."""

import errno
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from juniper_ctl import profiles
from juniper_ctl.backups import file_copy, restore_plan, sqlite_copy
from juniper_ctl.backups.file_copy import SourceError
from juniper_ctl.backups.folder import BackupFolder, name_at
from juniper_ctl.backups.manifest import FILE_NAME, FileRecord, Manifest, ServiceRecord
from juniper_ctl.backups.state_copy import StateCopy
from juniper_ctl.backups.stored_state import DATABASES, STATES
from juniper_ctl.checkout import version_of_this_program
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, program_as_typed, say
from juniper_ctl.services import Service

SETTINGS = "settings"

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def backup(services: Sequence[Service], to: Path | None, *, as_json: bool) -> Exit:
    """Take one, and say what is in it. Degraded where it has nothing, or not all, or what was damaged before.

    Raises:
        ControlError: there is no backup now that was not there before.
    """
    locations = Locations.of(os.environ)
    folder = BackupFolder.of(to, locations)
    began = time.monotonic()
    try:
        with folder.locked():
            restore_plan.refuse_unfinished(folder)
            path, manifest = take(services, folder, locations)
    except (OSError, sqlite3.OperationalError) as error:
        if not _is_full(error):
            raise
        raise ControlError(
            f"there is no room for a backup in {folder.path}; nothing is left of it",
            next_command=f"df -h {folder.path}",
        ) from error
    verdict = Exit.DEGRADED if manifest.problems or not manifest.services else Exit.OK
    if as_json:
        print_json({"verdict": verdict.name.lower(), "path": str(path), **summary(manifest)})
        return verdict
    for service in services:
        if service.name not in manifest.services:
            say(service.name, f"has kept nothing yet in {state_folder(service, locations)}")
    for name, record in manifest.services.items():
        files = manifest.of(name)
        say(name, f"{len(files)} files, {sum(file.size for file in files.values()) / 1e6:.1f} MB")
        for problem in record.problems:
            say(name, f"PROBLEM {problem}")
    say("backup", f"{path} in {time.monotonic() - began:.1f} s; credentials are not in it")
    if not manifest.services:
        say("backup", "it has env files alone: there is nothing in it that could be restored")
    if verdict is not Exit.OK:
        print(f"next: {program_as_typed()} {'backup list' if manifest.services else 'start'}")
    return verdict


def take(services: Sequence[Service], folder: BackupFolder, locations: Locations) -> tuple[Path, Manifest]:
    """Take a backup; the folder is locked.

    Raises:
        ControlError: a database is damaged, or a state folder that the settings name is missing.
        OSError, sqlite3.OperationalError: the folder cannot be written to.
    """
    name = name_at(time.time())
    last = folder.newest()
    records: dict[str, ServiceRecord] = {}
    files: dict[str, FileRecord] = {}
    with folder.new(name) as partial:
        for service in services:
            taken = _take_service(service, partial / service.name, last, locations)
            if taken is not None:
                records[service.name], copied = taken
                files |= {f"{service.name}/{path}": record for path, record in copied.items()}
        files |= _take_settings(partial / SETTINGS, locations)
        manifest = Manifest(name, version_of_this_program()[0], records, files, profiles.chosen(locations))
        written = partial / FILE_NAME
        written.write_text(manifest.as_text(), encoding="utf-8")
        with written.open("rb") as file:
            os.fsync(file.fileno())
    return folder.path / name, manifest


def state_folder(service: Service, locations: Locations) -> Path:
    """Where a service keeps its state; it need not be there."""
    told = environment_of(service, locations).get(f"JUNIPER_{service.name.upper()}_STATE_DIR")
    # systemd makes it a link when it moves it.
    return (Path(told).expanduser() if told else locations.state_of(service.name)).resolve()


def summary(manifest: Manifest) -> dict[str, object]:
    """For programs."""
    services = {
        name: {"as_of": record.as_of, "schema": record.schema, "problems": record.problems}
        for name, record in manifest.services.items()
    }
    return {
        "name": manifest.name,
        "release": manifest.release,
        "profile": manifest.profile,
        "files": len(manifest.files),
        "bytes": manifest.size,
        "services": services,
    }


def _take_service(
    service: Service, target: Path, last: tuple[Path, Manifest] | None, locations: Locations
) -> tuple[ServiceRecord, Mapping[str, FileRecord]] | None:
    root = state_folder(service, locations)
    if not root.is_dir():
        return None
    target.mkdir(mode=0o700)
    known = (last[0] / service.name, last[1].of(service.name)) if last else (None, {})
    as_of, copy = time.time(), StateCopy(root, target, *known)
    try:
        STATES[service](copy)
    except SourceError as error:
        raise ControlError(
            f"the database of {service.name} cannot be backed up: {error}", next_command="juniper-ctl backup list"
        ) from error
    database = DATABASES.get(service)
    schema = sqlite_copy.check(target / database.name) if database and database.name in copy.files else None
    return ServiceRecord(as_of, schema, tuple(dict.fromkeys(copy.problems))), copy.files


def _take_settings(target: Path, locations: Locations) -> dict[str, FileRecord]:
    """The env files; secrets do not stand in them."""
    target.mkdir(mode=0o700)
    taken = {}
    for path in profiles.env_files(locations):
        try:
            taken[f"{SETTINGS}/{path.name}"] = file_copy.copy(path.resolve(), target / path.name)
        except SourceError as error:
            raise ControlError(f"{path}: {error}", next_command=f"ls -l {path}") from error
    return taken


def _is_full(error: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return error.sqlite_errorcode == sqlite3.SQLITE_FULL
