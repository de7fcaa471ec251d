"""Calls about the training in the foreground, and what it shows."""

from juniper_cascor.calls.asking import Ask, Command, asked, told
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    DatasetData,
    DatasetSummary,
    DecisionBoundary,
    MetricRow,
    RunParametersAnswer,
    StartTraining,
    SwapDataset,
    TrainingStarted,
    TrainingStatus,
)


def start(request: StartTraining | None = None) -> Ask[TrainingStarted]:
    """Start a run. Raises ConflictError while one is active."""
    return told("POST", "/v1/training/start", TrainingStarted, request or StartTraining())


def command(command: Command, *, run_id: str | None = None) -> Ask[Commanded]:
    """Stop, pause or resume a run, or forget the last one. Raises ConflictError where its state does not allow it."""
    return told("POST", f"/v1/training/{command}", Commanded, run=run_id)


def status(*, run_id: str | None = None) -> Ask[TrainingStatus]:
    """Where the run stands."""
    return asked("/v1/training/status", TrainingStatus, run=run_id)


def params(*, run_id: str | None = None) -> Ask[RunParametersAnswer]:
    """Every parameter of the run, or of the loaded network. Raises NotFoundError."""
    return asked("/v1/training/params", RunParametersAnswer, run=run_id)


def change(change: ChangeParameters, *, run_id: str | None = None) -> Ask[RunParametersAnswer]:
    """Change the fields that are set in `change`, while it trains too."""
    return told("PATCH", "/v1/training/params", RunParametersAnswer, change, run=run_id)


def metrics(*, run_id: str | None = None) -> Ask[MetricRow]:
    """The newest metric row. Raises NotFoundError before the first epoch."""
    return asked("/v1/metrics", MetricRow, run=run_id)


def history(count: int = 1_000, *, run_id: str | None = None) -> Ask[list[MetricRow]]:
    """The newest metric rows, oldest first."""
    return asked("/v1/metrics/history", list[MetricRow], count=count, run=run_id)


def dataset(*, run_id: str | None = None) -> Ask[DatasetSummary]:
    """What the run trains on. Raises NotFoundError."""
    return asked("/v1/dataset", DatasetSummary, run=run_id)


def dataset_data(
    *, x_feature: int | None = None, y_feature: int | None = None, run_id: str | None = None
) -> Ask[DatasetData]:
    """The rows that the run trains on, or these columns of them. Raises NotFoundError."""
    return asked("/v1/dataset/data", DatasetData, x_feature=x_feature, y_feature=y_feature, run=run_id)


def swap_dataset(request: SwapDataset, *, run_id: str | None = None) -> Ask[TrainingStatus]:
    """Train a run on other data from its next phase on. Raises ConflictError where it is not active."""
    return told("PUT", "/v1/dataset", TrainingStatus, request, run=run_id)


def decision_boundary(
    resolution: int = 50, *, x_feature: int = 0, y_feature: int = 1, run_id: str | None = None
) -> Ask[DecisionBoundary]:
    """What the network answers on a grid over two inputs. Raises NotFoundError."""
    shown: dict[str, int] = {"x_feature": x_feature, "y_feature": y_feature} if (x_feature, y_feature) != (0, 1) else {}
    return asked("/v1/decision-boundary", DecisionBoundary, resolution=resolution, **shown, run=run_id)
