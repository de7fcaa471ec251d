"""What a store needs of a hub: a repository of files with revisions, somewhere else on the network.

Nothing that a hub sends is trusted: whoever reads says how many bytes there may be, and checks what came.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from juniper_data.errors import DatasetDamagedError, StoreAwayError, StoreError

MAX_ANSWER_BYTES = 8_000_000
"""What a hub answers to anything but the question for a file is no longer."""

MAX_INDEX_BYTES = 64_000_000

CONNECT_S = 10.0
SILENCE_S = 30.0
"""A hub that says nothing for so long is given up."""

ANSWER_S = 900.0
"""So long one answer may take as a whole."""

_COPY_BYTES = 1 << 20

_STATUSES = {
    401: "does not know the key",
    403: "does not allow that with the key",
    404: "does not have it, or does not show it with the key",
    429: "was asked too often, and wants to be asked later",
}


class ConflictError(StoreError):
    """Somebody else wrote to the repository first; nothing changed."""


class MissingFileError(StoreError):
    """There is no such file in the revision."""


class OversizedFileError(StoreError):
    """A file is larger than it may be."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the index says of a file."""

    dataset_id: str
    size: int
    checksum: str

    def check(self, file: BinaryIO) -> None:
        """Leave a file that is this one at its start. Raises DatasetDamagedError where it is another."""
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if size != self.size or _checksum(file) != self.checksum:
            raise DatasetDamagedError(self.dataset_id, "its artifact does not have the checksum in its meta")
        file.seek(0)


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision has other than its parent."""

    added: Mapping[str, BinaryIO]
    """New files, or new content of those that were there."""
    removed: Mapping[str, Stated]
    kept: Mapping[str, Stated]
    """All others."""


class Hub(Protocol):
    """One repository. Every call blocks and may come from any thread.

    Each raises `StoreError` where it fails, `StoreAwayError` where that may be over a moment later.
    """

    def head(self) -> str | None:
        """The newest revision; None where there is no repository yet."""
        ...

    def check(self) -> None:
        """Ask whether the repository, where it is there, may be written to."""
        ...

    def read(self, path: str, revision: str, max_bytes: int, file: BinaryIO) -> None:
        """Write what a file has in a revision.

        Raises:
            MissingFileError, OversizedFileError: it is not there, or has more bytes than these.
        """
        ...

    def commit(self, parent: str | None, change: Change) -> str:
        """Make a revision of what its parent has and a change; returns it. A repository that is made is private.

        Raises:
            ConflictError: the parent is not the newest one.
        """
        ...


def refusal(hub: str, status: int, credential: str, told: str) -> StoreError:
    """The error that a status of HTTP stands for, in one line.

    Args:
        hub: its name and the repository's.
        status: as it was answered.
        credential: the file with the key.
        told: what the hub says of it, which may be anything.
    """
    reason = _STATUSES.get(status, "fails" if status >= 500 else "refuses")
    told = one_line(told)
    hint = f"; the key is the credential {credential}" if status in (401, 403, 404) else ""
    kind = StoreAwayError if status == 429 or status >= 500 else StoreError
    return kind(f"{hub} {reason} ({status}{': ' if told else ''}{told}){hint}")


def one_line(text: str) -> str:
    """What a stranger says, fit for a log: printable, and not long."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:200]).strip()


def _checksum(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_COPY_BYTES):
        digest.update(block)
    return digest.hexdigest()
