from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.postgresql import PostgresqlStore
from juniper_data.stores.protocol import DatasetStore, Quota
from tests.unit.juniper_data.stores.postgresql_server import shared_server

CACHE = Quota(max_bytes=100)
"""Room for a few of the artifacts."""

OpenStore = Callable[[Quota], DatasetStore]

# Each opens an empty store that may keep its files in the folder given.
STORES: dict[str, Callable[[Path, Quota], DatasetStore]] = {
    "memory": lambda _folder, quota: MemoryStore(quota),
    "file_system": FileSystemStore,
    "cached": lambda folder, quota: CachedStore(MemoryStore(CACHE), FileSystemStore(folder, quota)),
    "postgresql on disk": lambda folder, quota: PostgresqlStore(shared_server().empty(), folder, quota),
    "postgresql in database": lambda folder, quota: PostgresqlStore(
        shared_server().empty(), folder, quota, artifacts="database"
    ),
    "cached on disk": lambda folder, quota: CachedStore(FileSystemStore(folder, CACHE), MemoryStore(quota)),
}


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens an empty store of some kind at each call."""
    with ExitStack() as opened:
        folders = (tmp_path / f"store-{number}" for number in range(1_000))

        def open_one(quota: Quota) -> DatasetStore:
            store = STORES[request.param](next(folders), quota)
            opened.callback(store.close)
            return store

        yield open_one
