"""`/api/v1/snapshots` and `/api/v1/replay`: what is kept of the growth of networks, and what can be made of it."""

from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.answering import answer, ask, named, pass_on
from juniper_canopy.api.bodies import read_body
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_cascor import calls
from juniper_common.http import relay
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
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
from juniper_common.wire.training import NetworkSummary, TrainingStarted

ALL = "/api/v1/snapshots"
ONE = f"{ALL}/{{snapshot_id}}"
REPLAY = "/api/v1/replay"

_HDF5 = "application/x-hdf5"


def operations(backend: BackendProtocol) -> list[Operation]:
    """Every operation with its models."""
    api = SnapshotsApi(backend)
    return [*_kept(api), *_acted_on(api), *_replayed(api)]


def _kept(api: "SnapshotsApi") -> list[Operation]:
    return [
        Operation(
            method="GET", path=ALL, handler=api.list_snapshots, query=SnapshotQuery, responses={200: SnapshotList}
        ),
        Operation(method="POST", path=ALL, handler=api.take_snapshot, responses={201: SnapshotInfo}, errors=(404, 409)),
        Operation(method="GET", path=ONE, handler=api.get_snapshot, responses={200: SnapshotDetail}),
        Operation(method="DELETE", path=ONE, handler=api.delete_snapshot, responses={204: None}, errors=(409,)),
        Operation(method="GET", path=f"{ONE}/file", handler=api.download_snapshot, responses={200: _HDF5}),
    ]


def _acted_on(api: "SnapshotsApi") -> list[Operation]:
    return [
        Operation(
            method="POST",
            path=f"{ONE}/restore",
            handler=api.restore_snapshot,
            responses={200: NetworkSummary},
            errors=(409,),
        ),
        Operation(
            method="POST",
            path=f"{ONE}/resume",
            handler=api.resume_snapshot,
            body=ResumeSnapshot,
            responses={200: TrainingStarted},
            errors=(409,),
        ),
        Operation(
            method="POST",
            path=f"{ONE}/retrain",
            handler=api.retrain_snapshot,
            body=RetrainSnapshot,
            responses={200: TrainingStarted},
            errors=(400, 409),
        ),
        Operation(
            method="POST",
            path=f"{ONE}/replay",
            handler=api.replay_snapshot,
            body=ReplayRequest,
            responses={200: ReplayStatus},
            errors=(409,),
        ),
    ]


def _replayed(api: "SnapshotsApi") -> list[Operation]:
    return [
        Operation(method="GET", path=REPLAY, handler=api.get_replay, responses={200: ReplayStatus}, errors=(404,)),
        Operation(
            method="POST",
            path=REPLAY,
            handler=api.control_replay,
            body=ReplayCommand,
            responses={200: ReplayStatus},
            errors=(404, 409),
        ),
    ]


class SnapshotsApi:
    """The handlers, over one backend."""

    def __init__(self, backend: BackendProtocol) -> None:
        self._backend = backend

    async def list_snapshots(self, request: Request) -> Response:
        """What lies in the snapshot folder, newest first; damaged, foreign and newer files are told as such."""
        query = read_query(request, SnapshotQuery)
        return await answer(self._backend.cascor.snapshots(**query.model_dump(exclude_none=True)))

    async def take_snapshot(self, _: Request) -> Response:
        """Keep the network and its training as they stand."""
        return json_response(await ask(self._backend.cascor.take_snapshot()), 201)

    async def get_snapshot(self, request: Request) -> Response:
        """One file, and what it says of itself."""
        return await answer(self._backend.cascor.snapshot(named(request, "snapshot_id")))

    async def delete_snapshot(self, request: Request) -> Response:
        """Delete the file; not while its run is active."""
        await ask(self._backend.cascor.delete_snapshot(named(request, "snapshot_id")))
        return Response(status_code=204)

    async def download_snapshot(self, request: Request) -> Response:
        """The file itself, as it is."""
        snapshot_id = named(request, "snapshot_id")
        name = snapshot_id.removeprefix("~").removesuffix(".h5") + ".h5"
        return await pass_on(relay(self._backend.cascor, calls.snapshot_file(snapshot_id)), _HDF5, name)

    async def restore_snapshot(self, request: Request) -> Response:
        """Load the snapshot's network in place of the one that is loaded."""
        return await answer(self._backend.cascor.restore_snapshot(named(request, "snapshot_id")))

    async def resume_snapshot(self, request: Request) -> Response:
        """Start a run that goes on where the snapshot's was, on the same data."""
        body = await read_body(request, ResumeSnapshot)
        return await answer(self._backend.cascor.resume_snapshot(named(request, "snapshot_id"), body))

    async def retrain_snapshot(self, request: Request) -> Response:
        """Start a run that grows on from the snapshot's network, on its data or on other."""
        body = await read_body(request, RetrainSnapshot)
        return await answer(self._backend.cascor.retrain_snapshot(named(request, "snapshot_id"), body))

    async def replay_snapshot(self, request: Request) -> Response:
        """Show the growth of the snapshot's run to everyone who watches."""
        body = await read_body(request, ReplayRequest)
        return await answer(self._backend.cascor.replay_snapshot(named(request, "snapshot_id"), body))

    async def get_replay(self, _: Request) -> Response:
        """Where the replay stands."""
        return await answer(self._backend.cascor.replay())

    async def control_replay(self, request: Request) -> Response:
        """Play, pause, seek to a position, change the speed, or stop."""
        body = await read_body(request, ReplayCommand)
        return await answer(self._backend.cascor.control_replay(body.action, position=body.position, speed=body.speed))
