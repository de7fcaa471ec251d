"""Which backups stay: the last, and the newest of each of the last weeks and months."""

import contextlib
import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from juniper_ctl.backups.folder import BackupFolder, moment_of
from juniper_ctl.backups.manifest import ManifestError, read_manifest
from juniper_ctl.backups.settings import BackupSettings
from juniper_ctl.errors import Exit
from juniper_ctl.locations import Locations
from juniper_ctl.progress import print_json, say


def retention(source: Path | None, *, dry_run: bool, as_json: bool) -> Exit:
    """Delete the backups that need not stay, and say which.

    Raises:
        ControlError: another command is at work on them.
    """
    settings = BackupSettings.read(os.environ, Locations.of(os.environ))
    folder = BackupFolder(source or settings.folder)
    with folder.locked():
        names = folder.names()
        readable = folder.newest()
        # What a damaged one is newer than is the last that is of use.
        whole = {readable[0].name} if readable else set()
        stay = whole.union(*(kept(alike, settings) for alike in _by_services(folder, names)))
        removed = [name for name in names if name not in stay]
        if not dry_run:
            for name in removed:
                folder.remove(name)
    if as_json:
        print_json({"verdict": "ok", "kept": sorted(stay), "removed": removed, "dry_run": dry_run})
        return Exit.OK
    verb = "would remove" if dry_run else "removed"
    for name in removed:
        say("retention", f"{verb} {name}")
    say("retention", f"{len(stay)} stay in {folder.path}")
    return Exit.OK


def kept(names: Sequence[str], settings: BackupSettings) -> set[str]:
    """The names that stay; the newest always does."""
    newest_first = sorted(names, reverse=True)
    weekly = _newest_of_each(newest_first, lambda moment: moment.isocalendar()[:2])
    monthly = _newest_of_each(newest_first, lambda moment: (moment.year, moment.month))
    return {
        *newest_first[: settings.keep_last],
        *weekly[: settings.keep_weekly],
        *monthly[: settings.keep_monthly],
    }


def _by_services(folder: BackupFolder, names: Sequence[str]) -> Collection[Sequence[str]]:
    """The backups of the same services together: one of data alone stands for none of all three."""
    found: dict[frozenset[str], list[str]] = {}
    for name in names:
        services: frozenset[str] = frozenset()
        with contextlib.suppress(ManifestError):  # one that cannot be read has none
            services = frozenset(read_manifest(folder.path / name).services)
        found.setdefault(services, []).append(name)
    return found.values()


def _newest_of_each(newest_first: Sequence[str], span: Callable[[datetime], tuple[int, int]]) -> list[str]:
    found: dict[tuple[int, int], str] = {}
    for name in newest_first:
        found.setdefault(span(moment_of(name)), name)
    return list(found.values())
