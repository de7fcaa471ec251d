from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from juniper_data.catalog import Catalog
from juniper_data.stores.file_system import FileSystemStore
from tests.unit.juniper_data.gated_generator import Gate
from tests.unit.juniper_data.stores.made import NOON


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the service runs on."""
    return "asyncio"


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Closed, until a test opens it or ends."""
    gate = Gate()
    yield gate
    gate.opens.set()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileSystemStore]:
    """An empty store."""
    with closing(FileSystemStore(tmp_path / "state")) as store:
        yield store


@pytest.fixture
def catalog(store: FileSystemStore) -> Catalog:
    """A catalog where it is always noon, and the seeds drawn are 1000, 1001 and so on."""
    return Catalog(store, clock=lambda: NOON, seeds=iter(range(1000, 2000)).__next__)
