"""Named models: snapshots that were promoted to a name. Files alone, so what a kill leaves is what there is."""

import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.engine.network import Network
from juniper_cascor.recently_used import RecentlyUsed
from juniper_cascor.serving.model_folder import ModelFileError, ModelFolder, Note, Standing
from juniper_common.errors import ConflictError, NotFoundError, UnavailableError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import MODEL_NAME_PATTERN, ModelCard, ModelInfo, ModelVersion

_REMOVED = ".removed"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A version that was read and checked."""

    card: ModelCard
    network: Network


class ModelStore:
    """The models of a folder, which one process writes. Its methods block on the disk, and may be called from threads.

    Methods that take a name raise NotFoundError where there is no such model, and UnavailableError, naming the file,
    where one of its files is damaged.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time, max_loaded: int = 8) -> None:
        """Keep models in `folder`, which need not exist, and the `max_loaded` last used networks in memory."""
        self._folder = folder
        self._clock = clock
        self._writing = threading.Lock()
        self._loaded = RecentlyUsed[LoadedModel](max_loaded)

    def promote(self, name: str, content: bytes, *, snapshot_id: str | None = None, notes: str = "") -> ModelCard:
        """Make a snapshot's bytes the next version of a name, which answers from now on; those before it are kept.

        Raises:
            UnprocessableError: the name is none.
            ConflictError: the content is no snapshot.
            OSError: the disk does not take it; the version before goes on answering.
        """
        if not re.fullmatch(MODEL_NAME_PATTERN, name):
            problem = "a name is 1 to 64 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter or digit"
            raise UnprocessableError(f"name: {problem}", (FieldProblem(loc=["name"], msg=problem),))
        _check(content, snapshot_id or "the file")
        folder = ModelFolder(self._folder / name)
        with self._writing:
            self._remove_unfinished()
            try:
                standing = folder.standing()
                before = standing.version if standing else None
                folder.add(content, Note(snapshot_id=snapshot_id, notes=notes, created_at=self._clock(), before=before))
            except ModelFileError as error:
                raise UnavailableError(f"{error}: delete the model to use its name again") from error
        return self.loaded(name).card

    def rollback(self, name: str) -> ModelCard:
        """Let the version that answered before the present one answer again; again, and it goes further back.

        Versions that cannot be read are passed over. Raises ConflictError where there is none before.
        """
        with self._writing:
            folder, standing = self._found(name)
            try:
                before = self._before(name, folder, standing.version)
            except ModelFileError as error:
                raise UnavailableError(str(error)) from error
            if before is None:
                raise ConflictError(f"model {name} has no version before {standing.version} that can answer")
            folder.stand(Standing(before.card.version, standing.newest))
            return before.card

    def loaded(self, name: str) -> LoadedModel:
        """The version that answers."""
        folder, standing = self._found(name)
        try:
            return self._read(name, folder, standing.version)
        except ModelFileError as error:
            self._check_there(name)
            raise UnavailableError(f"model {name} cannot answer: {error}") from error

    def card(self, name: str, version: int) -> ModelCard:
        """The card of any version. Raises NotFoundError where the model has no such version."""
        folder, standing = self._found(name)
        if version not in folder.versions(standing.newest):
            problem = f"model {name} has no version {version}"
            raise NotFoundError(problem, (FieldProblem(loc=["version"], msg=problem),))
        try:
            card = self._read(name, folder, version).card
        except ModelFileError as error:
            self._check_there(name)
            raise UnavailableError(str(error)) from error
        return card.model_copy(update={"is_current": version == standing.version})

    def info(self, name: str) -> ModelInfo:
        """The version that answers, or what keeps it from answering, and the versions there are."""
        folder, standing = self._found(name)
        try:
            card, problem = self._read(name, folder, standing.version).card, None
        except ModelFileError as error:
            card, problem = None, str(error)
        versions = [_version(folder, version, standing) for version in folder.versions(standing.newest)]
        if problem is not None or any(version.problem for version in versions):
            self._check_there(name)
        return ModelInfo(name=name, card=card, problem=problem, versions=versions)

    def listed(self) -> list[ModelInfo]:
        """Every model, by name; a damaged one says its problem."""
        names = [path.parent.name for path in self._folder.glob("*/current")]
        found = [self._info_or_problem(name) for name in sorted(names) if re.fullmatch(MODEL_NAME_PATTERN, name)]
        return [info for info in found if info is not None]

    def delete(self, name: str) -> None:
        """Remove a name with all its versions, damaged or not."""
        with self._writing:
            self._remove_unfinished()
            try:
                folder, _ = self._found(name)
            except UnavailableError:
                folder = ModelFolder(self._folder / name)
            folder.remove(self._folder / f".{name}.{secrets.token_hex(4)}{_REMOVED}")

    def _info_or_problem(self, name: str) -> ModelInfo | None:
        """What a list says of a model; None where it was deleted meanwhile."""
        try:
            return self.info(name)
        except NotFoundError:
            return None
        except UnavailableError as error:
            return ModelInfo(name=name, card=None, problem=error.message, versions=[])

    def _found(self, name: str) -> tuple[ModelFolder, Standing]:
        folder = ModelFolder(self._folder / name)
        try:
            # A name that is none is not looked for: it might lead elsewhere.
            standing = folder.standing() if re.fullmatch(MODEL_NAME_PATTERN, name) else None
        except ModelFileError as error:
            raise UnavailableError(str(error)) from error
        if standing is None:
            problem = f"there is no model {name!r}"
            raise NotFoundError(problem, (FieldProblem(loc=["name"], msg=problem),))
        return folder, standing

    def _check_there(self, name: str) -> None:
        """A file could not be read: raises NotFoundError where the model was deleted meanwhile."""
        self._found(name)

    def _before(self, name: str, folder: ModelFolder, version: int) -> LoadedModel | None:
        while (before := folder.note(version).before) is not None:
            version = before
            try:
                return self._read(name, folder, version)
            except ModelFileError as error:
                log.warning("passed over: %s", error)
        return None

    def _read(self, name: str, folder: ModelFolder, version: int) -> LoadedModel:
        """A version from memory, or from its files. Raises ModelFileError."""
        path = folder.snapshot_path(version)
        try:
            stat = path.stat()
        except OSError as error:
            raise ModelFileError(f"{name}/{path.name} cannot be read: {error.strerror}") from error
        # The file's own identity: a name that was deleted begins again with version 1.
        key = (name, version, stat.st_ino, stat.st_mtime_ns)
        return self._loaded.get(key, lambda: _load(name, folder, version))

    def _remove_unfinished(self) -> None:
        """Remove what a kill left of models that were being deleted."""
        for path in self._folder.glob(f".*{_REMOVED}"):
            shutil.rmtree(path)


