"""The networks of snapshots, ready to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor.engine.network import Network
from juniper_cascor.recently_used import RecentlyUsed
from juniper_common.errors import NotFoundError, UnavailableError
from juniper_common.wire.models import Label


@dataclass(frozen=True)
class NamedNetwork:
    """A network that is asked, the labels of its classes where they are known, and the id that it goes by."""

    network: Network
    labels: Sequence[Label] | None
    name: str


class SnapshotNetworks:
    """Reads snapshots, and keeps the networks asked last in memory. May be called from threads."""

    def __init__(self, max_kept: int = 8) -> None:
        self._kept = RecentlyUsed[NamedNetwork](max_kept)

    def of(self, snapshot_id: str, path: Path) -> NamedNetwork:
        """The network of a snapshot's file.

        Raises:
            NotFoundError: it is not there.
            UnavailableError: it is damaged, or cannot be read.
        """
        try:
            stat = path.stat()
        except FileNotFoundError as error:
            raise NotFoundError(f"there is no snapshot {snapshot_id}") from error
        return self._kept.get((path, stat.st_ino, stat.st_mtime_ns), lambda: _read(snapshot_id, path))


def _read(snapshot_id: str, path: Path) -> NamedNetwork:
    from juniper_cascor import snapshots  # HDF5 is loaded where it is first needed

    try:
        snapshot = snapshots.read(path)
    except snapshots.SnapshotError as error:
        raise UnavailableError(f"snapshot {snapshot_id} cannot answer: {error}") from error
    return NamedNetwork(snapshot.network, snapshot.card.labels, snapshot_id)
