"""How the boundary of a run took its form: at each snapshot of its growth, over any two inputs.

The pictures are frames as `juniper_canopy.transport.frames` has them: a tenth of what they would be as JSON.
"""

import asyncio

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.answering import ask, named
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.state.pictures import BoundaryPicture, DatasetPicture
from juniper_canopy.transport.frames import encode_boundary, encode_patterns
from juniper_common.errors import ConflictError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
from juniper_common.wire.snapshots import SnapshotInfo

FRAME = "application/octet-stream"
LISTED_AT_ONCE = 1_000


class RunQuery(BaseModel):
    """Whose growth."""

    model_config = ConfigDict(extra="forbid")

    run: str = Field(min_length=1, max_length=200)


class FeaturesQuery(BaseModel):
    """The inputs along the sides of the plane."""

    model_config = ConfigDict(extra="forbid")

    x_feature: int = Field(default=0, ge=0)
    y_feature: int = Field(default=1, ge=0)


class PlaneQuery(FeaturesQuery):
    """What grid to show."""

    resolution: int = Field(default=100, ge=5, le=200)


class PatternsQuery(FeaturesQuery, RunQuery):
    """Which features of whose patterns."""


class Stop(BaseModel):
    """The newest snapshot with so many hidden units."""

    snapshot_id: str
    hidden_units: int
    epoch: int


class GrowthStops(BaseModel):
    """The answer of `GET /api/boundaries`, in the order of the hidden units."""

    run_id: str
    stops: list[Stop]


def operations(backend: BackendProtocol) -> list[Operation]:
    """Every operation with its models."""

    async def stops(request: Request) -> Response:
        """Where the growth of a run can be looked at: wherever a snapshot of it is kept."""
        run_id = read_query(request, RunQuery).run
        return json_response(GrowthStops(run_id=run_id, stops=stops_of(await _snapshots(backend, run_id))))

    async def patterns(request: Request) -> Response:
        """Two features of what a run trains on, and the classes."""
        query = read_query(request, PatternsQuery)
        x_feature, y_feature = features = (query.x_feature, query.y_feature)
        data = await ask(backend.cascor.dataset_data(x_feature=x_feature, y_feature=y_feature, run_id=query.run))
        dataset = await asyncio.to_thread(DatasetPicture.of, data, features)
        if dataset is None:
            raise ConflictError("There are no patterns.")
        return _frame(encode_patterns(dataset))

    async def boundary(request: Request) -> Response:
        """What the network of a snapshot decides over two inputs."""
        query = read_query(request, PlaneQuery)
        told = await ask(
            backend.cascor.snapshot_boundary(
                named(request, "snapshot_id"),
                query.resolution,
                x_feature=query.x_feature,
                y_feature=query.y_feature,
            )
        )
        picture = BoundaryPicture.of(told)
        if picture is None:
            raise ConflictError("A regression has values over the plane, and no boundary.")
        return _frame(encode_boundary(picture, told.held_at))

    path = "/api/boundaries"
    return [
        Operation(method="GET", path=path, handler=stops, query=RunQuery, responses={200: GrowthStops}),
        Operation(method="GET", path=f"{path}/patterns", handler=patterns, query=PatternsQuery, responses={200: FRAME}),
        Operation(
            method="GET", path=f"{path}/{{snapshot_id}}", handler=boundary, query=PlaneQuery, responses={200: FRAME}
        ),
    ]


def stops_of(snapshots: list[SnapshotInfo]) -> list[Stop]:
    """One for each number of hidden units: of those with as many the one that was trained longest."""
    newest: dict[int, Stop] = {}
    for info in snapshots:
        if info.state != "whole" or info.hidden_units is None or info.epoch is None:
            continue
        known = newest.get(info.hidden_units)
        if known is None or known.epoch < info.epoch:
            newest[info.hidden_units] = Stop(snapshot_id=info.id, hidden_units=info.hidden_units, epoch=info.epoch)
    return [newest[units] for units in sorted(newest)]


async def _snapshots(backend: BackendProtocol, run_id: str) -> list[SnapshotInfo]:
    found: list[SnapshotInfo] = []
    while page := (await ask(backend.cascor.snapshots(LISTED_AT_ONCE, len(found), run_id=run_id))).snapshots:
        found += page
        if len(page) < LISTED_AT_ONCE:
            break
    return found


def _frame(content: bytes) -> Response:
    return Response(content, media_type=FRAME, headers={"Cache-Control": "no-store"})
