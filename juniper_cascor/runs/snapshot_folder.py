"""Where the snapshots of runs stand: a folder for each run, a numbered file for each point of its growth.

Two more files may stand beside a run's numbered ones: its latest state, replaced in place as it trains, and what it was
grown on from.
"""

import logging
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from juniper_cascor import snapshots
from juniper_cascor.snapshots import Card, Snapshot, SnapshotError
from juniper_common.atomic_file import remove_leftovers

CHECKPOINT = "checkpoint.h5"
PARENT = "parent.h5"

_REMOVED = ".removed"

_NUMBERED = re.compile(r"(\d{5,9})-(\d{9,18})\.h5", re.ASCII)

log = logging.getLogger(__name__)


def path_of(folder: Path, card: Card) -> Path:
    """Where a run's snapshot stands: its name says how far the network had grown."""
    return folder / str(card.run_id) / f"{card.hidden_units:05}-{card.epoch:09}.h5"


def growth_of(name: str) -> tuple[int, int] | None:
    """The hidden units and the epoch that a file's name tells; None for a name that `path_of` does not give."""
    found = _NUMBERED.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def write(folder: Path, snapshot: Snapshot) -> Path:
    """Write a run's snapshot. Only the run's one trainer does, so what else was being written there was left by a kill.

    Raises:
        OSError: the disk does not take it; the snapshots before it stay whole.
    """
    path = path_of(folder, snapshot.card)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    snapshots.write(path, snapshot)
    (path.parent / CHECKPOINT).unlink(missing_ok=True)  # It is older than this one.
    return path


def checkpoint_path(folder: Path, run_id: str) -> Path:
    """Where the newest state of a run between its snapshots stands."""
    return folder / run_id / CHECKPOINT


def parent_path(folder: Path, run_id: str) -> Path:
    """Where the snapshot stands that a run began with, if it did: it outlives the one it was copied from."""
    return folder / run_id / PARENT


def write_checkpoint(folder: Path, snapshot: Snapshot) -> Path:
    """Write a run's state in place of its last checkpoint. Raises OSError, as `write`."""
    path = checkpoint_path(folder, str(snapshot.card.run_id))
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    snapshots.write(path, snapshot)
    return path


def write_parent(folder: Path, run_id: str, snapshot: Snapshot) -> Path:
    """Write what a new run begins with. Raises OSError, as `write`."""
    path = parent_path(folder, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    snapshots.write(path, snapshot)
    return path


def remove(folder: Path, run_id: str) -> None:
    """Delete a run's folder with all that is in it, if it is there; by several threads at once, too.

    It is put aside first, so that all of it is gone at once, and whoever is writing there writes into nothing.

    Raises:
        OSError: some of it cannot be deleted; the next call tries again.
    """
    aside = folder / f".{run_id}{_REMOVED}"
    _remove_tree(aside)
    try:
        (folder / run_id).rename(aside)
    except FileNotFoundError:
        return
    _remove_tree(aside)


def remove_leftovers_of_removals(folder: Path) -> None:
    """Delete what a kill left of folders that were being deleted. Raises OSError."""
    for path in folder.glob(f".*{_REMOVED}"):
        _remove_tree(path)


def is_removed(name: str) -> bool:
    """Whether this is the name of a run's folder that is being deleted."""
    return name.startswith(".") and name.endswith(_REMOVED)


def history(folder: Path, run_id: str) -> list[Path]:
    """The run's numbered snapshots in the order of their epochs, by what their names say; none is opened."""
    if not (run_folder := folder / run_id).is_dir():
        return []
    # The network of a finished run may have fewer units than it had before: the epoch says which came last.
    grown = [(growth[::-1], path) for path in run_folder.iterdir() if (growth := growth_of(path.name))]
    return [path for _, path in sorted(grown)]


def newest(folder: Path, run_id: str) -> Snapshot | None:
    """The run's last snapshot that reads well, its checkpoint included, or None; those that do not are logged."""
    found = _newest(folder, run_id)
    return found[1] if found else None


def newest_path(folder: Path, run_id: str) -> tuple[Path, Card] | None:
    """Where `newest` stands, and its card."""
    found = _newest(folder, run_id)
    return (found[0], found[1].card) if found else None


def _newest(folder: Path, run_id: str) -> tuple[Path, Snapshot] | None:
    numbered = (_read(path, run_id) for path in reversed(history(folder, run_id)))
    last = next(filter(None, numbered), None)
    path = checkpoint_path(folder, run_id)
    checkpoint = _read(path, run_id) if path.exists() else None
    # On a tie the numbered one: it stays, while the checkpoint may be replaced at any moment.
    candidates = [found for found in (last, checkpoint) if found]
    return max(candidates, key=lambda found: found[1].card.epoch, default=None)


def _remove_tree(path: Path) -> None:
    """Delete a folder, whose files another thread may be deleting too."""
    while os.path.lexists(path):
        with suppress(FileNotFoundError):
            shutil.rmtree(path)


def _read(path: Path, run_id: str) -> tuple[Path, Snapshot] | None:
    try:
        snapshot = snapshots.read(path)
    except SnapshotError as error:
        log.warning("passed over: %s", error)
        return None
    if snapshot.card.run_id != run_id:
        log.warning("passed over: %s is of run %s", path.name, snapshot.card.run_id)
        return None
    return path, snapshot
