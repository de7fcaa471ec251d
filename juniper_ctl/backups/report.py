"""Tells of backups: which there are, and whether one is whole."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from juniper_ctl.backups import check
from juniper_ctl.backups.backup import summary
from juniper_ctl.backups.folder import LATEST, BackupFolder, moment_of
from juniper_ctl.backups.manifest import ManifestError, read_manifest
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, program_as_typed, say

_FORMAT = "{:<21} {:<17} {:>9} {:>7}  {:<20} {}"
_HEADER = _FORMAT.format("NAME", "TAKEN (UTC)", "SIZE", "FILES", "OF", "PROBLEMS")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one backup, as `--json` prints it."""

    verdict: str
    name: str
    is_whole: bool
    damage: list[str]
    problems: list[str]
    """Of the services' own files, as they were when it was taken."""


def show(source: Path | None, *, as_json: bool) -> Exit:
    """Print the backups that there are, oldest first."""
    folder = BackupFolder.of(source, Locations.of(os.environ))
    told: list[dict[str, object]] = []
    lines = []
    for name in folder.names():
        try:
            manifest = read_manifest(folder.path / name)
        except ManifestError as error:
            told.append({"name": name, "error": str(error)})
            lines.append(f"{name:<21} {error}")
            continue
        told.append(summary(manifest))
        lines.append(
            _FORMAT.format(
                name,
                f"{moment_of(name):%Y-%m-%d %H:%M}",
                f"{manifest.size / 1e6:.1f} MB",
                len(manifest.files),
                " ".join(manifest.services),
                len(manifest.problems) or "-",
            )
        )
    if as_json:
        print_json({"folder": str(folder.path), "backups": told})
    elif lines:
        print("\n".join([_HEADER, *lines]))
    else:
        print(f"no backup in {folder.path}\nnext: {program_as_typed()} backup")
    return Exit.OK


def verify(source: Path | None, name: str | None, *, as_json: bool) -> Exit:
    """Read all of a backup, and print what is wrong with it: 1 where it is damaged.

    Raises:
        ControlError: there is none.
    """
    folder = BackupFolder.of(source, Locations.of(os.environ))
    with folder.locked():
        backup = folder.named(name or LATEST)
        manifest = check.manifest_of(backup)
        damage = check.damage(backup, manifest)
    verdict = Exit.FAILED if damage else Exit.DEGRADED if manifest.problems else Exit.OK
    if as_json:
        print_json(asdict(Verdict(verdict.name.lower(), manifest.name, not damage, damage, manifest.problems)))
    else:
        for line in damage:
            say("damaged", line)
        for line in manifest.problems:
            say("problem", line)
        say("verify", f"{manifest.name} is {'damaged' if damage else 'whole'}: {len(manifest.files)} files")
    return verdict
