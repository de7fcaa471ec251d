from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.postgresql import PostgresqlStore
from juniper_data.stores.protocol import DatasetStore, Quota
from juniper_data.stores.redis_store import RedisStore
from tests import redis_server
from tests.unit.juniper_data.stores.hub_servers.stores import on_hugging_face, on_kaggle
from tests.unit.juniper_data.stores.loopback import nobody_else_called
from tests.unit.juniper_data.stores.postgresql_server import shared_server

CACHE = Quota(max_bytes=100)
"""Room for a few of the artifacts."""

OpenStore = Callable[[Quota], DatasetStore]

_prefixes = (f"test-{number}:" for number in count())


def redis_store(quota: Quota) -> RedisStore:
    """An empty store in the server that all tests share."""
    return RedisStore(redis_server.shared_server().url, quota=quota, prefix=next(_prefixes))


# Each opens an empty store that may keep its files in the folder given.
STORES: dict[str, Callable[[Path, Quota], DatasetStore]] = {
    "memory": lambda _folder, quota: MemoryStore(quota),
    "file_system": FileSystemStore,
    "cached": lambda folder, quota: CachedStore(MemoryStore(CACHE), FileSystemStore(folder, quota)),
    "huggingface": on_hugging_face,
    "kaggle": on_kaggle,
    "postgresql on disk": lambda folder, quota: PostgresqlStore(shared_server().empty(), folder, quota),
    "postgresql in database": lambda folder, quota: PostgresqlStore(
        shared_server().empty(), folder, quota, artifacts="database"
    ),
    "cached on disk, redis": lambda folder, quota: CachedStore(FileSystemStore(folder, CACHE), redis_store(quota)),
    "cached on disk, postgresql": lambda folder, quota: CachedStore(
        FileSystemStore(folder / "cache", CACHE),
        PostgresqlStore(shared_server().empty(), folder, quota, artifacts="database"),
    ),
    "redis": lambda _folder, quota: redis_store(quota),
}


@pytest.fixture(autouse=True)
def no_other_host() -> Iterator[None]:
    """No store of a test reaches the network."""
    with nobody_else_called():
        yield


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens an empty store of some kind at each call."""
    if "redis" in request.param and (reason := redis_server.why_not()):
        pytest.skip(reason)
    with ExitStack() as opened:
        folders = (tmp_path / f"store-{number}" for number in range(1_000))

        def open_one(quota: Quota) -> DatasetStore:
            store = STORES[request.param](next(folders), quota)
            opened.callback(store.close)
            return store

        yield open_one
