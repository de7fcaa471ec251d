"""`/v1/snapshots`: the files that runs have left on the disk."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs import snapshot_folder
from juniper_common.openapi import Operation
from juniper_common.requests import read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import SnapshotList


class Page(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=1_000)


def operations(snapshots: Path) -> list[Operation]:
    """The operations on snapshots."""

    async def list_snapshots(request: Request) -> Response:
        """The snapshots of all runs, newest first."""
        found = snapshot_folder.listed(snapshots)[: read_query(request, Page).limit]
        return success(SnapshotList(snapshots=found))

    return [
        Operation(
            method="GET",
            path="/v1/snapshots",
            handler=list_snapshots,
            query=Page,
            responses={200: Success[SnapshotList]},
        )
    ]
