"""systemd's unit files of an installation: those that a release brings, those that are there, and what differs."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_ctl import scope, systemctl
from juniper_ctl.locations import Locations
from juniper_ctl.release import write_atomically
from juniper_ctl.services import SERVICES, Service

HOST_ONLY = "host-only.conf"
"""The end of the name of drop-ins that a container does not take."""

SINCE = re.compile(r"\.since-(\d+)\.conf$")
"""The same, of those that an earlier systemd does not know."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is and as it is to be; None: it is not there, or goes."""

    path: Path
    before: str | None
    after: str | None


def is_container() -> bool:
    """Whether systemd says that this machine is a container."""
    detect = shutil.which("systemd-detect-virt")
    return detect is not None and subprocess.run([detect, "--container", "--quiet"], check=False).returncode == 0


def wanted(root: Path, locations: Locations, services: Collection[Service] = SERVICES) -> dict[str, str]:
    """The unit files, by their paths below the units' folder, that a checkout or bundle has for this machine.

    Those of other services than these are left out.

    The host's own services are the user's, with the host's folders, and what `systemd/system` adds.
    """
    files = _below(root / "systemd/user")
    if scope.chosen() == "system":
        files = {name: _for_host(text, locations) for name, text in files.items()} | _below(root / "systemd/system")
    container, version = is_container(), systemctl.version()
    absent = tuple(f"juniper-{each.name}{end}" for each in SERVICES if each not in services for end in (".", "-"))
    return {
        name: files[name] for name in sorted(files) if _is_for(name, container, version) and not name.startswith(absent)
    }


def _is_for(name: str, container: bool, version: int) -> bool:
    since = SINCE.search(name)
    return not (container and name.endswith(HOST_ONLY)) and (since is None or int(since[1]) <= version)


def _below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()
    }


def _for_host(text: str, locations: Locations) -> str:
    return text.replace("%h/.local/lib/juniper", str(locations.code_folder)).replace(
        "%h/.config/juniper", str(locations.configuration)
    )


def changes(files: Mapping[str, str], locations: Locations) -> list[Change]:
    """What would have to change for `files` to be the installed ones; drop-ins of the person's own stay."""
    names = [*files, *(name for name in installed(locations) if name not in files)]
    compared = [Change(locations.units / name, _text(locations.units / name), files.get(name)) for name in names]
    return [change for change in compared if change.before != change.after]


def write(files: Mapping[str, str], changed: Iterable[Change], locations: Locations) -> None:
    """Make `files` the installed ones: carry out what `changes` found, and note which they are."""
    for change in changed:
        if change.after is None:
            _remove(change.path, locations)
        else:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(change.path, change.after)
    checksums = {name: _checksum(text) for name, text in sorted(files.items())}
    if installed(locations) != checksums:
        write_atomically(_manifest(locations), json.dumps(checksums, indent=2) + "\n")


def installed(locations: Locations) -> dict[str, str]:
    """The files that an installation wrote, each with its SHA-256."""
    manifest = _manifest(locations)
    read: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    return read


def drifted(locations: Locations) -> list[Path]:
    """Those of them that are no longer what the installation wrote, or are gone."""
    paths = {locations.units / name: checksum for name, checksum in installed(locations).items()}
    return [path for path, checksum in paths.items() if _checksum(_text(path) or "") != checksum]


def own_drop_ins(units: Iterable[str], locations: Locations) -> list[Path]:
    """Drop-ins of these units that the person wrote, as by `systemctl edit`."""
    ours = {locations.units / name for name in installed(locations)}
    return [
        path for unit in units for path in sorted((locations.units / f"{unit}.d").glob("*.conf")) if path not in ours
    ]


def remove(names: Sequence[str], locations: Locations) -> None:
    """Remove unit files, and the drop-in folders that are empty then."""
    for name in names:
        _remove(locations.units / name, locations)


def _remove(path: Path, locations: Locations) -> None:
    path.unlink(missing_ok=True)
    if path.parent != locations.units and path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest(locations: Locations) -> Path:
    return locations.code_folder / "units.json"
