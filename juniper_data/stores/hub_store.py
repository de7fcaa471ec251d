"""A store in a repository on a hub.

    index.jsonl             what is known of the datasets, see hub_document
    artifacts/ID.npz        the bytes

Each change is one revision that has both, made only where the one before is still the newest; else it is made again
on top of that. This process works on a copy of the index, within a transaction that ends once the hub has taken the
revision. So whoever reads waits for nobody who writes, and whoever is killed leaves the state before or after.
"""

import errno
import hashlib
import io
import logging
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, StoreError, StoreFullError
from juniper_data.imports.writing import MAX_ARTIFACT_BYTES
from juniper_data.stores.held_accesses import HeldAccesses
from juniper_data.stores.hub import (
    MAX_INDEX_BYTES,
    Change,
    ConflictError,
    Hub,
    MissingFileError,
    OversizedFileError,
    Stated,
)
from juniper_data.stores.hub_document import EMPTY, location_of, take_over, written
from juniper_data.stores.index import Index
from juniper_data.stores.last_answer import LastAnswer
from juniper_data.stores.protocol import Accesses, Artifact, Quota, Stored
from juniper_data.stores.rows import add_accesses, checked

INDEX = "index.jsonl"

FRESH_S = 2.0
"""Who reads is told what others wrote so long ago. Who writes looks at once."""

CLOSING_S = 15.0
"""So long whoever closes waits for the hub to take counted readings."""

ATTEMPTS = 8
_BACKOFF_S = 0.05
_COPY_BYTES = 1 << 20
_NOT_LOOKED = "not looked yet"

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Upload(threading.local):
    """The artifact that this thread puts."""

    file: BinaryIO | None = None


