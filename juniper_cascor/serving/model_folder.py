"""The files of one named model.

    NAME/00001.h5     a version: the bytes of the snapshot that was promoted
    NAME/00001.json   what the snapshot does not say of it
    NAME/current      two lines: the version that answers, then `newest` and the newest that there is

`current` is written last and atomically, so it always names whole versions, and without it the name does not exist. A
version above its newest was being added when the process was killed: it is not there, and the next one takes its place.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from juniper_common.atomic_file import remove_leftovers, replace_atomically

_CURRENT = re.compile(r"(\d{5,9})\nnewest (\d{5,9})\n")


class ModelFileError(Exception):
    """A file of a model is damaged or missing; the message is one line that names it."""


class Note(BaseModel):
    """What a snapshot does not say of a version made of it; what a later release notes besides is passed over."""

    model_config = ConfigDict(frozen=True)

    snapshot_id: str | None
    notes: str
    created_at: float  # Unix seconds
    before: int | None  # the version that answered when this one came, to which a rollback goes


@dataclass(frozen=True)
class Standing:
    """What `current` says."""

    version: int
    newest: int


class ModelFolder:
    """One name's folder; it need not exist. One process writes, one promotion or rollback at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def standing(self) -> Standing | None:
        """The version that answers, and the newest; None where there is no such model. Raises ModelFileError."""
        try:
            text = self._bytes("current").decode(errors="replace")
        except FileNotFoundError:
            return None
        found = _CURRENT.fullmatch(text)
        if found is None or not 0 < int(found[1]) <= int(found[2]):
            raise ModelFileError(f"{self._path.name}/current is damaged")
        return Standing(int(found[1]), int(found[2]))

    def versions(self, newest: int) -> list[int]:
        """The versions whose snapshot is there, newest first."""
        try:
            found = [int(path.stem) for path in self._path.glob("*.h5") if path.stem.isdecimal()]
        except FileNotFoundError:
            return []  # The model was deleted just now.
        return sorted((version for version in found if version <= newest), reverse=True)

    def snapshot_path(self, version: int) -> Path:
        """Where a version's snapshot stands."""
        return self._path / f"{version:05}.h5"

    def size_bytes(self, version: int) -> int:
        """Of a version's snapshot; 0 where it was deleted just now."""
        try:
            return self.snapshot_path(version).stat().st_size
        except FileNotFoundError:
            return 0

    def snapshot(self, version: int) -> bytes:
        """A version's snapshot, unchecked. Raises ModelFileError where it cannot be read."""
        name = self.snapshot_path(version).name
        try:
            return self._bytes(name)
        except FileNotFoundError as error:
            raise ModelFileError(f"{self._path.name}/{name} is missing") from error

    def note(self, version: int) -> Note:
        """What is noted beside a version. Raises ModelFileError."""
        name = f"{version:05}.json"
        try:
            note = Note.model_validate_json(self._bytes(name))
        except FileNotFoundError as error:
            raise ModelFileError(f"{self._path.name}/{name} is missing") from error
        except ValidationError as error:
            raise ModelFileError(f"{self._path.name}/{name} is damaged") from error
        if note.before is not None and not 0 < note.before < version:
            raise ModelFileError(f"{self._path.name}/{name} is damaged")
        return note

    def add(self, content: bytes, note: Note) -> int:
        """Make a snapshot the newest version, and the one that answers.

        Raises:
            OSError: the disk does not take it; all stays as it was.
            ModelFileError: `current` is damaged, so that it cannot be told which versions there are.
        """
        standing = self.standing()
        newest = standing.newest if standing else 0
        self._path.mkdir(parents=True, exist_ok=True)
        self._remove_unfinished(newest)
        version = newest + 1
        replace_atomically(self._path / f"{version:05}.json", note.model_dump_json().encode())
        replace_atomically(self.snapshot_path(version), content)
        self.stand(Standing(version, version))
        return version

    def stand(self, standing: Standing) -> None:
        """Let another version answer. Raises OSError; then all stays as it was."""
        text = f"{standing.version:05}\nnewest {standing.newest:05}\n"
        replace_atomically(self._path / "current", text.encode())

    def remove(self, towards: Path) -> None:
        """Take the model away in one step, by way of the path `towards`. Raises OSError."""
        self._path.rename(towards)
        shutil.rmtree(towards)

    def _remove_unfinished(self, newest: int) -> None:
        remove_leftovers(self._path)
        for path in [*self._path.glob("*.h5"), *self._path.glob("*.json")]:
            if path.stem.isdecimal() and int(path.stem) > newest:
                path.unlink()

    def _bytes(self, name: str) -> bytes:
        """A file's content. Raises FileNotFoundError, or ModelFileError where it cannot be read."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ModelFileError(f"{self._path.name}/{name} cannot be read: {error.strerror}") from error
