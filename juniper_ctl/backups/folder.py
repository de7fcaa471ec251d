"""The folder of all backups.

BACKUPS/20260102T030405.678Z/    a backup: whole, since it got this name at its very end
BACKUPS/.20260102T….partial/     one that is being made, or that a kill left
BACKUPS/.20260102T….removed/     one that is being deleted
BACKUPS/.check-20260102T…-…/     a restore test at work
BACKUPS/.lock                    whoever writes here holds it
BACKUPS/.restore.json            a restore that is to be finished, see restore.py
"""

import contextlib
import fcntl
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from juniper_ctl.backups.manifest import Manifest, ManifestError, read_manifest
from juniper_ctl.backups.settings import BackupSettings
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.locations import Locations

LATEST = "latest"

_FORMAT = "%Y%m%dT%H%M%S.%f"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
_LEFTOVER = re.compile(rf"\.({_NAME.pattern}\.(partial|removed)|check-{_NAME.pattern}-.*)")
"""No other's: the folder may be one that a person has chosen, with other things in it."""


def name_at(moment: float) -> str:
    """The name of a backup that was begun then, Unix seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime(_FORMAT)[:-3] + "Z"


def moment_of(name: str) -> datetime:
    """When a backup of this name was begun."""
    return datetime.strptime(name.removesuffix("Z"), _FORMAT).replace(tzinfo=UTC)


def _is_name(text: str) -> bool:
    if _NAME.fullmatch(text):
        with contextlib.suppress(ValueError):  # 20260230T…: no such day
            moment_of(text)
            return True
    return False


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """It need not exist."""

    path: Path
    is_default: bool = True
    """It is the one that the settings say."""

    @classmethod
    def of(cls, asked: Path | None, locations: Locations) -> "BackupFolder":
        """The one that a person asked for, else the one that the settings say.

        Raises:
            ControlError: a setting is wrong.
        """
        return cls(asked or BackupSettings.read(os.environ, locations).folder, is_default=asked is None)

    @property
    def named_by(self) -> str:
        """What names it to `juniper-ctl restore`, after the other words."""
        return "" if self.is_default else f" --from {shlex.quote(str(self.path))}"

    def names(self) -> list[str]:
        """The backups that are there, oldest first."""
        if not self.path.is_dir():
            return []
        return sorted(entry.name for entry in self.path.iterdir() if _is_name(entry.name) and entry.is_dir())

    def named(self, name: str) -> Path:
        """The folder of one backup; `latest` is the newest.

        Raises:
            ControlError: there is none of this name.
        """
        names = self.names()
        found = names[-1] if name == LATEST and names else name
        if found not in names:
            said = f"there is no backup {name}" if names else "there is no backup yet"
            raise ControlError(
                f"{said} in {self.path}", next_command=f"juniper-ctl backup{' list' if names else ''}", code=Exit.USAGE
            )
        return self.path / found

    def newest(self) -> tuple[Path, Manifest] | None:
        """The newest backup whose manifest can be read."""
        for name in reversed(self.names()):
            with contextlib.suppress(ManifestError):
                return self.path / name, read_manifest(self.path / name)
        return None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The folder for this process alone; what killed ones left behind is removed first.

        Raises:
            ControlError: another one is at work here.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ControlError(
                    f"another backup, restore or retention is at work in {self.path}",
                    next_command=f"fuser -v {lock.name}   (who it is)",
                    code=Exit.TIMEOUT,
                ) from None
            for path in [path for path in self.path.iterdir() if _LEFTOVER.fullmatch(path.name)]:
                shutil.rmtree(path)
            yield

    @contextlib.contextmanager
    def new(self, name: str) -> Iterator[Path]:
        """A folder that becomes the backup of this name at the end of the `with`, all of it on the disk by then.

        Where that is not reached, nothing is left of it.
        """
        partial = self.path / f".{name}.partial"
        partial.mkdir(mode=0o700)
        try:
            yield partial
            sync_folders(partial)
            partial.rename(self.path / name)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync(self.path)

    def remove(self, name: str) -> None:
        """Delete a backup: it stops being one in one step."""
        aside = self.path / f".{name}.removed"
        (self.path / name).rename(aside)
        shutil.rmtree(aside)


def sync(path: Path) -> None:
    """Bring a file, or which names there are in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(root: Path) -> None:
    """The same of a folder and of those below it; the files are on the disk since they were written."""
    for folder, _, _ in os.walk(root):
        sync(Path(folder))
