"""What the fake service answers about what is watched: metrics, data, the decision boundary."""

from juniper_cascor.api.watching import BoundaryQuery, DataQuery, HistoryQuery
from juniper_cascor.runs import views
from juniper_cascor.runs.history import metric_row
from juniper_cascor.testing.answers.asked import Answers, Asked
from juniper_cascor.testing.fake_service import FakeCascorService
from juniper_common.errors import NotFoundError
from juniper_common.wire.training import (
    DatasetData,
    DatasetSummary,
    DecisionBoundary,
    MetricRow,
)


def _metrics(service: FakeCascorService, asked: Asked) -> MetricRow:
    rows = service.watched(asked.run).history.newest(1)
    if not len(rows):
        raise NotFoundError("no epoch was trained yet")
    return metric_row(rows[0])


def _history(service: FakeCascorService, asked: Asked) -> list[MetricRow]:
    query = asked.ask(HistoryQuery)
    return [metric_row(row) for row in service.watched(query.run).history.newest(query.count)]


def _dataset(service: FakeCascorService, asked: Asked) -> DatasetSummary:
    dataset = service.watched(asked.run).dataset
    return dataset.recording.dataset.model_copy(update={"dataset_id": dataset.found.dataset_id})


def _dataset_data(service: FakeCascorService, asked: Asked) -> DatasetData:
    query = asked.ask(DataQuery)
    dataset = service.watched(query.run).dataset
    data = dataset.recording.data
    columns = query.columns(len(data.train_x[0]))
    train_x, val_x = ([[row[column] for column in columns] for row in rows] for rows in (data.train_x, data.val_x))
    return data.model_copy(update={"dataset_id": dataset.found.dataset_id, "train_x": train_x, "val_x": val_x})


def _boundary(service: FakeCascorService, asked: Asked) -> DecisionBoundary:
    query = asked.ask(BoundaryQuery)
    watched = service.watched(query.run)
    network, x = watched.loaded_network(), watched.dataset.found.data.x
    return views.decision_boundary(network, x, query.resolution, query.features, watched.run_id)


ANSWERS: Answers = {
    ("GET", "/v1/metrics"): (200, _metrics),
    ("GET", "/v1/metrics/history"): (200, _history),
    ("GET", "/v1/dataset"): (200, _dataset),
    ("GET", "/v1/dataset/data"): (200, _dataset_data),
    ("GET", "/v1/decision-boundary"): (200, _boundary),
}
