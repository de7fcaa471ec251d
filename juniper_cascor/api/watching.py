"""What a watcher asks for over HTTP: metrics, the dataset, the decision boundary."""

import asyncio

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_cascor.api.chosen import Chosen, ChosenRun
from juniper_cascor.api.envelope import success, success_list
from juniper_cascor.runs import views
from juniper_cascor.runs.dataset_file import Matrix
from juniper_cascor.runs.history import metric_row
from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import read_query
from juniper_common.wire.envelope import Success
from juniper_common.wire.training import DatasetData, DatasetSummary, DecisionBoundary, MetricRow


class HistoryQuery(ChosenRun):
    """Which rows of the history."""

    count: int = Field(default=1_000, ge=1, le=200_000, description="The newest rows, oldest first.")


class DataQuery(ChosenRun):
    """Which columns of the rows: of thousands of inputs a picture needs two."""

    x_feature: int | None = Field(default=None, ge=0, description="The first column; without both: all.")
    y_feature: int | None = Field(default=None, ge=0, description="The second.")

    def columns(self, n_inputs: int) -> list[int]:
        """Their indices. Raises UnprocessableError where there are no such inputs."""
        views.check_features((self.x_feature, self.y_feature), n_inputs)
        asked = [feature for feature in (self.x_feature, self.y_feature) if feature is not None]
        return asked or list(range(n_inputs))


class PlaneQuery(BaseModel):
    """What grid to show."""

    model_config = ConfigDict(extra="forbid")

    resolution: int = Field(default=50, ge=5, le=200)
    x_feature: int = Field(default=0, ge=0)
    y_feature: int = Field(default=1, ge=0)

    @property
    def features(self) -> tuple[int, int]:
        """The inputs along its sides."""
        return self.x_feature, self.y_feature


class BoundaryQuery(PlaneQuery, ChosenRun):
    """What grid to show, and of which run."""


def operations(chosen: Chosen) -> list[Operation]:
    """The operations that change nothing, on the foreground or on the run of `?run=`."""

    async def get_metrics(request: Request) -> Response:
        """The newest metric row."""
        rows = (await chosen.of(request)).history.newest(1)
        if not len(rows):
            raise NotFoundError("no epoch was trained yet")
        return success(metric_row(rows[0]))

    async def get_history(request: Request) -> Response:
        """The newest metric rows, oldest first."""
        query = read_query(request, HistoryQuery)
        rows = (await chosen.watched(query.run)).history.newest(query.count).copy()
        return await asyncio.to_thread(lambda: success_list([metric_row(row) for row in rows]))

    async def get_dataset(request: Request) -> Response:
        """What the run trains on."""
        watched = await chosen.of(request)
        data = await watched.data()
        n_val = 0 if data.x_val is None else len(data.x_val)
        n_train, n_features = data.x.shape
        return success(
            DatasetSummary(
                dataset_id=watched.status().dataset_id,
                n_samples=n_train + n_val,
                n_features=n_features,
                n_classes=max(2, data.y.shape[1]),
                n_train=n_train,
                n_val=n_val,
            )
        )

    async def get_dataset_data(request: Request) -> Response:
        """The rows that the run trains on and watches."""
        query = read_query(request, DataQuery)
        watched = await chosen.watched(query.run)
        data, dataset_id = await watched.data(), watched.status().dataset_id
        columns = query.columns(data.x.shape[1])
        labels = _classes if watched.loaded_spec().parameters.task == "classification" else _values

        def answer() -> Response:
            return success(
                DatasetData.model_construct(
                    dataset_id=dataset_id,
                    train_x=data.x[:, columns].tolist(),
                    train_y=labels(data.y),
                    val_x=[] if data.x_val is None else data.x_val[:, columns].tolist(),
                    val_y=[] if data.y_val is None else labels(data.y_val),
                )
            )

        return await asyncio.to_thread(answer)

    async def get_boundary(request: Request) -> Response:
        """What the network answers on a grid over two features."""
        query = read_query(request, BoundaryQuery)
        watched = await chosen.watched(query.run)
        network, data = watched.loaded_network(), await watched.data()
        return await asyncio.to_thread(
            lambda: success(views.decision_boundary(network, data.x, query.resolution, query.features, watched.run_id))
        )

    return [
        Operation(
            method="GET", path="/v1/metrics", handler=get_metrics, query=ChosenRun, responses={200: Success[MetricRow]}
        ),
        Operation(
            method="GET",
            path="/v1/metrics/history",
            handler=get_history,
            query=HistoryQuery,
            responses={200: Success[list[MetricRow]]},
        ),
        Operation(
            method="GET",
            path="/v1/dataset",
            handler=get_dataset,
            query=ChosenRun,
            responses={200: Success[DatasetSummary]},
        ),
        Operation(
            method="GET",
            path="/v1/dataset/data",
            handler=get_dataset_data,
            query=DataQuery,
            responses={200: Success[DatasetData]},
        ),
        Operation(
            method="GET",
            path="/v1/decision-boundary",
            handler=get_boundary,
            query=BoundaryQuery,
            responses={200: Success[DecisionBoundary]},
        ),
    ]


def _classes(y: Matrix) -> list[int]:
    classes: list[int] = (y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(np.int64)).tolist()
    return classes


def _values(y: Matrix) -> list[list[float]]:
    values: list[list[float]] = y.tolist()
    return values
