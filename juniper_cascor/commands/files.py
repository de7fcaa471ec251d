"""The files that a command reads and writes: what is there is not lost, what is not there is said before the work."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from juniper_cascor.commands.errors import CommandError, Exit
from juniper_common.atomic_file import replace_atomically


def read_bytes(path: Path) -> bytes:
    """A file's content. Raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror}", next_step=f"ls -l {path}", code=Exit.NO_INPUT
        ) from error


def check_writable(path: Path, *, force: bool) -> None:
    """Refuse an output file that would be lost, or could not be written, before any work is done.

    Raises:
        CommandError: it is there and `force` is not given, or its folder is not there or not writable.
    """
    folder = path.parent
    try:
        is_folder, is_there, has_folder = path.is_dir(), path.exists(), folder.is_dir()
    except OSError as error:  # there can be no such name
        raise cannot_write(path, error) from error
    if is_folder:
        raise CommandError(f"{path} is a folder", next_step="name a file in it", code=Exit.NO_OUTPUT)
    if not has_folder:
        raise CommandError(f"there is no folder {folder}", next_step=f"mkdir -p {folder}", code=Exit.NO_OUTPUT)
    if is_there and not force:
        raise CommandError(
            f"{path} is there already", next_step="--force replaces it, or name another file", code=Exit.NO_OUTPUT
        )
    try:  # as `write_bytes` will, with as long a name: what a folder's mode says is not all
        with NamedTemporaryFile(dir=folder, prefix=f".{path.name}.", suffix=".partial"):
            pass
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise CommandError(
            problem, next_step=f"name a file in another folder than {folder}", code=Exit.NO_OUTPUT
        ) from error


def check_different(paths: dict[str, Path | None]) -> None:
    """Refuse a command that would write one file over another of its own.

    Args:
        paths: by what the command line calls them, those that it writes first; None is not given.

    Raises:
        CommandError: two of them are the same file.
    """
    known: dict[str, str] = {}
    for name, path in reversed(paths.items()):
        if path is None:
            continue
        place = os.path.realpath(path)  # Path.resolve raises where links go in circles
        if place in known:
            problem = f"{name} and {known[place]} are the same file, {path}"
            raise CommandError(problem, next_step=f"name another file with {name}", code=Exit.USAGE)
        known[place] = name


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises CommandError."""
    try:
        replace_atomically(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CommandError:
    """The error of a disk that does not take a file."""
    return CommandError(
        f"{path} cannot be written: {error.strerror}", next_step=f"df -h {path.parent}", code=Exit.NO_OUTPUT
    )