class HubStore(Index):
    """An index and artifacts on a hub; for several processes at once, as far as the hub is. A `DatasetStore`.

    It is opened without asking the hub, which may be out of reach for a while.

    Args:
        hub: the repository.
        folder: for files that are on their way, which have no names.
        quota: how much it takes.
        clock_s: seconds that never go back.
        pause: wait for so many seconds.
    """

    def __init__(
        self,
        hub: Hub,
        folder: Path,
        quota: Quota = Quota(),  # noqa: B008 - frozen
        *,
        clock_s: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hub = hub
        self._folder = folder
        self._clock_s = clock_s
        self._pause = pause
        self._changing = threading.Lock()
        self._upload = _Upload()
        self._accesses = HeldAccesses(clock_s)
        self._readiness = LastAnswer(self._ask)
        self._revision: str | None = _NOT_LOOKED
        self._looked_at_s = float("-inf")
        with _disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._copy = tempfile.TemporaryDirectory(prefix="juniper-hub-")
        super().__init__(Path(self._copy.name) / "index.sqlite", quota)

    def check(self) -> str | None:
        """What the hub last answered to whether it may be read and written; it is asked anew meanwhile.

        A revision for each time that somebody wants to know would be too much.
        """
        return self._readiness()

    @property
    def has_repository(self) -> bool:
        """Whether there is one, or one that is shown. Raises StoreError."""
        self._refresh()
        return self._revision is not None

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset."""
        checked(meta.dataset_id)  # It becomes a part of a file's name.
        if meta.size_bytes > MAX_ARTIFACT_BYTES:
            raise StoreError(f"{meta.dataset_id} has {meta.size_bytes} bytes; {MAX_ARTIFACT_BYTES} can be on a hub")
        with self._temporary_file() as file:
            digest = hashlib.sha256()
            with _disk_errors(self._folder):
                while block := artifact.read(_COPY_BYTES):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != meta.checksum or file.tell() != meta.size_bytes:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum and size stated")
            self._upload.file = file
            try:
                added = self._settled(partial(self.add, meta, location_of(meta.dataset_id)))
            finally:
                self._upload.file = None
        return Stored(added.meta, added.created)

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        missed = None
        while True:
            meta = self.meta(dataset_id)
            asked = (self._revision, meta.checksum)
            wanted = Stated(dataset_id, meta.size_bytes, meta.checksum)
            try:
                return Artifact(self._fetched(wanted, self._revision), meta.size_bytes, meta.checksum)
            except DatasetDamagedError:
                if asked == missed:
                    raise
                missed = asked  # Deleted or replaced since the index was asked? It is asked again.
            with self._changing:
                self._look()

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """Count readings of artifacts: here at once or once a change is made, on the hub with the next change."""
        self._accesses.record(accesses)

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """Give a dataset a name."""
        return self._settled(partial(super().add_version, dataset_id, name, version))

    def count_names(self, last: Mapping[str, int]) -> None:
        """Have names count on from these numbers."""
        self._settled(partial(super().count_names, last))

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some."""
        return self._settled(partial(super().change_tags, dataset_id, add, remove))

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._settled(partial(self.remove, dataset_id))

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired; counted readings that were held for long go to the hub too."""
        removed = self._settled(partial(self.remove_expired, at))
        if self._accesses.are_due:
            self._send_accesses()
        return [dataset_id for dataset_id, _ in removed]

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """Note what an idempotency key was first used for; returns that."""
        return self._settled(partial(super().claim_key, key, fingerprint, at, expires_at))

    def close(self) -> None:
        """Let go of the copy, when counted readings are on the hub or that takes too long."""
        if self._accesses.are_any:
            sending = threading.Thread(target=self._send_accesses, name="sending accesses", daemon=True)
            sending.start()
            sending.join(CLOSING_S)
            if sending.is_alive():
                log.warning("counted readings are not on the hub: it does not take them within %g s", CLOSING_S)
                return  # The copy is in use, and goes with the process.
        super().close()
        self._copy.cleanup()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self._refresh()
        with super()._reading() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, sends_accesses: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction on the copy that ends once the hub has taken what changed in it."""
        with self._changing:
            self._look()
            self._accesses.enter(self._count)
            revision = self._revision
            with super()._writing() as connection:
                changes, before = connection.total_changes, _files(connection)
                yield connection
                if connection.total_changes != changes or (sends_accesses and self._accesses.held):
                    revision = self._commit(connection, before)
            self._revision = revision

    def _commit(self, connection: sqlite3.Connection, before: Mapping[str, Stated]) -> str:
        document = written(connection)
        if len(document) > MAX_INDEX_BYTES:
            raise StoreFullError(f"the index would have more than {MAX_INDEX_BYTES} bytes; delete some datasets")
        files = _files(connection)
        new = [location for location, file in files.items() if before.get(location) != file]
        added: dict[str, BinaryIO] = {INDEX: io.BytesIO(document)}
        for location in new:
            assert self._upload.file is not None  # noqa: S101 - nothing but a put adds datasets
            added[location] = self._upload.file
        kept = {location: file for location, file in files.items() if location not in added}
        removed = {location: file for location, file in before.items() if location not in files}
        self._accesses.offer(document)
        revision = self._hub.commit(self._revision, Change(added, removed, kept))
        # Somebody may read it from now on, whatever becomes of the transaction.
        self._accesses.taken(document)
        return revision

    def _settled(self, call: Callable[[], T]) -> T:
        """What a change returns; where somebody else was first, it is made again on top of that."""
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except ConflictError as error:
                log.info("%s; trying again", error)
                self._pause(random.random() * _BACKOFF_S * 2**attempt)  # noqa: S311 - no secret
        return call()

    def _send_accesses(self) -> None:
        def send() -> None:
            with self._writing(sends_accesses=True):
                pass

        try:
            self._settled(send)
        except StoreError as error:
            # They are counted here; whoever recorded them must not do it once more.
            self._accesses.put_off()
            log.warning("counted readings are not on the hub yet: %s", error)

    def _ask(self) -> str | None:
        """Whether it may be read and written, in words; raises StoreError where not."""
        self._hub.check()
        return None if self.has_repository else "no repository yet: it is made with the first dataset"

    def _count(self, accesses: Mapping[str, Accesses]) -> None:
        with super()._writing() as connection:
            add_accesses(connection, accesses)

    def _refresh(self) -> None:
        """See that the copy is fresh; where somebody changes it now, what was there before will do."""
        if self._is_fresh and not self._accesses.are_new:
            return
        if not self._changing.acquire(blocking=self._revision is _NOT_LOOKED):
            return
        try:
            if not self._is_fresh:
                self._look()
            self._accesses.enter(self._count)
        finally:
            self._changing.release()

    @property
    def _is_fresh(self) -> bool:
        return self._clock_s() - self._looked_at_s < FRESH_S

    def _look(self) -> None:
        """Take over what others wrote."""
        at_s = self._clock_s()
        revision = self._hub.head()
        if revision is None and self._revision not in (None, _NOT_LOOKED):
            raise StoreError("the repository on the hub is gone, or no longer shown with the key")
        if revision != self._revision:
            document = self._document(revision)
            self._accesses.taken(document)
            with super()._writing() as connection:
                take_over(connection, document, f"{INDEX} at {revision}")
                add_accesses(connection, self._accesses.held)
            self._revision = revision
        self._looked_at_s = at_s

    def _document(self, revision: str | None) -> bytes:
        if revision is None:
            return EMPTY
        content = io.BytesIO()
        try:
            self._hub.read(INDEX, revision, MAX_INDEX_BYTES, content)
        except MissingFileError:
            log.info("there is no %s at %s: the store is empty", INDEX, revision)
            return EMPTY
        return content.getvalue()

    def _fetched(self, wanted: Stated, revision: str | None) -> BinaryIO:
        """An artifact, verified. Raises DatasetDamagedError where that is not what the revision has."""
        with ExitStack() as opened:
            file = opened.enter_context(self._temporary_file())
            try:
                if revision is None:
                    raise MissingFileError("there is no repository any more")
                with _disk_errors(self._folder):
                    self._hub.read(location_of(wanted.dataset_id), revision, wanted.size, file)
                    wanted.check(file)
            except (MissingFileError, OversizedFileError) as error:
                raise DatasetDamagedError(wanted.dataset_id, str(error)) from error
            opened.pop_all()
        return file

    def _temporary_file(self) -> BinaryIO:
        with _disk_errors(self._folder):
            return tempfile.TemporaryFile(dir=self._folder)


def _files(connection: sqlite3.Connection) -> dict[str, Stated]:
    """The artifacts that an index has, by their locations."""
    rows = connection.execute("SELECT location, id, size_bytes, checksum FROM datasets")
    return {location: Stated(*row) for location, *row in rows}


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = StoreFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        raise kind(f"{folder} cannot be used: {error}") from error
