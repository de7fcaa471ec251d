"""What is not kept for ever: old runs with their snapshots, and datasets that no run names any more."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.runs.store import ENDED, RunStore
from juniper_common.errors import ConflictError
from juniper_common.wire.errors import FieldProblem

FRESH_S = 3_600
"""A dataset file younger than this may be one that a start has just fetched, before its run is recorded."""

_DATASET_NAME = re.compile(r"[0-9a-f]{64}\.npz")


@dataclass(frozen=True)
class Swept:
    """What a sweep has deleted, and what it could not."""

    runs: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()  # checksums
    problems: tuple[str, ...] = ()


def sweep(
    store: RunStore,
    folder: Path,
    dataset_folder: Path,
    *,
    keep_runs: int | None,
    keep_days: float | None,
    now: float,
    spared: Collection[str] = (),
) -> Swept:
    """Delete expired runs, then the datasets that no run names.

    Args:
        store: where the runs are recorded.
        folder: the snapshots, in a folder for each run.
        dataset_folder: a file for each dataset, named for its checksum.
        keep_runs: how many ended runs are kept; None sets no bound.
        keep_days: how long an ended run is kept; None sets no bound.
        now: Unix seconds.
        spared: runs that are not deleted, as the one that is shown in the foreground.

    A file that cannot be deleted stays, with its run, and is named among the problems. Raises StoreError.
    """
    runs, problems = [], []
    try:
        snapshot_folder.remove_leftovers_of_removals(folder)
    except OSError as error:
        problems.append(f"what is left of a deleted run cannot be deleted: {error}")
    for run_id in store.expired(keep_runs, keep_days, now):
        if run_id in spared:
            continue
        try:
            _delete(store, folder, run_id)
            runs.append(run_id)
        except OSError as error:
            problems.append(f"run {run_id} cannot be deleted: {error}")
    datasets, more_problems = _sweep_datasets(store, dataset_folder, now)
    return Swept(tuple(runs), tuple(datasets), (*problems, *more_problems))


def delete_ended(store: RunStore, folder: Path, run_id: str) -> None:
    """Delete a run that is over, with its snapshots.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: it has not ended.
        OSError: its snapshots cannot be deleted; the record stays.
    """
    if (record := store.get(run_id)) is None:
        raise no_such_run(run_id)
    if record.status not in ENDED:
        problem = f"the run is {record.status}; stop it first"
        raise ConflictError(problem, (FieldProblem(loc=["run_id"], msg=problem),))
    if not _delete(store, folder, run_id):
        raise no_such_run(run_id)  # Somebody else has deleted it meanwhile.


def _delete(store: RunStore, folder: Path, run_id: str) -> bool:
    # The record goes last: what a kill leaves of the run is still known by it, and deleted by the next sweep.
    snapshot_folder.remove(folder, run_id)
    return store.delete(run_id)


def _sweep_datasets(store: RunStore, folder: Path, now: float) -> tuple[list[str], list[str]]:
    old = [path for path in folder.glob("*.npz") if _DATASET_NAME.fullmatch(path.name) and _age_s(path, now) > FRESH_S]
    # Only now: a run that was recorded since the files were listed is among them.
    named = store.dataset_checksums()
    deleted, problems = [], []
    for path in old:
        if path.stem in named:
            continue
        try:
            path.unlink()
            deleted.append(path.stem)
        except OSError as error:
            problems.append(f"dataset {path.name} cannot be deleted: {error}")
    return sorted(deleted), problems


def _age_s(path: Path, now: float) -> float:
    return now - path.stat().st_mtime
