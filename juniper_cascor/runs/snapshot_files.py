"""The files of a snapshot folder and their ids: one id for one file, whatever it is called.

A run's numbered snapshot is `RUN.UNITS-EPOCH`. Any other file is `~` and its path in the folder, in which every byte
that is not plain in a URL is `~` and two hexadecimal digits. Links are not followed, and so have no id.
"""

import logging
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.runs.snapshot_folder import CHECKPOINT, PARENT, growth_of, history, is_removed
from juniper_common.errors import NotFoundError
from juniper_common.wire.errors import FieldProblem

_RUN = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERED_ID = re.compile(r"([A-Za-z0-9_-]+)\.([0-9-]+)")
_OTHER_ID = re.compile(r"~((?:[A-Za-z0-9_.-]|~[0-9A-F]{2})+)")
_ESCAPED = re.compile(rb"[^A-Za-z0-9_.-]")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file of the folder: `relative` is its path in it."""

    relative: str
    modified_ns: int
    size: int
    inode: int

    @property
    def run_id(self) -> str | None:
        """The run in whose folder it lies."""
        run_id, _, rest = self.relative.partition("/")
        return printable(run_id) if rest else None


def files(folder: Path) -> list[SnapshotFile]:
    """What lies in the folder and in those below it, but what belongs to the writing and deleting of them.

    A folder that is not there is empty; one that cannot be read is logged, and passed over.
    """
    found = []
    folders = [""]
    while folders:
        below = folders.pop()
        for entry in _entries(folder, below):
            relative = below + entry.name
            if entry.is_dir(follow_symlinks=False) and not (below == "" and is_removed(entry.name)):
                folders.append(f"{relative}/")
            elif entry.is_file(follow_symlinks=False) and _is_listed(relative):
                with suppress(FileNotFoundError):  # It was deleted just now.
                    found.append(_described(relative, entry.stat(follow_symlinks=False)))
    return found


def file_of_id(folder: Path, snapshot_id: str) -> SnapshotFile:
    """The file that an id names. Raises NotFoundError."""
    relative = _relative(snapshot_id)
    if relative is not None and (found := _plain_file(folder, relative)):
        return found
    message = printable(f"there is no snapshot {snapshot_id}")
    raise NotFoundError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))


def path_of_id(folder: Path, snapshot_id: str) -> Path:
    """Where the file stands that an id names. Raises NotFoundError."""
    return folder / file_of_id(folder, snapshot_id).relative


def numbered_files(folder: Path, run_id: str) -> list[SnapshotFile]:
    """A run's numbered snapshots in the order of their epochs; none of a name that no run can have."""
    # Such a name is not looked for: it might lead elsewhere.
    grown = history(folder, run_id) if _RUN.fullmatch(run_id) else []
    found = [_plain_file(folder, f"{run_id}/{path.name}") for path in grown]
    return [file for file in found if file is not None]


def id_of(relative: str) -> str:
    """The id of the file at this path in the folder."""
    run_id, _, name = relative.partition("/")
    if growth_of(name) and _RUN.fullmatch(run_id):
        return f"{run_id}.{name.removesuffix('.h5')}"
    return "~" + _ESCAPED.sub(lambda found: b"~%02X" % ord(found[0]), os.fsencode(relative)).decode()


def printable(text: str) -> str:
    """A text with a file's name in it, which may hold line ends and bytes that are no characters, as one line."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _relative(snapshot_id: str) -> str | None:
    """The path that an id is made of; None where it could not have been."""
    if found := _NUMBERED_ID.fullmatch(snapshot_id):
        relative = f"{found[1]}/{found[2]}.h5"
    elif found := _OTHER_ID.fullmatch(snapshot_id):
        escaped = re.sub(r"~(..)", lambda code: chr(int(code[1], 16)), found[1])
        relative = os.fsdecode(escaped.encode("latin-1"))
    else:
        return None
    parts = relative.split("/")
    is_inside = not {"", ".", ".."} & set(parts) and "\0" not in relative
    return relative if is_inside and id_of(relative) == snapshot_id and _is_listed(relative) else None


def _plain_file(folder: Path, relative: str) -> SnapshotFile | None:
    """The file, unless it is none or a link is on the way to it."""
    *parents, name = Path(relative).parts
    place = folder
    try:
        for parent in parents:
            place /= parent
            if place.is_symlink():
                return None
        found = (place / name).lstat()
    except OSError:
        return None
    return _described(relative, found) if stat.S_ISREG(found.st_mode) else None


def _entries(folder: Path, below: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / below) as entries:
            return list(entries)
    except FileNotFoundError:
        return []  # No run has written yet, or it was deleted just now.
    except OSError as error:
        log.warning("the snapshots in %a cannot be listed: %s", str(folder / below), error.strerror)
        return []


def _is_listed(relative: str) -> bool:
    *parents, name = relative.split("/")
    is_half_written = name.startswith(".") and name.endswith(".partial")
    is_working_file = len(parents) == 1 and name in (CHECKPOINT, PARENT)
    return not (is_half_written or is_working_file or (parents and is_removed(parents[0])))


def _described(relative: str, found: os.stat_result) -> SnapshotFile:
    return SnapshotFile(relative, found.st_mtime_ns, found.st_size, found.st_ino)
