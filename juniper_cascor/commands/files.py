"""The files that a command reads and writes: what is there is not lost, what is not there is said before the work."""

import os
from pathlib import Path

from juniper_cascor.atomic_file import replace_atomically
from juniper_cascor.commands.errors import CommandError, Exit


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
    if path.is_dir() or not folder.is_dir():
        what = f"{path} is a folder" if path.is_dir() else f"there is no folder {folder}"
        step = "name a file in it" if path.is_dir() else f"mkdir -p {folder}"
        raise CommandError(what, next_step=step, code=Exit.NO_OUTPUT)
    if path.exists() and not force:
        raise CommandError(
            f"{path} is there already", next_step="--force replaces it, or name another file", code=Exit.NO_OUTPUT
        )
    if not os.access(folder, os.W_OK):
        raise CommandError(f"{folder} cannot be written to", next_step=f"ls -ld {folder}", code=Exit.NO_OUTPUT)


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
