"""The import folder: files are opened inside of it and nowhere else.

A path is walked name by name, each opened in the folder before it and never through a link. So nothing that is
moved, linked or replaced meanwhile leads out.
"""

import errno
import os
import stat
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

from juniper_data.imports.refusals import refused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: to open a named pipe must not wait for someone to write to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_inside(folder: Path, file_path: str) -> BufferedReader:
    """A regular file of the folder.

    Raises:
        UnreadableFileError: there is none there, or the path leads out.
    """
    names = _names(file_path)
    with ExitStack() as opened:
        try:
            here = os.open(folder, _FOLDER)
        except OSError:
            message = f"there is no import folder to read: make {folder}, or set JUNIPER_DATA_IMPORT_DIR"
            raise refused(message) from None
        opened.callback(os.close, here)
        try:
            for name in names[:-1]:
                here = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
                opened.callback(os.close, here)
            descriptor = os.open(names[-1], _FILE, dir_fd=here)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise refused("is not for this service to read; see its permissions and those of its folder") from None
            raise refused("there is no such file in the import folder; links are not followed") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused("is no regular file")
    return open(descriptor, "rb")  # noqa: PTH123 - of a descriptor, not of a path


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
