"""`/v1/snapshots` and `/v1/replay`: what is kept of the growth of networks, and what can be made of it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from juniper_cascor.api.envelope import success
from juniper_cascor.api.watching import PlaneQuery
from juniper_cascor.runs import snapshot_catalogue
from juniper_cascor.runs.snapshot_catalogue import SnapshotCatalogue
from juniper_cascor.runs.snapshot_files import file_of_id
from juniper_common.errors import ConflictError
from juniper_common.openapi import Operation
from juniper_common.requests import read_body, read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.run_queries import SnapshotQuery
from juniper_common.wire.snapshots import (
    ReplayCommand,
    ReplayRequest,
    ReplayStatus,
    ResumeSnapshot,
    RetrainSnapshot,
    SnapshotDetail,
    SnapshotInfo,
    SnapshotList,
)
from juniper_common.wire.training import DecisionBoundary, NetworkSummary, TrainingStarted

_HDF5 = "application/x-hdf5"


class SnapshotActions(Protocol):
    """What is made of snapshots. Each raises a ServiceError where it cannot be."""

    async def take(self) -> SnapshotInfo:
        """Keep the network and its training as they stand."""
        ...

    async def decision_boundary(self, snapshot_id: str, resolution: int, features: tuple[int, int]) -> DecisionBoundary:
        """What the snapshot's network answers on a grid over two features of what it was trained on."""
        ...

    async def restore(self, snapshot_id: str) -> NetworkSummary:
        """Load the snapshot's network in place of the one that is loaded."""
        ...

    async def resume(self, snapshot_id: str, request: ResumeSnapshot) -> TrainingStarted:
        """Start a run that goes on where the snapshot's was."""
        ...

    async def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> TrainingStarted:
        """Start a run that grows on from the snapshot's network."""
        ...

    async def replay(self, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """Show the growth of the snapshot's run to the watchers."""
        ...

    async def replay_control(self, command: ReplayCommand) -> ReplayStatus:
        """Command the replay."""
        ...

    def replay_status(self) -> ReplayStatus:
        """Where the replay stands."""
        ...


def operations(folder: Path, actions: SnapshotActions, is_in_use: Callable[[str], bool]) -> list[Operation]:
    """The operations on snapshots.

    Args:
        folder: where the runs' folders of snapshots stand.
        actions: what is made of them.
        is_in_use: whether a run is active, so that its snapshots must stay.
    """
    return [*_kept(folder, is_in_use), *_acted_on(actions), *_replayed(actions)]


def _kept(folder: Path, is_in_use: Callable[[str], bool]) -> list[Operation]:
    catalogue = SnapshotCatalogue(folder)

    async def list_snapshots(request: Request) -> Response:
        """What lies in the snapshot folder, newest first; damaged, foreign and newer files are told as such."""
        query = read_query(request, SnapshotQuery)
        return success(await asyncio.to_thread(catalogue.listed, **query.model_dump()))

    async def get_snapshot(request: Request) -> Response:
        """One file, and what it says of itself."""
        return success(await asyncio.to_thread(snapshot_catalogue.describe, folder, _id(request)))

    async def download_snapshot(request: Request) -> Response:
        """The file itself, as it is."""
        snapshot_id = _id(request)
        file = await asyncio.to_thread(file_of_id, folder, snapshot_id)
        # The id, since a name may hold what a header cannot.
        name = snapshot_id.removeprefix("~").removesuffix(".h5") + ".h5"
        return FileResponse(folder / file.relative, media_type=_HDF5, filename=name)

    async def delete_snapshot(request: Request) -> Response:
        """Delete the file; not while its run is active."""
        snapshot_id = _id(request)
        file = await asyncio.to_thread(file_of_id, folder, snapshot_id)
        if file.run_id is not None and is_in_use(file.run_id):
            message = f"run {file.run_id} is active: stop it first"
            raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))
        await asyncio.to_thread(snapshot_catalogue.delete, folder, snapshot_id)
        return Response(status_code=204)

    one = "/v1/snapshots/{snapshot_id}"
    return [
        Operation(
            method="GET",
            path="/v1/snapshots",
            handler=list_snapshots,
            query=SnapshotQuery,
            responses={200: Success[SnapshotList]},
        ),
        Operation(method="GET", path=one, handler=get_snapshot, responses={200: Success[SnapshotDetail]}),
        Operation(method="GET", path=f"{one}/file", handler=download_snapshot, responses={200: _HDF5}),
        Operation(method="DELETE", path=one, handler=delete_snapshot, responses={204: None}),
    ]


