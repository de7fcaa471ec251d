"""Every call to the training service as a value: the request, and the model of its answer. Nobody sends anything here.

`run_id` as a keyword means another run than the one in the foreground.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, JsonValue

from juniper_common.http import Call, Params
from juniper_common.wire.editing import AddHiddenUnit, ChangeWeights
from juniper_common.wire.host import HostReport, LogLevel, LogPage
from juniper_common.wire.models import (
    ModelCard,
    ModelDeleted,
    ModelInfo,
    ModelList,
    Prediction,
    PromoteModel,
)
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
    ChangeParameters,
    Commanded,
    CreateNetwork,
    DatasetData,
    DatasetSummary,
    DecisionBoundary,
    MetricRow,
    NetworkStats,
    NetworkSummary,
    RunParametersAnswer,
    StartTraining,
    Status,
    SwapDataset,
    Topology,
    TrainingStarted,
    TrainingStatus,
)
from juniper_common.wire.workers import Worker, WorkerList, WorkerStats

Command = Literal["stop", "pause", "resume", "reset"]
RunCommand = Literal["stop", "pause", "resume"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ask(Generic[T_co]):
    """A call, and the model of the `data` in its answer; None: there is nothing to read."""

    call: Call
    answer: type[T_co]


def create_network(network: CreateNetwork | None = None) -> Ask[NetworkSummary]:
    """Load a network for the next run. Raises ConflictError while one is active."""
    return _told("POST", "/v1/network", NetworkSummary, network or CreateNetwork())


def network(*, run_id: str | None = None) -> Ask[NetworkSummary]:
    """The loaded network. Raises NotFoundError."""
    return _asked("/v1/network", NetworkSummary, run=run_id)


def delete_network() -> Ask[None]:
    """Unload the network. Raises NotFoundError, ConflictError."""
    return _told("DELETE", "/v1/network", type(None))


def topology(*, run_id: str | None = None) -> Ask[Topology]:
    """Every unit and weight. Raises NotFoundError."""
    return _asked("/v1/network/topology", Topology, run=run_id)


def stats(*, run_id: str | None = None) -> Ask[NetworkStats]:
    """Figures of the output weights. Raises NotFoundError."""
    return _asked("/v1/network/stats", NetworkStats, run=run_id)


def change_weights(change: ChangeWeights) -> Ask[Topology]:
    """Set weights of the loaded network, which nothing trains. Raises NotFoundError, ConflictError."""
    return _told("PATCH", "/v1/network/weights", Topology, change)


def add_hidden_unit(unit: AddHiddenUnit) -> Ask[Topology]:
    """Add a hidden unit to the loaded network. Raises as `change_weights`."""
    return _told("POST", "/v1/network/hidden-units", Topology, unit)


def remove_hidden_unit(index: int) -> Ask[Topology]:
    """Remove a hidden unit of the loaded network; those after it move up. Raises as `change_weights`."""
    # Sent twice, it would remove two.
    return _told("DELETE", f"/v1/network/hidden-units/{index}", Topology, idempotent=False)


def start(request: StartTraining | None = None) -> Ask[TrainingStarted]:
    """Start a run. Raises ConflictError while one is active."""
    return _told("POST", "/v1/training/start", TrainingStarted, request or StartTraining())


def command(command: Command, *, run_id: str | None = None) -> Ask[Commanded]:
    """Stop, pause or resume a run, or forget the last one. Raises ConflictError where its state does not allow it."""
    return _told("POST", f"/v1/training/{command}", Commanded, run=run_id)


def status(*, run_id: str | None = None) -> Ask[TrainingStatus]:
    """Where the run stands."""
    return _asked("/v1/training/status", TrainingStatus, run=run_id)


def params(*, run_id: str | None = None) -> Ask[RunParametersAnswer]:
    """Every parameter of the run, or of the loaded network. Raises NotFoundError."""
    return _asked("/v1/training/params", RunParametersAnswer, run=run_id)


def change(change: ChangeParameters, *, run_id: str | None = None) -> Ask[RunParametersAnswer]:
    """Change the fields that are set in `change`, while it trains too."""
    return _told("PATCH", "/v1/training/params", RunParametersAnswer, change, run=run_id)


def swap_dataset(request: SwapDataset) -> Ask[TrainingStatus]:
    """Train the active run on other data from its next phase on. Raises ConflictError where none is active."""
    return _told("PUT", "/v1/dataset", TrainingStatus, request)


def metrics(*, run_id: str | None = None) -> Ask[MetricRow]:
    """The newest metric row. Raises NotFoundError before the first epoch."""
    return _asked("/v1/metrics", MetricRow, run=run_id)


def history(count: int = 1_000, *, run_id: str | None = None) -> Ask[list[MetricRow]]:
    """The newest metric rows, oldest first."""
    return _asked("/v1/metrics/history", list[MetricRow], count=count, run=run_id)


def dataset(*, run_id: str | None = None) -> Ask[DatasetSummary]:
    """What the run trains on. Raises NotFoundError."""
    return _asked("/v1/dataset", DatasetSummary, run=run_id)


def dataset_data(*, run_id: str | None = None) -> Ask[DatasetData]:
    """The rows that the run trains on. Raises NotFoundError."""
    return _asked("/v1/dataset/data", DatasetData, run=run_id)


def decision_boundary(
    resolution: int = 50, *, x_feature: int = 0, y_feature: int = 1, run_id: str | None = None
) -> Ask[DecisionBoundary]:
    """What the network answers on a grid over two inputs. Raises NotFoundError."""
    shown: dict[str, int] = {"x_feature": x_feature, "y_feature": y_feature} if (x_feature, y_feature) != (0, 1) else {}
    return _asked("/v1/decision-boundary", DecisionBoundary, resolution=resolution, **shown, run=run_id)


def post_runs(request: StartRuns) -> Ask[RunsQueued]:
    """Queue a run, or one for each combination of `sweep` and `seeds`. It is never sent twice."""
    return _told("POST", "/v1/runs", RunsQueued, request)


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
) -> Ask[RunList]:
    """Every training ever started for which all holds that is given, newest first. Times are Unix seconds."""
    return _asked(
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
    )


def run(run_id: str) -> Ask[RunDetail]:
    """One run: what is needed to repeat it, and what became of it. Raises NotFoundError."""
    return _asked(_run(run_id), RunDetail)


def run_metrics(run_id: str, names: Sequence[str] = (), *, after: int = -1, limit: int = 10_000) -> Ask[RunMetrics]:
    """The first points of a run's metrics (none named: all) after an epoch, as columns. Raises NotFoundError."""
    return _asked(f"{_run(run_id)}/metrics", RunMetrics, names=",".join(names) or None, after=after, limit=limit)


