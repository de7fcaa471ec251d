"""Files sent to the dataset service by its clients, to the real service and to the fake."""

import io
from pathlib import Path

import numpy as np
import pytest

from juniper_common.http import InvalidRequestError
from juniper_common.wire.datasets import DatasetJob, UploadQuery
from juniper_data.client import JuniperDataClient
from tests.contract.data_world import Connect, DataWorld, ServeData

CSV = b"width,height,label\n1,2,iris\n3,4,rose\n5,6,iris\n7,8.5,rose\n"
LABELS = UploadQuery(shuffle=False, train_ratio=0.5, test_ratio=0.5)


def test_a_csv_becomes_a_dataset(data_client: JuniperDataClient, tmp_path: Path) -> None:
    """From a path or from an open file; the same content is the same dataset."""
    (tmp_path / "flowers.csv").write_bytes(CSV)
    query = LABELS.model_copy(update={"name": "flowers", "tags": "a,b", "description": "d", "created_by": "test"})
    meta = data_client.upload(tmp_path / "flowers.csv", UploadQuery(**query.model_dump())).meta
    assert (meta.generator, meta.n_samples, meta.n_features, meta.n_classes) == ("upload", 4, 2, 2)
    assert (meta.dataset_name, meta.tags, meta.description, meta.created_by) == ("flowers", ("a", "b"), "d", "test")
    assert (meta.feature_names, meta.class_names) == (("width", "height"), ("iris", "rose"))
    assert data_client.upload(io.BytesIO(CSV), LABELS).dataset_id == meta.dataset_id
    arrays = data_client.load(meta.dataset_id, checksum=meta.checksum)
    assert arrays["X_train"].tolist() == [[1, 2], [3, 4]]
    assert arrays["y_full"].tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_an_open_file_is_sent_from_where_it_stands(data_client: JuniperDataClient) -> None:
    """What was read of it already is the caller's; it is left open."""
    file = io.BytesIO(b"# exported today\n" + CSV)
    file.readline()
    assert data_client.upload(file, LABELS).dataset_id == data_client.upload(io.BytesIO(CSV), LABELS).dataset_id
    assert not file.closed


def test_columns_are_chosen(data_client: JuniperDataClient) -> None:
    """The label may be a number to predict, and features may be left out."""
    query = UploadQuery(label_column="height", feature_columns="width", one_hot_labels=False)
    meta = data_client.upload(io.BytesIO(CSV), query).meta
    assert (meta.task_type, meta.feature_names) == ("regression", ("width",))


def test_arrays_become_a_dataset(data_client: JuniperDataClient) -> None:
    """An NPZ keeps its own splits."""
    X, y = np.arange(6, dtype=np.float32).reshape(3, 2), np.eye(3, dtype=np.float32)
    file = io.BytesIO()
    np.savez(file, X_train=X, y_train=y, X_test=X[:1], y_test=y[:1])
    file.seek(0)
    arrays = data_client.load(data_client.upload(file).dataset_id)
    assert np.array_equal(arrays["X_train"], X)
    assert np.array_equal(arrays["X_test"], X[:1])


def test_a_job_of_an_upload_is_waited_for(data_client: JuniperDataClient) -> None:
    """As one of a generator is."""
    job = data_client.upload(io.BytesIO(CSV), LABELS, wait=False)
    assert isinstance(job, DatasetJob)
    assert data_client.wait_for(job, timeout_s=60).meta.n_samples == 4


def test_a_file_of_the_import_folder(data_world: DataWorld, data_client: JuniperDataClient) -> None:
    """It is a generator's, and needs no upload."""
    (data_world.import_folder / "flowers.csv").write_bytes(CSV)
    meta = data_client.create_dataset("csv_import", {"file_path": "flowers.csv"}).meta
    assert (meta.generator, meta.class_names) == ("csv_import", ("iris", "rose"))


@pytest.mark.parametrize(
    ("content", "query", "message"),
    [
        (b"width,label\n1,a\nwide,b\n", UploadQuery(), "line 3, column 'width'"),
        (b"width,label\n1,a\n2,b\n", UploadQuery(label_column="kind"), "kind"),
        (b"width,label\n1,a\n2,b\n", UploadQuery(format="npz"), "file"),
        (CSV, UploadQuery(train_ratio=0.9, test_ratio=0.9), "train_ratio"),
    ],
    ids=["cell", "column", "format", "ratios"],
)
def test_what_cannot_be_read_is_refused(
    data_client: JuniperDataClient, content: bytes, query: UploadQuery, message: str
) -> None:
    """It is said what is wrong where, and nothing is kept."""
    with pytest.raises(InvalidRequestError, match=message) as refused:
        data_client.upload(io.BytesIO(content), query)
    assert refused.value.status == 400
    assert data_client.list_datasets() == []


def test_a_file_that_is_too_large_is_refused(serve_data: ServeData, connect: Connect) -> None:
    """Before it is sent whole."""
    client = connect(serve_data(max_upload_bytes=1_000))
    with pytest.raises(InvalidRequestError, match="larger than 1000 bytes") as refused:
        client.upload(io.BytesIO(bytes(50_000_000)))
    assert refused.value.status == 413