def _acted_on(actions: SnapshotActions) -> list[Operation]:
    async def take_snapshot(_: Request) -> Response:
        """Keep the network and its training as they stand."""
        return success(await actions.take(), 201)

    async def get_snapshot_boundary(request: Request) -> Response:
        """What the snapshot's network answers on a grid over two features of what it was trained on."""
        query = read_query(request, PlaneQuery)
        boundary = await actions.decision_boundary(_id(request), query.resolution, query.features)
        return await asyncio.to_thread(success, boundary)

    async def restore_snapshot(request: Request) -> Response:
        """Load the snapshot's network in place of the one that is loaded."""
        return success(await actions.restore(_id(request)))

    async def resume_snapshot(request: Request) -> Response:
        """Start a run that goes on where the snapshot's was, on the same data."""
        return success(await actions.resume(_id(request), await read_body(request, ResumeSnapshot)))

    async def retrain_snapshot(request: Request) -> Response:
        """Start a run that grows on from the snapshot's network, on its data or on other."""
        return success(await actions.retrain(_id(request), await read_body(request, RetrainSnapshot)))

    one = "/v1/snapshots/{snapshot_id}"
    return [
        Operation(method="POST", path="/v1/snapshots", handler=take_snapshot, responses={201: Success[SnapshotInfo]}),
        Operation(
            method="GET",
            path=f"{one}/decision-boundary",
            handler=get_snapshot_boundary,
            query=PlaneQuery,
            responses={200: Success[DecisionBoundary]},
        ),
        Operation(
            method="POST",
            path=f"{one}/restore",
            handler=restore_snapshot,
            responses={200: Success[NetworkSummary]},
        ),
        Operation(
            method="POST",
            path=f"{one}/resume",
            handler=resume_snapshot,
            body=ResumeSnapshot,
            responses={200: Success[TrainingStarted]},
        ),
        Operation(
            method="POST",
            path=f"{one}/retrain",
            handler=retrain_snapshot,
            body=RetrainSnapshot,
            responses={200: Success[TrainingStarted]},
        ),
    ]


def _replayed(actions: SnapshotActions) -> list[Operation]:
    async def replay_snapshot(request: Request) -> Response:
        """Show the growth of the snapshot's run to the watchers, step by step."""
        return success(await actions.replay(_id(request), await read_body(request, ReplayRequest)))

    async def get_replay(_: Request) -> Response:
        """Where the replay stands."""
        return success(actions.replay_status())

    async def control_replay(request: Request) -> Response:
        """Play, pause, seek to a position, change the speed, or stop."""
        return success(await actions.replay_control(await read_body(request, ReplayCommand)))

    return [
        Operation(
            method="POST",
            path="/v1/snapshots/{snapshot_id}/replay",
            handler=replay_snapshot,
            body=ReplayRequest,
            responses={200: Success[ReplayStatus]},
        ),
        Operation(method="GET", path="/v1/replay", handler=get_replay, responses={200: Success[ReplayStatus]}),
        Operation(
            method="POST",
            path="/v1/replay",
            handler=control_replay,
            body=ReplayCommand,
            responses={200: Success[ReplayStatus]},
        ),
    ]


def _id(request: Request) -> str:
    snapshot_id: str = request.path_params["snapshot_id"]
    return snapshot_id