def _version(folder: ModelFolder, version: int, standing: Standing) -> ModelVersion:
    """A version by its note: its snapshot is not opened."""
    try:
        note, problem = folder.note(version), None
    except ModelFileError as error:
        note, problem = None, str(error)
    return ModelVersion(
        version=version,
        is_current=version == standing.version,
        created_at=note.created_at if note else None,
        snapshot_id=note.snapshot_id if note else None,
        notes=note.notes if note else "",
        size_bytes=folder.size_bytes(version),
        problem=problem,
    )


def _check(content: bytes, name: str) -> None:
    from juniper_cascor import snapshots  # HDF5 is loaded where it is first needed

    try:
        snapshots.parsed(content, name)
    except snapshots.SnapshotError as error:
        raise ConflictError(f"it cannot be promoted: {error}") from error


def _load(name: str, folder: ModelFolder, version: int) -> LoadedModel:
    from juniper_cascor import snapshots
    from juniper_cascor.serving.model_card import model_card

    note = folder.note(version)
    try:
        snapshot = snapshots.parsed(folder.snapshot(version), f"{name}/{version:05}.h5")
    except snapshots.SnapshotError as error:
        raise ModelFileError(str(error)) from error
    return LoadedModel(model_card(name, version, note, snapshot), snapshot.network)
