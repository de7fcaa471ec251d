"""What the fake service answers about the records of runs: the models and checks of the real one."""

from collections.abc import Mapping
from typing import Any

from juniper_cascor.api.runs import RunDeleted
from juniper_cascor.runs.comparison import differing
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.testing.answers.asked import Answers, Asked, commanding
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.wire.run_queries import ComparisonQuery, MetricsQuery, RunQuery, split
from juniper_common.wire.runs import (
    AnnotateRun,
    RunComparison,
    RunList,
    RunMetrics,
    RunOrder,
    RunRecord,
    Series,
    StartRuns,
)

RUN = "/v1/runs/{run_id}"


def _list_runs(service: FakeCascorService, asked: Asked) -> RunList:
    query = asked.ask(RunQuery)
    runs = [run for run in service.runs.by_id.values() if _matches(run.record, query)]
    metrics = {run.run_id: run.detail().metrics for run in runs}
    newest_first = sorted((run.record for run in runs), key=lambda record: record.created_at)[::-1]
    values = {record.id: _sorted_by(query.sort_by, record, metrics[record.id]) for record in newest_first}
    known = [record for record in newest_first if values[record.id] is not None]
    unknown = [record for record in newest_first if values[record.id] is None]
    # Stable also where it is reversed: of equals the newer first.
    known.sort(key=lambda record: values[record.id], reverse=not query.ascending)
    page = [*known, *unknown][query.offset : query.offset + query.limit]
    return RunList(runs=page, total=len(runs), metrics={record.id: metrics[record.id] for record in page})


def _sorted_by(order: RunOrder, record: RunRecord, metrics: Mapping[str, float]) -> Any:
    if order != "duration":
        return metrics.get(order, getattr(record, order, None))
    return None if record.started_at is None or record.ended_at is None else record.ended_at - record.started_at


def _matches(record: RunRecord, query: RunQuery) -> bool:
    exact = query.model_dump(include={"status", "dataset_id", "sweep_id", "outcome"}, exclude_none=True)
    text = (query.text or "").lower()
    return (
        all(getattr(record, name) == value for name, value in exact.items())
        and (query.tag is None or query.tag in record.tags)
        and (query.created_after is None or record.created_at > query.created_after)
        and (query.created_before is None or record.created_at < query.created_before)
        and (text in record.id.lower() or text in record.notes.lower())
    )


def _run_metrics(service: FakeCascorService, asked: Asked) -> RunMetrics:
    query, run = asked.ask(MetricsQuery), service.runs.find(asked["run_id"])
    names = split(query.names) if query.names else None
    return RunMetrics(run_id=run.run_id, series=run.series(names, query.after, query.limit))


def _compare(service: FakeCascorService, asked: Asked) -> RunComparison:
    query = asked.ask(ComparisonQuery)
    ids = split(query.ids)
    if missing := [run_id for run_id in ids if run_id not in service.runs.by_id]:
        raise no_such_run(missing[0], "ids")
    runs = [service.runs.find(run_id) for run_id in ids]
    asked_names = split(query.names) if query.names else None
    curves = {run.run_id: run.series(asked_names, -1, 1 << 30) for run in runs}
    names = asked_names or sorted({name for by_name in curves.values() for name in by_name})
    nothing = Series(step=[], value=[], time=[])
    by_metric = {
        name: {run_id: _overview(by_name.get(name, nothing), query.limit) for run_id, by_name in curves.items()}
        for name in names
    }
    return RunComparison(
        runs=[run.record for run in runs], differing=differing([r.record for r in runs]), metrics=by_metric
    )


def _overview(series: Series, limit: int) -> Series:
    n = len(series.step)
    if n <= limit:
        return series
    places = [i for i in range(n) if i == 0 or i * (limit - 1) // (n - 1) > (i - 1) * (limit - 1) // (n - 1)]
    columns = {name: [column[i] for i in places] for name, column in series.model_dump().items()}
    return Series.model_validate(columns)


def _annotate(service: FakeCascorService, asked: Asked) -> RunRecord:
    body, run = asked.read(AnnotateRun), service.runs.find(asked["run_id"])
    run.record = run.record.model_copy(update=body.model_dump(exclude_none=True))
    return run.record


def _delete_run(service: FakeCascorService, asked: Asked) -> RunDeleted:
    service.runs.delete(asked["run_id"])
    return RunDeleted(run_id=asked["run_id"])


ANSWERS: Answers = {
    ("GET", "/v1/runs"): (200, _list_runs),
    ("POST", "/v1/runs"): (201, lambda service, asked: service.post_runs(asked.read(StartRuns))),
    ("GET", "/v1/runs/compare"): (200, _compare),
    ("GET", RUN): (200, lambda service, asked: service.runs.find(asked["run_id"]).detail()),
    ("PATCH", RUN): (200, _annotate),
    ("DELETE", RUN): (200, _delete_run),
    ("GET", f"{RUN}/metrics"): (200, _run_metrics),
    ("POST", f"{RUN}/stop"): (200, commanding("stop")),
    ("POST", f"{RUN}/pause"): (200, commanding("pause")),
    ("POST", f"{RUN}/resume"): (200, commanding("resume")),
}
