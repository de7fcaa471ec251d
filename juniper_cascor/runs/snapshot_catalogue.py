"""What lies in the snapshot folder, and whether it reads well: damaged, foreign and newer files are listed as such.

A file is read whole to be checked, so what was found is remembered for as long as the file stays as it is.
"""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from juniper_cascor import snapshots
from juniper_cascor.engine.network import Network
from juniper_cascor.recently_used import RecentlyUsed
from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.history import metric_row, rows_of
from juniper_cascor.runs.snapshot_files import (
    SnapshotFile,
    file_of_id,
    files,
    id_of,
    numbered_files,
    path_of_id,
    printable,
)
from juniper_cascor.snapshots import (
    ForeignSnapshotError,
    NewerSnapshotError,
    OtherHdf5Error,
    Snapshot,
    SnapshotError,
    UnreadableSnapshotError,
)
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import (
    NetworkSize,
    SnapshotCard,
    SnapshotDetail,
    SnapshotInfo,
    SnapshotList,
    SnapshotState,
)

REMEMBERED = 20_000
"""Files of which is known what they are: about 200 bytes each."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a file turned out to be; what it says of the growth is that of its name where it is not whole."""

    state: SnapshotState
    problem: str | None = None
    epoch: int | None = None
    hidden_units: int | None = None
    can_resume: bool = False


class SnapshotCatalogue:
    """The files of a snapshot folder, for several threads.

    Args:
        folder: where the runs' folders stand.
        remembered: of how many files is remembered what they are.
    """

    def __init__(self, folder: Path, remembered: int = REMEMBERED) -> None:
        self._folder = folder
        self._findings = RecentlyUsed[Finding](remembered)
        self._lock = threading.Lock()

    def listed(
        self, limit: int = 100, offset: int = 0, run_id: str | None = None, state: SnapshotState | None = None
    ) -> SnapshotList:
        """The files that match, newest first. Only those listed are read; all, where a state is asked for."""
        found = [file for file in files(self._folder) if run_id is None or file.run_id == run_id]
        found.sort(key=lambda file: (file.modified_ns, file.relative), reverse=True)
        if state is not None:
            found = [file for file in found if self._finding(file).state == state]
        page = found[offset : offset + limit]
        return SnapshotList(snapshots=[_info(file, self._finding(file)) for file in page], total=len(found))

    def newest_id(self, run_id: str) -> str:
        """The id of a run's newest numbered snapshot that is whole; others are logged. Raises NotFoundError."""
        newest_first = numbered_files(self._folder, run_id)[::-1]
        for file in newest_first:
            finding = self._finding(file)
            if finding.state == "whole":
                return id_of(file.relative)
            log.warning("passed over: snapshot %s is %s: %s", id_of(file.relative), finding.state, finding.problem)
        message = printable(f"there is no {'whole ' if newest_first else ''}snapshot of run {run_id}")
        raise NotFoundError(message, (FieldProblem(loc=["run_id"], msg=message),))

    def _finding(self, file: SnapshotFile) -> Finding:
        # One file at a time, whoever asks: so no more than one of them is in memory.
        with self._lock:
            finding = self._findings.get(file, lambda: _examined(self._folder, file)[0])
            if finding.state == "unreadable":  # which changes without a trace in the file
                self._findings.forget(file)
            return finding


def info(folder: Path, snapshot_id: str) -> SnapshotInfo:
    """One file as a list has it. Raises NotFoundError."""
    file = file_of_id(folder, snapshot_id)
    return _info(file, _examined(folder, file)[0])


def describe(folder: Path, snapshot_id: str) -> SnapshotDetail:
    """One file, and what it says of itself where it is whole. Raises NotFoundError."""
    file = file_of_id(folder, snapshot_id)
    finding, snapshot = _examined(folder, file)
    fields = _info(file, finding).model_dump()
    if snapshot is None:
        return SnapshotDetail(**fields)
    rows = rows_of(snapshot.metrics)
    return SnapshotDetail(
        **fields,
        card=SnapshotCard.model_validate(snapshot.card.model_dump()),
        network=_size(snapshot.network),
        metrics=metric_row(rows[-1]) if len(rows) else None,
    )


def opened(folder: Path, snapshot_id: str) -> Snapshot:
    """The content of a whole snapshot. Raises NotFoundError; ConflictError where the file is anything else."""
    finding, snapshot = _examined(folder, file_of_id(folder, snapshot_id))
    if snapshot is None:
        message = f"snapshot {snapshot_id} is {finding.state}: {finding.problem}"
        raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))
    return snapshot


def can_resume(snapshot: Snapshot) -> bool:
    """Whether it holds a training that had not come to its end."""
    return bool(snapshot.state) and snapshot.card.outcome is None


def delete(folder: Path, snapshot_id: str) -> None:
    """Delete the file, whatever it is. Raises NotFoundError; OSError where the disk does not let it."""
    try:
        path_of_id(folder, snapshot_id).unlink()
    except FileNotFoundError as error:
        raise NotFoundError(f"snapshot {snapshot_id} was deleted just now") from error


def _info(file: SnapshotFile, finding: Finding) -> SnapshotInfo:
    return SnapshotInfo(
        id=id_of(file.relative),
        run_id=file.run_id,
        epoch=finding.epoch,
        hidden_units=finding.hidden_units,
        created_at=file.modified_ns / 1e9,
        size_bytes=file.size,
        state=finding.state,
        problem=finding.problem,
        can_resume=finding.can_resume,
    )


def _examined(folder: Path, file: SnapshotFile) -> tuple[Finding, Snapshot | None]:
    """What the file is, and its content where it is whole."""
    path = folder / file.relative
    growth = snapshot_folder.growth_of(path.name) if file.run_id else None
    try:
        snapshot = snapshots.read(path)
    except SnapshotError as error:
        units, epoch = growth or (None, None)
        state = _state_of(error, has_our_name=growth is not None)
        return Finding(state, printable(str(error)), epoch, units), None
    card = snapshot.card
    if file.run_id and path != snapshot_folder.path_of(folder, card):
        problem = f"it is a snapshot of {card.run_id or 'no run'} at epoch {card.epoch}, and no run writes it here"
        return Finding("foreign", problem, card.epoch, card.hidden_units), None
    return Finding("whole", None, card.epoch, card.hidden_units, can_resume=can_resume(snapshot)), snapshot


def _state_of(error: SnapshotError, *, has_our_name: bool) -> SnapshotState:
    if isinstance(error, UnreadableSnapshotError):
        return "unreadable"
    if isinstance(error, NewerSnapshotError):
        return "newer"
    is_foreign = isinstance(error, OtherHdf5Error) or (isinstance(error, ForeignSnapshotError) and not has_our_name)
    return "foreign" if is_foreign else "damaged"


def _size(network: Network) -> NetworkSize:
    return NetworkSize(
        inputs=network.n_inputs,
        hidden_units=network.n_hidden_units,
        outputs=network.n_outputs,
        weights=sum(map(len, network.hidden_weights)) + network.output_weights.size,
    )
