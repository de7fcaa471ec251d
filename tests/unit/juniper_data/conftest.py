import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from juniper_common.wire.datasets import DatasetMeta
from juniper_data.catalog import Catalog
from juniper_data.stores.file_system import FileSystemStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileSystemStore]:
    """An empty store."""
    with closing(FileSystemStore(tmp_path / "state")) as store:
        yield store


@pytest.fixture
def catalog(store: FileSystemStore) -> Catalog:
    """A catalog where it is always noon, and the seeds drawn are 1000, 1001 and so on."""
    return Catalog(store, clock=lambda: NOON, seeds=iter(range(1000, 2000)).__next__)


MakeDataset = Callable[[int], tuple[DatasetMeta, io.BytesIO]]


@pytest.fixture
def make_dataset() -> MakeDataset:
    """A number in, a dataset's meta and its artifact out."""

    def make(number: int) -> tuple[DatasetMeta, io.BytesIO]:
        content = f"artifact {number}".encode()
        meta = DatasetMeta(
            dataset_id=f"xor-1.0.0-{number:016x}",
            generator="xor",
            generator_version="1.0.0",
            params={"seed": number},
            n_samples=1,
            n_features=1,
            n_classes=1,
            n_train=1,
            n_test=0,
            class_distribution={"0": 1},
            created_at=NOON,
            checksum=hashlib.sha256(content).hexdigest(),
        )
        return meta, io.BytesIO(content)

    return make
