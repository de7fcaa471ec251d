"""Where the snapshots of runs stand: a folder for each run, a file for each point of its growth."""

import logging
from pathlib import Path

from juniper_cascor import snapshots
from juniper_cascor.atomic_file import remove_leftovers
from juniper_cascor.snapshots import Card, Snapshot, SnapshotError
from juniper_common.wire.training import SnapshotInfo

log = logging.getLogger(__name__)


def path_of(folder: Path, card: Card) -> Path:
    """Where a run's snapshot stands: its name says how far the network had grown."""
    return folder / str(card.run_id) / f"{card.hidden_units:05}-{card.epoch:09}.h5"


def write(folder: Path, snapshot: Snapshot) -> Path:
    """Write a run's snapshot. Only the run's one trainer does, so what else was being written there was left by a kill.

    Raises:
        OSError: the disk does not take it; the snapshots before it stay whole.
    """
    path = path_of(folder, snapshot.card)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    snapshots.write(path, snapshot)
    return path


def checkpoint_path(folder: Path, run_id: str) -> Path:
    """Where the newest state of a run between its snapshots stands."""
    return folder / run_id / "checkpoint.h5"


def parent_path(folder: Path, run_id: str) -> Path:
    """Where the snapshot stands that a run began with, if it did: it outlives the one it was copied from."""
    return folder / run_id / "parent.h5"


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


def newest(folder: Path, run_id: str) -> Snapshot | None:
    """The run's last snapshot that reads well, or None; those that do not are logged."""
    # The network of a finished run may have fewer units than it had before: the epoch says which came last.
    for path in sorted(_of_runs(folder, run_id), key=lambda path: path.stem.split("-")[1], reverse=True):
        try:
            return snapshots.read(path)
        except SnapshotError as error:
            log.warning("passed over: %s", error)
    return None


def listed(folder: Path) -> list[SnapshotInfo]:
    """The snapshots of all runs, newest first, by what their names say; none is opened."""
    return sorted(map(_info, _of_runs(folder, "*")), key=lambda info: info.created_at, reverse=True)


def _of_runs(folder: Path, pattern: str) -> list[Path]:
    return [path for path in folder.glob(f"{pattern}/*.h5") if path.stem.replace("-", "").isdigit()]


def _info(path: Path) -> SnapshotInfo:
    units, epoch = path.stem.split("-")
    stat = path.stat()
    return SnapshotInfo(
        id=f"{path.parent.name}.{path.stem}",
        run_id=path.parent.name,
        epoch=int(epoch),
        hidden_units=int(units),
        created_at=stat.st_mtime,
        size_bytes=stat.st_size,
    )
