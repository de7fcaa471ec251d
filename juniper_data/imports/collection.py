"""A collection: a known dataset that lies in several files, in the import folder or on the hub.

Its files are copied, one after the other, into one file without a name, which a child process reads: what is read is
what was hashed, whatever becomes of the files meanwhile.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from io import BufferedReader
from pathlib import Path
from typing import IO, TypeVar

from pydantic import BaseModel, ConfigDict

from juniper_data.errors import UnreadableFileError
from juniper_data.generators.base import GeneratorParameters, Source
from juniper_data.imports.hub import Hub
from juniper_data.imports.import_folder import names_inside, open_inside
from juniper_data.imports.refusals import refused, shown

MAX_FILES = 5_000
MAX_FILE_BYTES = 64 << 20
MAX_BYTES = 256 << 20
"""Of all files together."""

_PIECE_BYTES = 1 << 20


class CollectionParameters(GeneratorParameters):
    """What is to be made of a collection."""


class Part(BaseModel):
    """A file of a collection within the one that holds them all."""

    model_config = ConfigDict(frozen=True)

    name: str
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that is there, or can be fetched: `opened` may wait for the hub."""

    name: str
    sha256: str
    opened: Callable[[], BufferedReader]


@dataclass(frozen=True, slots=True)
class Collection:
    """The files of one dataset."""

    files: tuple[FoundFile, ...]

    @property
    def sha256(self) -> str:
        """The checksum of all: what `sha256sum FILES | sha256sum` says in their folder."""
        lines = "".join(f"{file.sha256}  {file.name}\n" for file in self.files)
        return hashlib.sha256(lines.encode()).hexdigest()

    def copy_to(self, file: IO[bytes]) -> tuple[Part, ...]:
        """Copy all files, one after the other.

        Raises:
            UnreadableFileError: one is not what its checksum says, or too large.
            HubError: the hub does not give one.
        """
        parts = []
        for found in self.files:
            start = file.tell()
            with found.opened() as source:
                sha256, size = _read(source, found.name, file)
            if sha256 != found.sha256:
                raise refused(f"{found.name}: changed while it was read; try again")
            if not size:
                raise refused(f"{found.name}: is empty")
            parts.append(Part(name=found.name, start=start, size=size))
            _check_total(start + size)
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class Places:
    """Where files of collections are looked for.

    Args:
        folder: the import folder.
        hub: where public datasets are fetched from; None: what that needs is not installed.
    """

    folder: Path
    hub: Hub | None

    def names(self, folder_path: str) -> frozenset[str]:
        """What a folder inside the import folder holds; nothing where there is none.

        Raises:
            UnreadableFileError: it is not for this service to read, or the path leads out.
        """
        return names_inside(self.folder, folder_path)

    def local(self, folder_path: str, names: Sequence[str]) -> Collection:
        """Files of a folder inside the import folder.

        Raises:
            UnreadableFileError: one cannot be read, or they are too large.
        """
        if len(names) > MAX_FILES:
            raise refused(f"{folder_path} has {len(names)} files to read; {MAX_FILES} can be")
        files, total = [], 0
        for name in names:
            opened = partial(self._opened, f"{folder_path}/{name}")
            with opened() as file:
                sha256, size = _read(file, name)
            total += size
            _check_total(total)
            files.append(FoundFile(name, sha256, opened))
        return Collection(tuple(files))

    def _opened(self, path: str) -> BufferedReader:
        try:
            return open_inside(self.folder, path)
        except UnreadableFileError as error:
            raise refused(f"{path}: {error.problems[0].msg}") from None


def on_hub(hub: Hub, repository: str, paths: Sequence[str]) -> Collection:
    """Files of a dataset on the hub; all are fetched when the first is opened. Raises HubError."""
    checksums = hub.checksums(repository, paths, MAX_FILE_BYTES)
    fetched = cache(lambda: hub.fetch(repository, paths, MAX_FILE_BYTES, checksums))

    def found(i: int) -> FoundFile:
        return FoundFile(Path(paths[i]).name, checksums[i], lambda: fetched()[i].open("rb"))

    return Collection(tuple(found(i) for i in range(len(paths))))


P = TypeVar("P", bound=CollectionParameters)


@dataclass(frozen=True, slots=True)
class CollectionSource(Source[P]):
    """A collection that datasets can be made of.

    `find` gives its files, which are hashed but not yet fetched; raises UnreadableFileError where there are none.
    `lacks` says what is missing to make any dataset of it; it asks no network.
    """

    find: Callable[[P, Places], Collection]
    lacks: Callable[[Places], str | None]


def _read(source: IO[bytes], name: str, target: IO[bytes] | None = None) -> tuple[str, int]:
    """A file's checksum and size; copies it where it is told to."""
    digest, size = hashlib.sha256(), 0
    while piece := source.read(_PIECE_BYTES):
        size += len(piece)
        if size > MAX_FILE_BYTES:
            raise refused(f"{shown(name)}: is larger than {MAX_FILE_BYTES >> 20} MiB")
        digest.update(piece)
        if target:
            target.write(piece)
    return digest.hexdigest(), size


def _check_total(size: int) -> None:
    if size > MAX_BYTES:
        raise refused(f"holds more than {MAX_BYTES >> 20} MiB in all its files")
