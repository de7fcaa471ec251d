"""Calls about snapshots, and the replay of a growth."""

from juniper_cascor.calls.asking import Ask, asked, told
from juniper_common.http import Call, segment
from juniper_common.wire.snapshots import (
    ReplayAction,
    ReplayCommand,
    ReplayRequest,
    ReplayStatus,
    ResumeSnapshot,
    RetrainSnapshot,
    SnapshotDetail,
    SnapshotInfo,
    SnapshotList,
    SnapshotState,
)
from juniper_common.wire.training import (
    DecisionBoundary,
    NetworkSummary,
    TrainingStarted,
)


def snapshots(
    limit: int = 100, offset: int = 0, *, run_id: str | None = None, state: SnapshotState | None = None
) -> Ask[SnapshotList]:
    """What lies in the snapshot folder, newest first."""
    return asked("/v1/snapshots", SnapshotList, limit=limit, offset=offset, run_id=run_id, state=state)


def snapshot(snapshot_id: str) -> Ask[SnapshotDetail]:
    """One file, and what it says of itself. Raises NotFoundError."""
    return asked(_snapshot(snapshot_id), SnapshotDetail)


def snapshot_file(snapshot_id: str) -> Call:
    """The file itself, which comes without an envelope. Raises NotFoundError."""
    return Call(path=f"{_snapshot(snapshot_id)}/file")


def snapshot_boundary(
    snapshot_id: str, resolution: int = 50, *, x_feature: int = 0, y_feature: int = 1
) -> Ask[DecisionBoundary]:
    """What the snapshot's network answers on a grid over two inputs. Raises NotFoundError, ConflictError."""
    return asked(
        f"{_snapshot(snapshot_id)}/decision-boundary",
        DecisionBoundary,
        resolution=resolution,
        x_feature=x_feature,
        y_feature=y_feature,
    )


def take_snapshot() -> Ask[SnapshotInfo]:
    """Keep the network and its training as they stand. Raises NotFoundError."""
    return told("POST", "/v1/snapshots", SnapshotInfo)


def delete_snapshot(snapshot_id: str) -> Ask[None]:
    """Delete the file. Raises NotFoundError, ConflictError while its run is active."""
    return told("DELETE", _snapshot(snapshot_id), type(None))


def restore_snapshot(snapshot_id: str) -> Ask[NetworkSummary]:
    """Load the snapshot's network. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_snapshot(snapshot_id)}/restore", NetworkSummary, idempotent=True)


def resume_snapshot(snapshot_id: str, request: ResumeSnapshot | None = None) -> Ask[TrainingStarted]:
    """Start a run that goes on where the snapshot's was. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_snapshot(snapshot_id)}/resume", TrainingStarted, request or ResumeSnapshot())


def retrain_snapshot(snapshot_id: str, request: RetrainSnapshot | None = None) -> Ask[TrainingStarted]:
    """Start a run that grows on from the snapshot's network. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_snapshot(snapshot_id)}/retrain", TrainingStarted, request or RetrainSnapshot())


def replay_snapshot(snapshot_id: str, request: ReplayRequest | None = None) -> Ask[ReplayStatus]:
    """Show the growth of the snapshot's run to everyone who watches. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_snapshot(snapshot_id)}/replay", ReplayStatus, request or ReplayRequest())


def replay() -> Ask[ReplayStatus]:
    """Where the replay stands. Raises NotFoundError where there is none."""
    return asked("/v1/replay", ReplayStatus)


def control_replay(
    action: ReplayAction, *, position: int | None = None, speed: float | None = None
) -> Ask[ReplayStatus]:
    """Play, pause, stop, `seek` a position, or set the `speed`. Raises NotFoundError where there is none."""
    given = {name: value for name, value in (("position", position), ("speed", speed)) if value is not None}
    return told("POST", "/v1/replay", ReplayStatus, ReplayCommand.model_validate({"action": action, **given}))


def _snapshot(snapshot_id: str) -> str:
    return f"/v1/snapshots/{segment(snapshot_id)}"
