"""`/v1/runs` and `/v1/snapshots`: what is kept of every training."""

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs.snapshot_catalogue import SnapshotCatalogue
from juniper_cascor.runs.store import RunStore
from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.runs import RunList, RunRecord
from juniper_common.wire.snapshots import SnapshotList


class Page(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=1_000)


def operations(store: RunStore, snapshots: Path) -> list[Operation]:
    """The operations on records."""
    catalogue = SnapshotCatalogue(snapshots)

    async def list_runs(request: Request) -> Response:
        """Every training ever started, newest first."""
        return success(RunList(runs=store.newest(read_query(request, Page).limit)))

    async def get_run(request: Request) -> Response:
        """One run: what is needed to repeat it, and what became of it."""
        run_id = request.path_params["run_id"]
        if (record := store.get(run_id)) is None:
            raise NotFoundError(f"there is no run {run_id}")
        return success(record)

    async def list_snapshots(request: Request) -> Response:
        """The snapshots of all runs, newest first."""
        return success(await asyncio.to_thread(catalogue.listed, read_query(request, Page).limit))

    return [
        Operation(method="GET", path="/v1/runs", handler=list_runs, query=Page, responses={200: Success[RunList]}),
        Operation(method="GET", path="/v1/runs/{run_id}", handler=get_run, responses={200: Success[RunRecord]}),
        Operation(
            method="GET",
            path="/v1/snapshots",
            handler=list_snapshots,
            query=Page,
            responses={200: Success[SnapshotList]},
        ),
    ]