def compare_runs(run_ids: Sequence[str], names: Sequence[str] = (), *, limit: int = 1_000) -> Ask[RunComparison]:
    """In what 2 to 20 runs differ, and their curves side by side. Raises NotFoundError."""
    ids = ",".join(run_ids)
    return _asked("/v1/runs/compare", RunComparison, ids=ids, names=",".join(names) or None, limit=limit)


def annotate_run(run_id: str, annotation: AnnotateRun) -> Ask[RunRecord]:
    """Replace a run's notes or tags. Raises NotFoundError."""
    return _told("PATCH", _run(run_id), RunRecord, annotation, idempotent=True)


def delete_run(run_id: str) -> Ask[None]:
    """Delete a run that is over, with its snapshots and metrics. Raises NotFoundError, ConflictError."""
    return _told("DELETE", _run(run_id), type(None))


def command_run(run_id: str, command: RunCommand) -> Ask[Commanded]:
    """Stop, pause or resume one run. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_run(run_id)}/{command}", Commanded)


def snapshots(
    limit: int = 100, offset: int = 0, *, run_id: str | None = None, state: SnapshotState | None = None
) -> Ask[SnapshotList]:
    """What lies in the snapshot folder, newest first."""
    return _asked("/v1/snapshots", SnapshotList, limit=limit, offset=offset, run_id=run_id, state=state)


def snapshot(snapshot_id: str) -> Ask[SnapshotDetail]:
    """One file, and what it says of itself. Raises NotFoundError."""
    return _asked(_snapshot(snapshot_id), SnapshotDetail)


def snapshot_file(snapshot_id: str) -> Call:
    """The file itself, which comes without an envelope. Raises NotFoundError."""
    return Call(path=f"{_snapshot(snapshot_id)}/file")


def take_snapshot() -> Ask[SnapshotInfo]:
    """Keep the network and its training as they stand. Raises NotFoundError."""
    return _told("POST", "/v1/snapshots", SnapshotInfo)


def delete_snapshot(snapshot_id: str) -> Ask[None]:
    """Delete the file. Raises NotFoundError, ConflictError while its run is active."""
    return _told("DELETE", _snapshot(snapshot_id), type(None))


def restore_snapshot(snapshot_id: str) -> Ask[NetworkSummary]:
    """Load the snapshot's network. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_snapshot(snapshot_id)}/restore", NetworkSummary, idempotent=True)


def resume_snapshot(snapshot_id: str, request: ResumeSnapshot | None = None) -> Ask[TrainingStarted]:
    """Start a run that goes on where the snapshot's was. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_snapshot(snapshot_id)}/resume", TrainingStarted, request or ResumeSnapshot())


def retrain_snapshot(snapshot_id: str, request: RetrainSnapshot | None = None) -> Ask[TrainingStarted]:
    """Start a run that grows on from the snapshot's network. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_snapshot(snapshot_id)}/retrain", TrainingStarted, request or RetrainSnapshot())


