"""A store in PostgreSQL: rows in its tables, artifacts on this host's disk or in the database too.

    FOLDER/DATABASE/AB/ID.NONCE.npz   artifacts on the disk; DATABASE is the identity that the database has

Each of several services may use one database; those that keep artifacts on a disk must share the folder. A file is on
the disk before its row is committed, and goes after that of its removal; in the database both is one transaction.

In the database an artifact is rows of a megabyte, not a large object: those of all tables lie in one catalog, do not go
with the row that names them, and are read in a transaction that stays open, which keeps vacuum from removing anything
anywhere meanwhile. These are noted as unused when their dataset goes, and removed some at a time; what an interruption
leaves of them is swept. Autovacuum finds their room by itself.
"""

import hashlib
import io
import logging
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, Literal

from psycopg import Connection

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, StoreError
from juniper_data.stores.artifact_files import ArtifactFiles, disk_errors
from juniper_data.stores.index import Added
from juniper_data.stores.postgresql_connections import PATIENCE_S, Connections
from juniper_data.stores.postgresql_index import PostgresqlIndex, located
from juniper_data.stores.postgresql_rows import Row
from juniper_data.stores.protocol import Artifact, Quota, Stored
from juniper_data.stores.rows import checked

Place = Literal["disk", "database"]

CHUNK_BYTES = 1 << 20
"""An artifact of that or more lies in a file for as long as it is read."""

_IN_DATABASE = "database:"
"""What the location of an artifact begins with that is there."""


BATCH_CHUNKS = 64
"""So many are removed at once."""

_SOME_UNUSED = "SELECT location FROM unused WHERE %(location)s::text IS NULL OR location = %(location)s LIMIT %(n)s"
_REMOVE_CHUNKS = f"""
    DELETE FROM chunks WHERE (location, number) IN (
        SELECT location, number FROM ({_SOME_UNUSED}) AS few JOIN chunks USING (location) LIMIT %(n)s
    )
"""  # noqa: S608
_FORGET_UNUSED = f"""
    DELETE FROM unused WHERE location IN ({_SOME_UNUSED})
        AND NOT EXISTS (SELECT FROM chunks WHERE chunks.location = unused.location)
"""  # noqa: S608

log = logging.getLogger(__name__)


