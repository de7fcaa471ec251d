"""`/api/runs`: the record of every training ever started, for programs and for the page's own views."""

from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.answering import answer, ask, named
from juniper_canopy.api.bodies import read_body
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_cascor.client import RunCommand
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
from juniper_common.wire.run_queries import ComparisonQuery, MetricsQuery, RunQuery, split
from juniper_common.wire.runs import (
    AnnotateRun,
    RunComparison,
    RunDetail,
    RunList,
    RunMetrics,
    RunRecord,
    RunsQueued,
    StartRuns,
)
from juniper_common.wire.training import Commanded

ONE = "/api/runs/{run_id}"


def operations(backend: BackendProtocol) -> list[Operation]:
    """Every operation with its models."""
    api = RunsApi(backend)
    return [
        Operation(method="GET", path="/api/runs", handler=api.list_runs, query=RunQuery, responses={200: RunList}),
        Operation(
            method="POST",
            path="/api/runs",
            handler=api.post_runs,
            body=StartRuns,
            responses={201: RunsQueued},
            errors=(400, 404, 409),
        ),
        Operation(
            method="GET",
            path="/api/runs/compare",
            handler=api.compare_runs,
            query=ComparisonQuery,
            responses={200: RunComparison},
            errors=(404,),
        ),
        Operation(method="GET", path=ONE, handler=api.get_run, responses={200: RunDetail}),
        Operation(method="PATCH", path=ONE, handler=api.annotate_run, body=AnnotateRun, responses={200: RunRecord}),
        Operation(method="DELETE", path=ONE, handler=api.delete_run, responses={204: None}, errors=(409,)),
        Operation(
            method="GET",
            path=f"{ONE}/metrics",
            handler=api.get_run_metrics,
            query=MetricsQuery,
            responses={200: RunMetrics},
        ),
        Operation(method="POST", path=f"{ONE}/stop", handler=api.stop_run, responses={200: Commanded}, errors=(409,)),
        Operation(method="POST", path=f"{ONE}/pause", handler=api.pause_run, responses={200: Commanded}, errors=(409,)),
        Operation(
            method="POST", path=f"{ONE}/resume", handler=api.resume_run, responses={200: Commanded}, errors=(409,)
        ),
    ]


class RunsApi:
    """The handlers, over one backend."""

    def __init__(self, backend: BackendProtocol) -> None:
        self._backend = backend

    async def list_runs(self, request: Request) -> Response:
        """Every training ever started that matches, newest first where no other order is asked for."""
        query = read_query(request, RunQuery)
        return await answer(self._backend.cascor.runs(**query.model_dump(exclude_none=True)))

    async def post_runs(self, request: Request) -> Response:
        """Queue a run, or one for each combination of `sweep` and `seeds`."""
        body = await read_body(request, StartRuns)
        return json_response(await ask(self._backend.cascor.post_runs(body)), 201)

    async def compare_runs(self, request: Request) -> Response:
        """In what runs differ, and their curves side by side."""
        query = read_query(request, ComparisonQuery)
        return await answer(self._backend.cascor.compare_runs(split(query.ids), _names(query.names), limit=query.limit))

    async def get_run(self, request: Request) -> Response:
        """One run: what is needed to repeat it, and what became of it."""
        return await answer(self._backend.cascor.run(named(request, "run_id")))

    async def annotate_run(self, request: Request) -> Response:
        """Replace a run's notes or tags."""
        body = await read_body(request, AnnotateRun)
        return await answer(self._backend.cascor.annotate_run(named(request, "run_id"), body))

    async def delete_run(self, request: Request) -> Response:
        """Delete a run that is over, with its snapshots and metrics."""
        await ask(self._backend.cascor.delete_run(named(request, "run_id")))
        return Response(status_code=204)

    async def get_run_metrics(self, request: Request) -> Response:
        """A run's metric points as columns, by epoch."""
        query = read_query(request, MetricsQuery)
        return await answer(
            self._backend.cascor.run_metrics(
                named(request, "run_id"), _names(query.names), after=query.after, limit=query.limit
            )
        )

    async def stop_run(self, request: Request) -> Response:
        """End the run, or take it out of the queue."""
        return await self._command(request, "stop")

    async def pause_run(self, request: Request) -> Response:
        """Hold the run; it keeps its trainer."""
        return await self._command(request, "pause")

    async def resume_run(self, request: Request) -> Response:
        """Go on with the run."""
        return await self._command(request, "resume")

    async def _command(self, request: Request, command: RunCommand) -> Response:
        return await answer(self._backend.cascor.command_run(named(request, "run_id"), command))


def _names(words: str | None) -> list[str]:
    return split(words) if words else []
