"""`/v1/runs`: the record of every training ever started."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.envelope import success
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.runs.store import RunStore
from juniper_common.openapi import Operation
from juniper_common.requests import read_body, read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.run_queries import ComparisonQuery, MetricsQuery, RunQuery, split
from juniper_common.wire.runs import AnnotateRun, RunComparison, RunDetail, RunList, RunMetrics, RunRecord


class RunDeleted(BaseModel):
    """The answer of `DELETE /v1/runs/{run_id}`."""

    status: Literal["deleted"] = "deleted"
    run_id: str


def operations(
    store: RunStore,
    delete_run: Callable[[str], Awaitable[None]],
    settle: Callable[[], Awaitable[None]],
    as_it_stands: Callable[[RunRecord], RunRecord],
) -> list[Operation]:
    """The operations on what is recorded of runs.

    Args:
        store: where it is recorded.
        delete_run: deletes a run with all that is kept of it; raises NotFoundError, ConflictError.
        settle: returns when what happened before is recorded, where the disk takes it.
        as_it_stands: a record with what has become of its run since.
    """

    async def list_runs(request: Request) -> Response:
        """Every training ever started that matches, newest first where no other order is asked for."""
        await settle()
        page = await asyncio.to_thread(store.page, read_query(request, RunQuery))
        return success(page.model_copy(update={"runs": [as_it_stands(record) for record in page.runs]}))

    async def get_run(request: Request) -> Response:
        """One run: what is needed to repeat it, and what became of it."""
        await settle()
        run_id = request.path_params["run_id"]
        if (detail := await asyncio.to_thread(store.detail, run_id)) is None:
            raise no_such_run(run_id)
        return success(as_it_stands(detail))

    async def annotate_run(request: Request) -> Response:
        """Replace a run's notes or tags; a run with the tag `keep` never expires."""
        run_id, body = request.path_params["run_id"], await read_body(request, AnnotateRun)
        if (record := await asyncio.to_thread(store.annotate, run_id, body.notes, body.tags)) is None:
            raise no_such_run(run_id)
        return success(record)

    async def delete_one(request: Request) -> Response:
        """Delete a run that is over, with its snapshots and metrics."""
        run_id = request.path_params["run_id"]
        await delete_run(run_id)
        return success(RunDeleted(run_id=run_id))

    async def get_run_metrics(request: Request) -> Response:
        """A run's metric points as columns, by epoch."""
        await settle()
        run_id, query = request.path_params["run_id"], read_query(request, MetricsQuery)
        names = split(query.names) if query.names else None

        def answer() -> Response:
            if store.get(run_id) is None:
                raise no_such_run(run_id)
            return success(store.metrics(run_id, names, query.after, query.limit))

        return await asyncio.to_thread(answer)

    async def compare_runs(request: Request) -> Response:
        """In what runs differ, and their curves side by side."""
        await settle()
        query = read_query(request, ComparisonQuery)
        ids, names = split(query.ids), split(query.names) if query.names else None

        def answer() -> Response:
            comparison = store.compare(ids, names, query.limit)
            there = {record.id for record in comparison.runs}
            if missing := [run_id for run_id in ids if run_id not in there]:
                raise no_such_run(missing[0], "ids")
            return success(comparison)

        return await asyncio.to_thread(answer)

    return [
        Operation(method="GET", path="/v1/runs", handler=list_runs, query=RunQuery, responses={200: Success[RunList]}),
        # Before the path of one run, which would take it for an id.
        Operation(
            method="GET",
            path="/v1/runs/compare",
            handler=compare_runs,
            query=ComparisonQuery,
            responses={200: Success[RunComparison]},
        ),
        Operation(method="GET", path="/v1/runs/{run_id}", handler=get_run, responses={200: Success[RunDetail]}),
        Operation(
            method="PATCH",
            path="/v1/runs/{run_id}",
            handler=annotate_run,
            body=AnnotateRun,
            responses={200: Success[RunRecord]},
        ),
        Operation(method="DELETE", path="/v1/runs/{run_id}", handler=delete_one, responses={200: Success[RunDeleted]}),
        Operation(
            method="GET",
            path="/v1/runs/{run_id}/metrics",
            handler=get_run_metrics,
            query=MetricsQuery,
            responses={200: Success[RunMetrics]},
        ),
    ]
