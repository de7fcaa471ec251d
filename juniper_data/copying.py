"""From one store into another: every dataset with what is known of it, and the names with their numbers.

It may end anywhere and begin again: a dataset that is there with the same checksum is not sent once more, but read: it
may have been written just before the end. One that is not what was written is deleted there, and sent. Both stores
may be in use meanwhile. What the first of them is given then is found as long as this goes on; a tag, a name or a
deletion that comes behind it is not, but by another time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.errors import DatasetDamagedError, DatasetNotFoundError, VersionTakenError
from juniper_data.stores.protocol import Accesses, DatasetStore, Stored

PAGE = 1000
_LATER = {"dataset_name": None, "dataset_version": None}  # Names come at the end, each with all of its versions.


@dataclass
class Progress:
    """How far a copy is; all but `lacking` are counts."""

    total: int
    done: int = 0
    """Looked at, whatever came of it."""
    copied: int = 0
    copied_bytes: int = 0
    there: int = 0
    """They were in the target already."""
    gone: int = 0
    """They were deleted meanwhile, from either."""
    came: int = 0
    """They were made meanwhile, and copied."""
    names: int = 0
    lacking: list[str] = field(default_factory=list)
    """What could not be copied, a line each."""


def copy_store(source: DatasetStore, target: DatasetStore, at: datetime, tell: Callable[[Progress], None]) -> Progress:
    """Bring all that one store has into another one.

    Args:
        source: only read from.
        target: what it has beside this stays.
        at: now.
        tell: called after each dataset.

    Raises:
        StoreError: one of them fails. What was copied by then stays.
    """
    progress = Progress(source.stats(at).total_datasets)
    seen: set[str] = set()
    while new := [dataset_id for dataset_id in _ids(source) if dataset_id not in seen]:
        progress.came += len(new) if seen else 0
        progress.total = len(seen) + len(new)
        for dataset_id in new:
            _bring(dataset_id, source, target, progress)
            progress.done += 1
            tell(progress)
        seen.update(new)
    _bring_names(source, target, progress)
    return progress


def _ids(store: DatasetStore) -> Iterator[str]:
    n = 0
    while page := store.ids(PAGE, n):
        n += len(page)
        yield from page


def _bring(dataset_id: str, source: DatasetStore, target: DatasetStore, progress: Progress) -> None:
    """One dataset: copied, or what has changed of it since it was copied."""
    try:
        meta = source.meta(dataset_id)
        there = _found(target, dataset_id)
        # One that was made anew under the same id may have another time to live.
        is_there = there is not None and (there.checksum, there.created_at) == (meta.checksum, meta.created_at)
        if there is not None and is_there and _damage(dataset_id, target) is None:
            put = Stored(there, created=False)
        else:
            with source.open_artifact(dataset_id).file as file:
                put = target.put(meta.model_copy(update=_LATER), file)
        _take_stock(put, meta, target, progress)
    except DatasetNotFoundError:
        progress.gone += 1
    except DatasetDamagedError as error:
        progress.lacking.append(str(error))


def _take_stock(put: Stored, meta: DatasetMeta, target: DatasetStore, progress: Progress) -> None:
    """Read back what was copied; note what came of it, and bring what else is known of the dataset."""
    if put.meta.checksum != meta.checksum:
        made_at = put.meta.created_at.isoformat()
        progress.lacking.append(f"the target has another dataset {meta.dataset_id}, made {made_at}")
        return
    if put.created and (damage := _damage(meta.dataset_id, target)) is not None:
        progress.lacking.append(f"in the target {damage}")
        return
    _bring_up(put.meta, meta, target)
    if put.created:
        progress.copied += 1
        progress.copied_bytes += meta.size_bytes
    else:
        progress.there += 1


def _damage(dataset_id: str, target: DatasetStore) -> DatasetDamagedError | None:
    """What is wrong with a dataset in the target, which is deleted there then: no later call is to find it copied."""
    try:
        target.open_artifact(dataset_id).file.close()
    except DatasetDamagedError as error:
        target.delete(dataset_id)
        return error
    return None


def _found(store: DatasetStore, dataset_id: str) -> DatasetMeta | None:
    try:
        return store.meta(dataset_id)
    except DatasetNotFoundError:
        return None


def _bring_up(there: DatasetMeta, meta: DatasetMeta, target: DatasetStore) -> None:
    if there.tags != meta.tags:
        target.change_tags(meta.dataset_id, meta.tags, there.tags)
    more = meta.access_count - there.access_count
    if more > 0 and meta.last_accessed_at is not None:
        target.record_accesses({meta.dataset_id: Accesses(more, meta.last_accessed_at)})


def _bring_names(source: DatasetStore, target: DatasetStore, progress: Progress) -> None:
    """First how far they have counted, so that whoever names datasets in the target now takes no number of these."""
    names = source.names()
    progress.names = len(names)
    target.count_names(names)
    named: dict[str, int] = {}
    for name in names:
        try:
            there, wanted = _numbers(target.versions(name)), _numbers(source.versions(name))
        except DatasetDamagedError as error:
            progress.lacking.append(f"the versions of {name!r} cannot be told: {error}")
            continue
        for dataset_id, version in wanted.items():
            named[dataset_id] = named.get(dataset_id, 0) + 1
            if there.get(dataset_id) != version:
                progress.lacking += _bring_version(dataset_id, name, version, target)
    for dataset_id, n_names in named.items():
        if n_names > 1:
            _call_as_last(dataset_id, source, target)


def _bring_version(dataset_id: str, name: str, version: int, target: DatasetStore) -> Sequence[str]:
    """Why it could not be brought, if so."""
    try:
        given = target.add_version(dataset_id, name, version).dataset_version
    except DatasetNotFoundError:
        return []  # Damaged, which was told; or named after it was last looked at, and the next time finds it.
    except VersionTakenError as error:
        return [f"in the target {error}, and not {dataset_id}"]
    return [] if given == version else [f"in the target {dataset_id} is version {given} of {name!r}, and not {version}"]


def _call_as_last(dataset_id: str, source: DatasetStore, target: DatasetStore) -> None:
    """Of several names, the last one is what a dataset is called."""
    wanted, there = _found(source, dataset_id), _found(target, dataset_id)
    if wanted and there and wanted.dataset_name and wanted.dataset_name != there.dataset_name:
        with suppress(DatasetNotFoundError):  # It was deleted meanwhile.
            target.add_version(dataset_id, wanted.dataset_name)


def _numbers(versions: Sequence[DatasetMeta]) -> Mapping[str, int]:
    return {meta.dataset_id: meta.dataset_version for meta in versions if meta.dataset_version is not None}
