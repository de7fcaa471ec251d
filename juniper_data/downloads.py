"""What is too large to be held, on its way between the dataset service and a file. Nobody sends anything here."""

import hashlib
import re
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

import httpx
import numpy as np
from numpy.typing import NDArray

from juniper_common.http import PIECE_BYTES, Call, ClientError, segment

SPOOL_BYTES = 16 << 20
"""What is only read lies in memory meanwhile up to this size, and then on disk."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)

Arrays = dict[str, NDArray[Any]]
"""By name: X_train, y_train and so on, in float32; a generator may add others, of whatever type."""


def dataset_path(dataset_id: str) -> str:
    """The address of a dataset; an id with slashes is no other address."""
    return f"/v1/datasets/{segment(dataset_id)}"


class ChecksumError(ClientError):
    """An artifact is not what it should be."""


class Download:
    """An artifact on its way into a file, a `juniper_common.http.Receiver`. What was lost goes on where it ended.

    Args:
        dataset_id: whose artifact.
        file: an empty one that can seek.
        checksum: the artifact's SHA-256, as the dataset's meta has it; None: as the service's ETag says.
    """

    def __init__(self, dataset_id: str, file: IO[bytes], checksum: str | None) -> None:
        self._dataset_id = dataset_id
        self._file = file
        self._checksum = checksum
        self._tag = ""
        self._received = 0
        self._digest = hashlib.sha256()

    def call(self) -> Call:
        """The artifact, or as much of it as is not there yet."""
        # If-Range: the rest of another artifact is no use, it is asked for from its start then.
        rest = {"Range": f"bytes={self._received}-", "If-Range": self._tag} if self._received and self._tag else {}
        return Call(path=f"{dataset_path(self._dataset_id)}/artifact", headers=rest)

    def begin(self, response: httpx.Response) -> None:
        """Go on, or start over where the service does. Raises ClientError for what was not asked for."""
        if response.status_code == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
            if match is None or int(match[1]) != self._received:
                raise ClientError(f"{response.url}: the answer is not the range that was asked for")
            return
        self._file.seek(0)
        self._file.truncate()
        self._tag, self._received, self._digest = response.headers.get("etag", ""), 0, hashlib.sha256()

    def take(self, piece: bytes) -> None:
        """So much more of it."""
        self._file.write(piece)
        self._digest.update(piece)
        self._received += len(piece)

    def verified(self) -> str:
        """The SHA-256 of what came. Raises ChecksumError where it is not what it should be."""
        checksum, expected = self._digest.hexdigest(), self._checksum or self._tag.strip('"')
        if checksum != expected:
            raise ChecksumError(f"artifact of {self._dataset_id}: SHA-256 is {checksum}, not {expected}")
        return checksum


class Export:
    """An answer on its way into a file, a `juniper_common.http.Receiver`. What was lost starts over."""

    def __init__(self, call: Call, file: IO[bytes]) -> None:
        self._call = call
        self._file = file

    def call(self) -> Call:
        """The same each time."""
        return self._call

    def begin(self, response: httpx.Response) -> None:  # noqa: ARG002 - a Receiver's signature
        """Start over."""
        self._file.seek(0)
        self._file.truncate()

    def take(self, piece: bytes) -> None:
        """So much more of it."""
        self._file.write(piece)


def read_arrays(file: IO[bytes]) -> Arrays:
    """The arrays of an NPZ; nothing is ever unpickled. Raises ClientError where it is none."""
    file.seek(0)
    try:
        with np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except (AttributeError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ClientError(f"the artifact is no NPZ of plain arrays: {error}") from error


def opened(source: Path | IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """The file; one that was open already stays so."""
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)


def in_pieces(file: IO[bytes], start: int, size: int) -> Iterator[bytes]:
    """So many bytes of a file from `start` on; what is appended meanwhile is not sent."""
    file.seek(start)
    while piece := file.read(min(size, PIECE_BYTES)):
        size -= len(piece)
        yield piece
