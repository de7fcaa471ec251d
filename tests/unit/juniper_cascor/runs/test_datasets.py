"""Data that is kept, and data that is fetched again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from juniper_cascor.runs import dataset_file
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.datasets import Datasets
from juniper_common.errors import NotFoundError, UnavailableError
from juniper_common.wire.training import SwapDataset
from juniper_data.client import AsyncJuniperDataClient

X = np.arange(8, dtype=np.float32).reshape(4, 2)
DATA = TrainingData(X, np.array([[0], [1], [1], [0]], np.float32), None, None)


class DataService:
    """Has one dataset, and counts how often it was downloaded."""

    def __init__(self, folder: Path) -> None:
        path, self.checksum = dataset_file.write(folder, DATA)
        self._content = path.read_bytes()
        self.downloads = 0

    async def get_dataset(self, dataset_id: str) -> SimpleNamespace:
        """What is known of it."""
        return SimpleNamespace(dataset_id=dataset_id, checksum=self.checksum)

    async def create_dataset(self, generator: str, params: object) -> SimpleNamespace:  # noqa: ARG002 - the client's signature
        """It takes longer than the client waits."""
        raise TimeoutError(f"dataset {generator}-1 was not made within 600 s; its job is {generator}-1")

    async def download_artifact(self, dataset_id: str, path: Path, *, checksum: str) -> str:
        """The file."""
        assert (dataset_id, checksum) == ("d1", self.checksum)
        self.downloads += 1
        path.write_bytes(self._content)
        return checksum


@pytest.fixture
def service(tmp_path: Path) -> DataService:
    """The data service; the dataset is kept here already."""
    return DataService(tmp_path)


@pytest.fixture
def datasets(tmp_path: Path, service: DataService) -> Datasets:
    """Where runs find their data."""
    return Datasets(tmp_path, cast(AsyncJuniperDataClient, service), "http://data")


def test_a_file_that_is_kept_is_not_downloaded(datasets: Datasets, service: DataService) -> None:
    """Whether a start asks for it or a run names it."""
    asyncio.run(datasets.find(SwapDataset.model_validate({"dataset": {"dataset_id": "d1"}}), "classification"))
    found = asyncio.run(datasets.kept("d1", service.checksum))
    np.testing.assert_array_equal(found.data.x, X)
    assert service.downloads == 0


def test_a_damaged_file_is_downloaded_for_a_start(datasets: Datasets, service: DataService) -> None:
    """It does not spoil that data for good."""
    path = datasets.folder / f"{service.checksum}.npz"
    path.write_bytes(b"damaged")
    request = SwapDataset.model_validate({"dataset": {"dataset_id": "d1"}})
    np.testing.assert_array_equal(asyncio.run(datasets.find(request, "classification")).data.x, X)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_lost_file_is_downloaded_for_a_run(datasets: Datasets, service: DataService, is_there: bool) -> None:
    """One that is damaged, and one that is gone."""
    path = datasets.folder / f"{service.checksum}.npz"
    path.write_bytes(b"damaged")
    if not is_there:
        path.unlink()
    assert asyncio.run(datasets.fetch("d1", service.checksum)) == path
    np.testing.assert_array_equal(dataset_file.read(path).x, X)


def test_dataset_that_takes_too_long_is_named(datasets: Datasets) -> None:
    """It is being made still: the start may be asked for again."""
    request = SwapDataset.model_validate({"dataset": {"generator": "moon"}})
    with pytest.raises(UnavailableError, match=r"dataset moon-1 was not made within 600 s; .*; start again later"):
        asyncio.run(datasets.find(request, "classification"))


def test_lost_rows_are_nowhere(datasets: Datasets, service: DataService) -> None:
    """They came in a request, and only in that."""
    (datasets.folder / f"{service.checksum}.npz").write_bytes(b"damaged")
    with pytest.raises(NotFoundError, match="are no longer kept"):
        asyncio.run(datasets.fetch(None, service.checksum))
