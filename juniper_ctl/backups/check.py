"""Proves backups: that each file is what it was, and that the services' own programs open what is restored."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from juniper_ctl.backups import file_copy, sqlite_copy
from juniper_ctl.backups.file_copy import SourceError
from juniper_ctl.backups.manifest import Manifest, ManifestError, read_manifest
from juniper_ctl.backups.stored_state import DATABASES
from juniper_ctl.env_file import environment_of
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations
from juniper_ctl.programs import program_of
from juniper_ctl.services import SERVICES, Service


def manifest_of(backup: Path) -> Manifest:
    """What a backup says of itself.

    Raises:
        ControlError: it says nothing that can be read.
    """
    try:
        return read_manifest(backup)
    except ManifestError as error:
        raise ControlError(str(error), next_command="juniper-ctl backup list") from error


def damage(backup: Path, manifest: Manifest) -> list[str]:
    """What is wrong with a backup: files that changed or are gone, databases, rows without their file."""
    found = []
    for relative, record in manifest.files.items():
        try:
            if file_copy.digest(backup / relative).sha256 != record.sha256:
                found.append(f"{relative} does not have its checksum")
        except SourceError as error:
            found.append(f"{relative}: {error}")
    if found:
        return found
    for service in SERVICES:
        found += _damage_of_database(service, backup, manifest)
    return found


def stage(service: Service, backup: Path, manifest: Manifest, target: Path) -> None:
    """Copy a service's state out of a backup, each file checked.

    Raises:
        ControlError: one is damaged.
        OSError: the target cannot be written to.
    """
    target.mkdir(mode=0o700)
    for relative, record in manifest.of(service.name).items():
        place = target / relative
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            copied = file_copy.copy(backup / service.name / relative, place)
            problem = "" if copied.sha256 == record.sha256 else "it does not have its checksum"
        except SourceError as error:
            problem = str(error)
        if problem:
            raise ControlError(
                f"{manifest.name} is damaged: {service.name}/{relative}: {problem}",
                next_command="juniper-ctl backup list   (and restore another)",
            )


def open_staged(service: Service, state: Path, locations: Locations, *, even_damaged: bool = False) -> str:
    """Have the service's own program open a state and read all of it; returns what it says.

    Raises:
        ControlError: it cannot: a newer version has written it, or files are damaged, unless those are accepted.
    """
    if service not in DATABASES:
        return "has no store to open"
    program = program_of(service, locations)
    if program is None:
        raise ControlError(
            f"there is no {service.command} that could open the state", next_command="juniper-ctl install"
        )
    asked = subprocess.run(
        [program, "check"],
        capture_output=True,
        text=True,
        env={
            **environment_of(service, locations, over=os.environ),
            f"JUNIPER_{service.name.upper()}_STATE_DIR": str(state),
            # Production asks for keys, which a check has no use for.
            "JUNIPER_ENV": "dev",
        },
        check=False,
    )
    said = asked.stdout.strip()
    if asked.returncode == 0 or (asked.returncode == Exit.FAILED and even_damaged):
        return said
    why = asked.stderr.strip() or said or f"it ended with {asked.returncode}"
    if asked.returncode == Exit.FAILED:
        raise ControlError(
            f"{service.command} finds damage in it: {why}", next_command="juniper-ctl restore NAME --even-damaged"
        )
    raise ControlError(
        f"{service.command} cannot open it: {why}", next_command="juniper-ctl version", code=Exit.CONFIGURATION
    )


def opened(
    services: Sequence[Service], backup: Path, manifest: Manifest, scratch: Path, locations: Locations
) -> dict[str, str]:
    """Restore into a scratch folder and open it there; what each program says. Raises as `stage` and `open_staged`."""
    said = {}
    for service in services:
        state = scratch / service.name
        stage(service, backup, manifest, state)
        said[service.name] = open_staged(service, state, locations, even_damaged=bool(manifest.problems))
        shutil.rmtree(state)
    return said


def _damage_of_database(service: Service, backup: Path, manifest: Manifest) -> list[str]:
    database = DATABASES.get(service)
    files = manifest.of(service.name)
    if database is None or database.name not in files:
        return []
    path = backup / service.name / database.name
    try:
        sqlite_copy.check(path)
    except SourceError as error:
        return [f"{service.name}/{database.name}: {error}"]
    with closing(sqlite_copy.connected(path)) as connection:
        rows = connection.execute(database.named_files).fetchall()
    known = manifest.services[service.name].problems
    return [
        f"{service.name}/{relative} is missing, which the database names"
        for relative, _ in rows
        if relative not in files and not any(problem.startswith(relative) for problem in known)
    ]
