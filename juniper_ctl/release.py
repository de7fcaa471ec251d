"""A release: one folder with its own environment. It counts only when whole, and one link says which is current."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import pip, scope
from juniper_ctl.errors import ControlError, Exit
from juniper_ctl.interpreter import Interpreter
from juniper_ctl.locations import Locations
from juniper_ctl.release_source import ReleaseSource

KEPT = 3
"""Releases that stay for going back to, the current one among them."""

_DESCRIPTION = "release.json"
_BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Release:
    """A folder below `releases/`, made or not."""

    folder: Path

    @classmethod
    def of(cls, source: ReleaseSource, python: Interpreter, locations: Locations) -> "Release":
        """The one that this source and this Python make: the name holds a checksum of all that it depends on."""
        depends_on = json.dumps([source.digest, python.tag, str(python.path), sorted(source.extras)])
        return cls(locations.releases / f"{source.version}+{hashlib.sha256(depends_on.encode()).hexdigest()[:12]}")

    @property
    def version(self) -> str:
        """Its name: a local version as PEP 440 has it."""
        return self.folder.name

    @property
    def files(self) -> Path:
        """Its `systemd/` and `conf/`, for going back to it without the bundle or checkout that it was made of."""
        return self.folder / "share/juniper"

    @property
    def before(self) -> str | None:
        """The release that was current when an installation made this one so; None: there was none."""
        noted = self.files / _BEFORE
        return noted.read_text(encoding="utf-8").strip() if noted.is_file() else None

    def note_before(self, release: str) -> None:
        """Keep which release this one takes the place of, to go back to: not always the one that was made before."""
        write_atomically(self.files / _BEFORE, f"{release}\n")

    def is_whole(self) -> bool:
        """It was made to the end. The description is what is written last."""
        return (self.folder / _DESCRIPTION).is_file()

    def age_s(self) -> float:
        """How long ago it was made."""
        return time.time() - self.folder.stat().st_mtime

    def make(self, source: ReleaseSource, python: Interpreter) -> None:
        """Make it; what an interrupted installation left goes first.

        It is made in its place, since the programs in an environment name their interpreter by its full path.

        Raises:
            ControlError: that failed; what there is of it is not taken for whole.
        """
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        venv = (python.path, "-I", "-m", "venv", "--without-pip", self.folder)
        pip.run(venv, what="making the environment", next_command="apt-get install python3-venv")
        source.install_into(self.folder)
        for name in ("systemd", "conf"):
            shutil.copytree(source.root / name, self.files / name)
        # The services see the folder read-only, so what is not compiled now is compiled at each start.
        compile_all = (self.folder / "bin/python", "-m", "compileall", "-q", "-j", "0", self.folder / "lib")
        pip.run(compile_all, what="compiling", next_command="juniper-ctl install")
        if scope.chosen() == "user":
            # Into the cache of the user: else the first training after an installation waits for numba.
            compile_engine = (self.folder / "bin/juniper-cascor", "warm-up")
            pip.run(compile_engine, what="compiling the training engine", next_command="juniper-ctl install")
        description = {"version": self.version, "python": str(python.path), "extras": list(source.extras)}
        write_atomically(self.folder / _DESCRIPTION, json.dumps(description, indent=2) + "\n")

    def is_current(self, locations: Locations) -> bool:
        """The units start it."""
        return locations.current.is_symlink() and locations.current.readlink() == self._target(locations)

    def make_current(self, locations: Locations) -> None:
        """Point the link here, in one step: at no moment there is none."""
        beside = locations.code_folder / f".current.{os.getpid()}"
        beside.unlink(missing_ok=True)
        beside.symlink_to(self._target(locations))
        beside.replace(locations.current)

    def _target(self, locations: Locations) -> Path:
        return self.folder.relative_to(locations.code_folder)


def prune(locations: Locations, in_use: set[str]) -> list[str]:
    """Remove all but the newest releases, the current one, the one before it and those in use.

    Returns:
        The names of those removed.
    """
    current = locations.current.readlink().name if locations.current.is_symlink() else ""
    before = Release(locations.releases / current).before if current else None
    newest_first = sorted(map(Release, locations.releases.iterdir()), key=Release.age_s)
    others = [release.folder for release in newest_first if release.version not in {current, before, *in_use}]
    removed = others[KEPT - 1 :]
    for folder in removed:
        # First it stops being whole, so that an interruption leaves nothing that looks so.
        (folder / _DESCRIPTION).unlink(missing_ok=True)
        shutil.rmtree(folder)
    return [folder.name for folder in removed]


@contextlib.contextmanager
def locked(locations: Locations) -> Iterator[None]:
    """One installation at a time.

    Raises:
        ControlError: another one is under way.
    """
    locations.code_folder.mkdir(parents=True, exist_ok=True)
    with (locations.code_folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ControlError(
                "another installation is under way",
                next_command=f"fuser -v {lock.name}   (who it is)",
                code=Exit.TIMEOUT,
            ) from None
        yield


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that at any moment the old one or the new one is there, after a power cut too."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
