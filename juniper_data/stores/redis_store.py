"""A store in Redis. What it keeps there, and how, stands at the head of `redis_store.lua`.

A put writes its pieces first, under a key of its own that Redis removes unless the script takes it into a dataset: so
whoever is killed leaves the state before or after, and nothing that lasts. Redis removes an expired dataset by itself,
some time after a sweep should have done it.
"""

import hashlib
import json
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any, BinaryIO, cast

from pydantic import ValidationError

from juniper_common.wire.dataset_queries import DatasetFilter, DatasetStats, FoundDatasets
from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.profiles import DatasetProfile
from juniper_data.errors import (
    DatasetDamagedError,
    DatasetNotFoundError,
    InvalidParametersError,
    StoreError,
    VersionTakenError,
)
from juniper_data.stores.limits import MAX_PAGE_BYTES, MAX_TAGS, too_large, too_many
from juniper_data.stores.protocol import Accesses, Artifact, Quota, Stored
from juniper_data.stores.query import asked_tags, cursor_at, microseconds, moment_at, place_of
from juniper_data.stores.redis_server import Patience, RedisServer
from juniper_data.stores.rows import checked

PREFIX = "juniper:"
"""What all keys begin with."""

PIECE_BYTES = 4 << 20
"""An artifact lies in pieces of this size: none keeps the server, or takes our memory, for long."""

GRACE = timedelta(hours=1)
"""So long after its expiry Redis removes what no sweep has removed."""

_PUT_LIVES = timedelta(hours=1)
"""What an interrupted put has written stays for so long."""

# What a meta's JSON does not say of a dataset: it changes, or stands beside it.
_APART = {"profile", "access_count", "last_accessed_at", "tags", "dataset_name", "dataset_version"}


