"""The import folder: files are opened inside of it and nowhere else.

A path is walked name by name, each opened in the folder before it and never through a link. So nothing that is
moved, linked or replaced meanwhile leads out.
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

from juniper_data.errors import UnreadableFileError
from juniper_data.imports.refusals import refused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: to open a named pipe must not wait for someone to write to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_inside(folder: Path, file_path: str) -> BufferedReader:
    """A regular file of the folder.

    Raises:
        UnreadableFileError: there is none there, or the path leads out.
    """
    *folders, name = _names(file_path)
    with ExitStack() as opened:
        try:
            descriptor = os.open(name, _FILE, dir_fd=_opened(folder, folders, opened))
        except OSError as error:
            raise _unreadable(error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused("is no regular file")
    return open(descriptor, "rb")  # noqa: PTH123 - of a descriptor, not of a path


def names_inside(folder: Path, folder_path: str) -> frozenset[str]:
    """What a folder inside the folder holds, but for names that are no text; nothing where there is none.

    Raises:
        UnreadableFileError: it is not for this service to read, or the path leads out.
    """
    if not folder.is_dir():
        return frozenset()
    with ExitStack() as opened:
        try:
            names = os.listdir(_opened(folder, _names(folder_path), opened))
            return frozenset(name for name in names if name.isprintable())
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return frozenset()
            raise _unreadable(error) from None


def _opened(folder: Path, names: Sequence[str], opened: ExitStack) -> int:
    """The folder that is found name by name. Raises OSError where there is none."""
    try:
        here = os.open(folder, _FOLDER)
    except OSError:
        message = f"there is no import folder to read: make {folder}, or set JUNIPER_DATA_IMPORT_DIR"
        raise refused(message) from None
    opened.callback(os.close, here)
    for name in names:
        here = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
        opened.callback(os.close, here)
    return here


def _unreadable(error: OSError) -> UnreadableFileError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return refused("is not for this service to read; see its permissions and those of its folder")
    return refused("there is no such file in the import folder; links are not followed")


def _names(file_path: str) -> list[str]:
    if file_path.startswith("/"):
        raise refused("must be relative to the import folder")
    names = [name for name in file_path.split("/") if name not in ("", ".")]
    if not names or ".." in names:
        raise refused("must name a file inside the import folder; '..' leads out of it")
    # Surrogates: what JSON can say and a file's name cannot.
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in file_path):
        raise refused("has a sign that no file's name has")
    return names
