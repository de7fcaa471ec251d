"""Calls about the records of runs, and the queue."""

from collections.abc import Sequence

from juniper_cascor.calls.asking import Ask, RunCommand, asked, told
from juniper_common.http import segment
from juniper_common.wire.runs import (
    AnnotateRun,
    RunComparison,
    RunDetail,
    RunList,
    RunMetrics,
    RunOrder,
    RunRecord,
    RunsQueued,
    StartRuns,
)
from juniper_common.wire.training import (
    Commanded,
    Status,
)


def post_runs(request: StartRuns) -> Ask[RunsQueued]:
    """Queue a run, or one for each combination of `sweep` and `seeds`. It is never sent twice."""
    return told("POST", "/v1/runs", RunsQueued, request)


def runs(
    limit: int = 100,
    offset: int = 0,
    *,
    status: Status | None = None,
    tag: str | None = None,
    dataset_id: str | None = None,
    sweep_id: str | None = None,
    outcome: str | None = None,
    created_after: float | None = None,
    created_before: float | None = None,
    text: str | None = None,
    sort_by: RunOrder | None = None,
    ascending: bool | None = None,
) -> Ask[RunList]:
    """Every training ever started for which all holds that is given, newest first. Times are Unix seconds."""
    return asked(
        "/v1/runs",
        RunList,
        limit=limit,
        offset=offset,
        status=status,
        tag=tag,
        dataset_id=dataset_id,
        sweep_id=sweep_id,
        outcome=outcome,
        created_after=created_after,
        created_before=created_before,
        text=text,
        sort_by=sort_by,
        ascending=ascending,
    )


def run(run_id: str) -> Ask[RunDetail]:
    """One run: what is needed to repeat it, and what became of it. Raises NotFoundError."""
    return asked(_run(run_id), RunDetail)


def run_metrics(run_id: str, names: Sequence[str] = (), *, after: int = -1, limit: int = 10_000) -> Ask[RunMetrics]:
    """The first points of a run's metrics (none named: all) after an epoch, as columns. Raises NotFoundError."""
    return asked(f"{_run(run_id)}/metrics", RunMetrics, names=",".join(names) or None, after=after, limit=limit)


def compare_runs(run_ids: Sequence[str], names: Sequence[str] = (), *, limit: int = 1_000) -> Ask[RunComparison]:
    """In what 2 to 20 runs differ, and their curves side by side. Raises NotFoundError."""
    ids = ",".join(run_ids)
    return asked("/v1/runs/compare", RunComparison, ids=ids, names=",".join(names) or None, limit=limit)


def annotate_run(run_id: str, annotation: AnnotateRun) -> Ask[RunRecord]:
    """Replace a run's notes or tags. Raises NotFoundError."""
    return told("PATCH", _run(run_id), RunRecord, annotation, idempotent=True)


def delete_run(run_id: str) -> Ask[None]:
    """Delete a run that is over, with its snapshots and metrics. Raises NotFoundError, ConflictError."""
    return told("DELETE", _run(run_id), type(None))


def command_run(run_id: str, command: RunCommand) -> Ask[Commanded]:
    """Stop, pause or resume one run. Raises NotFoundError, ConflictError."""
    return told("POST", f"{_run(run_id)}/{command}", Commanded)


def _run(run_id: str) -> str:
    return f"/v1/runs/{segment(run_id)}"