class PostgresqlStore(PostgresqlIndex):
    """Rows in PostgreSQL, with the artifacts beside them or among them. A `DatasetStore`.

    Args:
        url: `postgresql://USER@HOST/DATABASE`, without a password.
        folder: where artifacts on the disk are, and what is read out of the database for as long as it is open.
        quota: how much it takes.
        artifacts: where new ones go; those that are there are found in either place.
        password: empty: none.
        patience_s: how long a call is tried again while the server is away.
        opening_patience_s: how long it is waited for here.

    Raises:
        StoreError: the database cannot be used, or the folder; StoreAwayError while the server does not answer.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        quota: Quota = Quota(),  # noqa: B008 - frozen
        *,
        artifacts: Place = "disk",
        password: str = "",
        patience_s: float = PATIENCE_S,
        opening_patience_s: float = PATIENCE_S,
    ) -> None:
        connections = Connections(url, password, patience_s=patience_s, opening_patience_s=opening_patience_s)
        super().__init__(connections, quota)
        self._artifacts = artifacts
        self._folder = folder
        try:
            identity = connections.read(lambda connection: connection.execute("SELECT id FROM identity").fetchall())
            self._files = ArtifactFiles(folder / str(identity[0]["id"]), self)
            self._sweep()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Write and remove a little."""
        super().check()
        self._files.check()

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset; the first writer of an id wins."""
        if self._artifacts == "disk":
            with self._files.keeping(meta, artifact) as location:
                added = self._connections.write(lambda connection: self.add(connection, meta, location))
        else:
            added = self._put_into_database(meta, artifact)
        if added.replaced is not None:
            self._remove_artifact(added.replaced)
        return Stored(added.meta, added.created)

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start."""
        if self.locate(dataset_id).location.startswith(_IN_DATABASE):
            return self._out_of_database(dataset_id)
        return self._files.opened(dataset_id)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        self._remove_artifact(self.remove(dataset_id))

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired, and whatever has no row."""
        self._sweep()
        ids = []
        for dataset_id, location in self.remove_expired(at):
            if not location.startswith(_IN_DATABASE):
                self._files.remove(location)
            ids.append(dataset_id)
        self._remove_unused()
        return ids

    def _put_into_database(self, meta: DatasetMeta, artifact: BinaryIO) -> Added:
        checked(meta.dataset_id)
        start = artifact.tell()
        location = f"{_IN_DATABASE}{secrets.token_hex(16)}"

        def put(connection: Connection[Row]) -> Added:
            artifact.seek(start)
            # The artifact first: from its row on, others wait for the end of the transaction.
            if _copy_in(connection, artifact, location) != meta.checksum:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
            added = self.add(connection, meta, location)
            if not added.created:
                connection.execute("INSERT INTO unused VALUES (%s)", (location,))
            return added

        with disk_errors(f"cannot store {meta.dataset_id}"):
            added = self._connections.write(put)
        if not added.created:
            self._remove_artifact(location)
        return added

    def _out_of_database(self, dataset_id: str) -> Artifact:
        def read(connection: Connection[Row]) -> Artifact:
            found = located(connection, dataset_id)
            chunks = _chunks(connection, found.location)
            first = next(chunks, b"")
            is_small = len(first) < CHUNK_BYTES
            file: BinaryIO = io.BytesIO() if is_small else tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - the caller's
            try:
                digest = hashlib.sha256()
                for content in chain([first], chunks):
                    digest.update(content)
                    file.write(content)
                if digest.hexdigest() != found.checksum:
                    raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
                size = file.tell()
                file.seek(0)
            except BaseException:
                file.close()
                raise
            return Artifact(file, size, found.checksum)

        with disk_errors(f"cannot read {dataset_id}"):
            return self._connections.read(read)

    def _remove_artifact(self, location: str) -> None:
        """Remove what belongs to no row any more: whether that works or not, the dataset is gone."""
        if not location.startswith(_IN_DATABASE):
            self._files.remove(location)
            return
        try:
            self._remove_unused(location)
        except StoreError as error:
            log.warning("a deleted dataset still takes room, which the next sweep frees: %s", error)

    def _remove_unused(self, location: str | None = None) -> None:
        """Remove the chunks of one location, or of all, that have no dataset any more."""
        while self._connections.write(lambda connection: _remove_some(connection, location)):
            pass

    def _sweep(self) -> None:
        with disk_errors("cannot sweep"):
            self._files.sweep()


def _copy_in(connection: Connection[Row], artifact: BinaryIO, location: str) -> str:
    """Copy into the database; returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    number = 0
    while content := artifact.read(CHUNK_BYTES):
        digest.update(content)
        connection.execute("INSERT INTO chunks VALUES (%s, %s, %b)", (location, number, content))
        number += 1
    return digest.hexdigest()


def _remove_some(connection: Connection[Row], location: str | None) -> bool:
    """Remove some chunks that are unused; whether there are more."""
    values = {"location": location, "n": BATCH_CHUNKS}
    for statement in (_REMOVE_CHUNKS, _FORGET_UNUSED):
        connection.execute(statement, values)
    return bool(connection.execute(_SOME_UNUSED, values).fetchall())


def _chunks(connection: Connection[Row], location: str) -> Iterator[bytes]:
    """An artifact out of the database, piece by piece."""
    query = "SELECT content FROM chunks WHERE location = %s AND number = %s"
    for number in count():
        with connection.cursor(binary=True) as cursor:
            row = cursor.execute(query, (location, number)).fetchone()
        if row is None:
            return
        yield row["content"]