def replay_snapshot(snapshot_id: str, request: ReplayRequest | None = None) -> Ask[ReplayStatus]:
    """Show the growth of the snapshot's run to everyone who watches. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_snapshot(snapshot_id)}/replay", ReplayStatus, request or ReplayRequest())


def replay() -> Ask[ReplayStatus]:
    """Where the replay stands. Raises NotFoundError where there is none."""
    return _asked("/v1/replay", ReplayStatus)


def control_replay(
    action: ReplayAction, *, position: int | None = None, speed: float | None = None
) -> Ask[ReplayStatus]:
    """Play, pause, stop, `seek` a position, or set the `speed`. Raises NotFoundError where there is none."""
    given = {name: value for name, value in (("position", position), ("speed", speed)) if value is not None}
    return _told("POST", "/v1/replay", ReplayStatus, ReplayCommand.model_validate({"action": action, **given}))


def predict(
    rows: Sequence[Sequence[float]], *, run_id: str | None = None, snapshot_id: str | None = None
) -> Ask[Prediction]:
    """Ask the network in the foreground, or that of a run or a snapshot. Raises NotFoundError."""
    ids = {"run_id": run_id, "snapshot_id": snapshot_id}
    return _predict("/v1/predict", {"rows": _rows(rows), **{name: value for name, value in ids.items() if value}})


def models() -> Ask[ModelList]:
    """Every named model with its card."""
    return _asked("/v1/models", ModelList)


def model(name: str) -> Ask[ModelInfo]:
    """A named model, and its versions. Raises NotFoundError."""
    return _asked(_model(name), ModelInfo)


def model_version(name: str, version: int) -> Ask[ModelCard]:
    """The card of one version. Raises NotFoundError."""
    return _asked(f"{_model(name)}/versions/{version}", ModelCard)


def promote_model(name: str, source: PromoteModel) -> Ask[ModelCard]:
    """Promote a snapshot, or a run's newest one, to a name. Raises NotFoundError, ConflictError."""
    return _told("POST", _model(name), ModelCard, source)


def predict_by_model(name: str, rows: Sequence[Sequence[float]]) -> Ask[Prediction]:
    """Ask a named model. Raises NotFoundError."""
    return _predict(f"{_model(name)}/predict", {"rows": _rows(rows)})


def roll_back_model(name: str) -> Ask[ModelCard]:
    """Let the version that answered before this one answer again. Raises NotFoundError, ConflictError."""
    return _told("POST", f"{_model(name)}/rollback", ModelCard)


def delete_model(name: str) -> Ask[ModelDeleted]:
    """Delete a named model with all its versions. Raises NotFoundError."""
    return _told("DELETE", _model(name), ModelDeleted)


def workers() -> Ask[WorkerList]:
    """Every trainer process."""
    return _asked("/v1/workers", WorkerList)


def worker_stats() -> Ask[WorkerStats]:
    """How many trainers there are, how many work, and how many runs wait for one."""
    return _asked("/v1/workers/stats", WorkerStats)


def worker(worker_id: str) -> Ask[Worker]:
    """One trainer process. Raises NotFoundError."""
    return _asked(f"/v1/workers/{quote(worker_id, safe='')}", Worker)


def host() -> Ask[HostReport]:
    """What the service says of its process and host."""
    return _asked("/v1/host", HostReport)


def logs(since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> Ask[LogPage]:
    """The first records of the service's log after `since`, or its newest."""
    return _asked("/v1/logs", LogPage, since=since, level=level, limit=limit)


Parameter = str | int | float | None


def _asked(path: str, answer: type[T_co], **params: Parameter) -> Ask[T_co]:
    return Ask(Call(path=path, params=_given(params)), answer)


def _told(
    method: Method,
    path: str,
    answer: type[T_co],
    body: BaseModel | None = None,
    *,
    idempotent: bool | None = None,
    **params: Parameter,
) -> Ask[T_co]:
    # Only what was said: a null pace means full speed, and silence leaves it as it is.
    json = None if body is None else body.model_dump(mode="json", exclude_unset=True)
    return Ask(Call(method=method, path=path, json=json, params=_given(params), idempotent=idempotent), answer)


def _predict(path: str, body: dict[str, JsonValue]) -> Ask[Prediction]:
    # As it stands: a hundred thousand rows are checked once, by the service.
    return Ask(Call(method="POST", path=path, json=body, idempotent=True), Prediction)


def _given(params: dict[str, Parameter]) -> Params | None:
    return {name: value for name, value in params.items() if value is not None} or None


def _rows(rows: Sequence[Sequence[float]]) -> list[JsonValue]:
    return [list(row) for row in rows]


def _run(run_id: str) -> str:
    return f"/v1/runs/{quote(run_id, safe='')}"


def _snapshot(snapshot_id: str) -> str:
    return f"/v1/snapshots/{quote(snapshot_id, safe='')}"


def _model(name: str) -> str:
    return f"/v1/models/{quote(name, safe='')}"