class RedisStore:
    """Datasets in a Redis server, for several services at once. A `DatasetStore`.

    Args:
        url: as in `Settings.redis_url`.
        password: None or empty: it asks for none.
        quota: how much it takes.
        prefix: what all keys begin with; whoever has the same shares them.
        patience: how long to wait for the server.
        grace: so long after its expiry Redis removes a dataset by itself.

    Raises:
        StoreAwayError: the server does not answer.
        StoreError: it does not let us in, or is too old.
    """

    def __init__(
        self,
        url: str,
        password: str | None = None,
        quota: Quota = Quota(),  # noqa: B008 - frozen
        *,
        prefix: str = PREFIX,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        grace: timedelta = GRACE,
    ) -> None:
        self._quota = quota
        self._grace = grace
        self._server = RedisServer(url, password, prefix, patience)
        self._call = self._server.call

    def check(self) -> str | None:
        """Write and remove a little; what the server's settings may cost."""
        self._server.check()
        return "; ".join(self._server.warnings()) or None

    def put(self, meta: DatasetMeta, artifact: BinaryIO) -> Stored:
        """Keep a dataset; the first writer of an id wins."""
        checked(meta.dataset_id)
        place = secrets.token_hex(16)
        try:
            pieces, checksum = self._write(artifact, place)
            if checksum != meta.checksum:
                raise StoreError(f"the artifact of {meta.dataset_id} does not have the checksum stated")
            new = self._row(meta) | {"place": place, "pieces": pieces}
            profile = "" if meta.profile is None else meta.profile.model_dump_json()
            outcome, *told = self._call("put", _json(new), meta.model_dump_json(exclude=_APART), profile)
        except BaseException:
            # Else it takes room for an hour. Not where it has become the dataset's, and only the answer was lost.
            with suppress(StoreError):
                self._call("discard", meta.dataset_id, place)
            raise
        match outcome:
            case b"datasets":
                raise too_many(self._quota)
            case b"bytes":
                raise too_large(self._quota, told[0], meta.size_bytes)
            case b"lost":
                raise StoreError(f"the server lost what was written of {meta.dataset_id}")
        return Stored(_told(told[0]), created=outcome == b"created")

    def meta(self, dataset_id: str) -> DatasetMeta:
        """All that is known of a dataset."""
        return _told(self._found(dataset_id, "meta"))

    def open_artifact(self, dataset_id: str) -> Artifact:
        """The verified artifact, open at its start: a copy, in a temporary file where it is large."""
        missed = None
        while (place := (located := self._found(dataset_id, "locate"))[0].decode()) != missed:
            artifact = self._copy(dataset_id, place, int(located[1]), located[2].decode())
            if artifact is not None:
                return artifact
            missed = place  # Deleted or replaced meanwhile? It is asked again.
        raise DatasetDamagedError(dataset_id, "its artifact is missing")

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """Count readings of artifacts."""
        rows = {dataset_id: (each.count, microseconds(each.last_at)) for dataset_id, each in accesses.items()}
        self._call("record_accesses", _token(), json.dumps(rows))

    def ids(self, limit: int, offset: int) -> Sequence[str]:
        """Some of the ids, in their alphabetical order."""
        return [dataset_id.decode() for dataset_id in self._call("ids", limit, offset)]

    def find(self, query: DatasetFilter, at: datetime) -> FoundDatasets:
        """One page of the datasets that fit, newest first."""
        total, is_last, rows = self._call("find", _json(_asked(query, at)))
        shown = tuple(map(_told, rows))
        return FoundDatasets(
            datasets=shown,
            total=total,
            limit=query.limit,
            offset=query.offset,
            next_cursor=None if is_last else cursor_at(microseconds(shown[-1].created_at), shown[-1].dataset_id),
        )

    def stats(self, at: datetime) -> DatasetStats:
        """The store in figures."""
        n, (samples, size), generators, tags, oldest, newest, n_expired = self._call("stats", microseconds(at))
        return DatasetStats(
            total_datasets=n,
            total_samples=int(samples or 0),
            total_bytes=int(size or 0),
            by_generator=_counts(generators),
            by_tag=_counts(tags),
            oldest_created_at=None if oldest is None else moment_at(int(oldest)),
            newest_created_at=None if newest is None else moment_at(int(newest)),
            expired_count=n_expired,
            max_datasets=self._quota.max_datasets,
            max_bytes=self._quota.max_bytes,
        )

    def add_version(self, dataset_id: str, name: str, version: int | None = None) -> DatasetMeta:
        """Give a dataset a name."""
        if version is None:
            return _told(self._found(dataset_id, "add_version", name))
        if not (row := self._found(dataset_id, "add_version", name, str(version))):
            raise VersionTakenError(name, version)
        return _told(row)

    def names(self) -> Mapping[str, int]:
        """All names that were ever given, each with the last number that it counted."""
        return _counts(self._call("names"))

    def count_names(self, last: Mapping[str, int]) -> None:
        """Have names count on from these numbers."""
        self._call("count_names", json.dumps(last))

    def versions(self, name: str, last: int | None = None) -> Sequence[DatasetMeta]:
        """The datasets that have or had this name, by version; all, or so many of the last."""
        return [_told(row) for row in self._call("versions", name, 0 if last is None else -last)]

    def change_tags(self, dataset_id: str, add: Sequence[str], remove: Sequence[str]) -> DatasetMeta:
        """Take tags away, then add some at the end, each once."""
        change = {"add": list(add), "remove": list(remove), "max_tags": MAX_TAGS}
        row = self._found(dataset_id, "change_tags", json.dumps(change))
        if not row:
            problem = FieldProblem(loc=["add_tags"], msg=f"a dataset has at most {MAX_TAGS} tags")
            raise InvalidParametersError((problem,))
        return _told(row)

    def delete(self, dataset_id: str) -> None:
        """Remove a dataset."""
        if not self._call("delete", _token(), checked(dataset_id)):
            raise DatasetNotFoundError(dataset_id)

    def delete_expired(self, at: datetime) -> Sequence[str]:
        """Remove what has expired. What interrupted calls have left, Redis removes by itself."""
        ids: list[bytes] = []
        while some := self._call("delete_expired", microseconds(at)):
            ids += some
        return [dataset_id.decode() for dataset_id in ids]

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """Note what an idempotency key was first used for; returns that."""
        lives_ms = (expires_at - at + self._grace) // timedelta(milliseconds=1)
        first = self._call("claim_key", key, fingerprint, microseconds(at), microseconds(expires_at), lives_ms)
        return str(first.decode())

    def close(self) -> None:
        """Close all connections; no call may follow."""
        self._server.close()

    def _found(self, dataset_id: str, operation: str, *arguments: str) -> list[Any]:
        row: list[Any] | None = self._call(operation, checked(dataset_id), *arguments)
        if row is None:
            raise DatasetNotFoundError(dataset_id)
        return row

    def _row(self, meta: DatasetMeta) -> dict[str, object]:
        """What the script notes of a new dataset."""
        expires = meta.expires_at
        lives = None if expires is None else max(expires - meta.created_at, timedelta()) + self._grace
        return {
            "id": meta.dataset_id,
            "checksum": meta.checksum,
            "generator": meta.generator,
            "parent": meta.parent_dataset_id,
            "name": meta.dataset_name,
            "tags": list(meta.tags),
            "bytes": meta.size_bytes,
            "samples": meta.n_samples,
            "created": microseconds(meta.created_at),
            "expires": None if expires is None else microseconds(expires),
            # From now on, by the server's clock: ours may go otherwise.
            "lives": None if lives is None else lives // timedelta(microseconds=1),
            "accesses": meta.access_count,
            "accessed": "" if meta.last_accessed_at is None else microseconds(meta.last_accessed_at),
            "max_datasets": self._quota.max_datasets,
            "max_bytes": self._quota.max_bytes,
        }

    def _write(self, artifact: BinaryIO, place: str) -> tuple[int, str]:
        """Write all pieces; how many they are, and the SHA-256 of them all."""
        digest = hashlib.sha256()
        n = 0
        while piece := artifact.read(PIECE_BYTES):
            digest.update(piece)
            self._call("write", place, n, piece, _PUT_LIVES // timedelta(milliseconds=1))
            n += 1
        return n, digest.hexdigest()

    def _copy(self, dataset_id: str, place: str, pieces: int, checksum: str) -> Artifact | None:
        """An artifact out of its pieces; None where one is gone."""
        digest = hashlib.sha256()
        try:
            with ExitStack() as unfinished:
                file = unfinished.enter_context(tempfile.SpooledTemporaryFile(max_size=PIECE_BYTES))
                for number in range(pieces):
                    piece = self._server.piece(place, number)
                    if piece is None:
                        return None
                    digest.update(piece)
                    file.write(piece)
                if digest.hexdigest() != checksum:
                    raise DatasetDamagedError(dataset_id, "its artifact does not have the checksum in its meta")
                size = file.tell()
                file.seek(0)
                unfinished.pop_all()
        except OSError as error:
            raise StoreError(f"cannot read {dataset_id}: {error}") from error
        return Artifact(cast("BinaryIO", file), size, checksum)


def _asked(query: DatasetFilter, at: datetime) -> dict[str, object]:
    """A query as the script takes it."""
    tags = asked_tags(query)
    # One tag is the same either way, and looked up faster as one that is needed.
    is_any = query.tags_match == "any" and len(tags) > 1
    place = (None, None) if query.cursor is None else place_of(query.cursor)
    return {
        "generator": query.generator,
        "parent": query.parent_dataset_id,
        "name": query.dataset_name,
        "version": query.dataset_version,
        "all_tags": [] if is_any else tags,
        "any_tags": tags if is_any else [],
        "created_after": None if query.created_after is None else microseconds(query.created_after),
        "created_before": None if query.created_before is None else microseconds(query.created_before),
        "min_samples": query.min_samples,
        "max_samples": query.max_samples,
        "at": None if query.include_expired else microseconds(at),
        "cursor_created": place[0],
        "cursor_id": place[1],
        "limit": query.limit,
        "offset": query.offset,
        "max_bytes": MAX_PAGE_BYTES,
    }


def _json(fields: Mapping[str, object]) -> str:
    """Without what is None, which Lua would take for something."""
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def _told(row: Sequence[Any]) -> DatasetMeta:
    """A dataset as the script tells of it; in a list the profile is left out."""
    dataset_id, meta, name, version, accesses, accessed, tags, *profile = row
    if meta is None:
        raise DatasetDamagedError(dataset_id.decode(), "its meta is missing")
    changing = {
        "tags": tuple(tag.decode() for tag in tags),
        "dataset_name": None if name is None else name.decode(),
        "dataset_version": None if version is None else int(version),
        "access_count": int(accesses),
        "last_accessed_at": moment_at(int(accessed)) if accessed else None,
    }
    try:
        if profile and profile[0]:
            changing["profile"] = DatasetProfile.model_validate_json(profile[0])
        return DatasetMeta.model_validate_json(meta).model_copy(update=changing)
    except ValidationError as error:
        raise DatasetDamagedError(dataset_id.decode(), "its meta cannot be read") from error


def _counts(pairs: Iterable[bytes]) -> dict[str, int]:
    """From words and numbers in turn, by word."""
    each = iter(pairs)
    return dict(sorted((word.decode(), int(n)) for word, n in zip(each, each, strict=True)))


def _token() -> str:
    """By which the script knows what it has done already."""
    return secrets.token_hex(16)
