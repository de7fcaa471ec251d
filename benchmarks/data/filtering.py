"""How long a store by itself takes to filter many datasets, without the service before it.

Each of them has, beside the tags that few combinations are made of, one that all have and one that nobody else has.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from benchmarks.service.figures import Line, below, percentile
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.postgresql import PostgresqlStore
from juniper_data.stores.protocol import DatasetStore
from juniper_data.stores.redis_store import RedisStore
from tests.redis_server import RedisProcess
from tests.unit.juniper_data.stores.postgresql_server import postgresql_server

from .finding import DATASETS, FILTERS, MEMORY, meta_of

MAX_FILTER_MS = 20.0
WRITERS = 4
TAGGED: Mapping[str, Mapping[str, object]] = {
    "a tag that all have": {"tags": "mnist"},
    "a tag that one has": {"tags": "run-77"},
    "any of two tags, one of them everybody's": {"tags": "mnist,run-77"},
    "all of two tags, one of them everybody's": {"tags": "mnist,run-77", "tags_match": "all"},
    "a generator and a tag that all have": {"tags": "mnist", "generator": "xor"},
}

Opened: TypeAlias = tuple[DatasetStore, Callable[[], None]]
"""A store, and what is done once it is filled."""


@contextmanager
def _file_system() -> Iterator[Opened]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, closing(FileSystemStore(Path(folder))) as store:
        yield store, lambda: None


@contextmanager
def _postgresql() -> Iterator[Opened]:
    with (
        postgresql_server() as server,
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        closing(PostgresqlStore(server.url("postgres"), Path(folder), artifacts="database")) as store,
    ):
        # What autovacuum does within a minute.
        yield store, lambda: server.run("VACUUM ANALYZE")


@contextmanager
def _redis() -> Iterator[Opened]:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        closing(RedisProcess(Path(folder) / "redis")) as server,
        closing(RedisStore(server.url)) as store,
    ):
        yield store, lambda: None


STORES: Mapping[str, Callable[[], AbstractContextManager[Opened]]] = {
    "file_system": _file_system,
    "postgresql": _postgresql,
    "redis": _redis,
}
FEWER: Mapping[str, int] = {"redis": 10_000}
"""What is for fewer datasets than the budget is about: while one question looks through them, nobody else is served."""


@dataclass(frozen=True)
class Filtering:
    """What was measured."""

    store: str
    datasets: int
    filters_ms: Mapping[str, Sequence[float]]

    def lines(self) -> Iterator[Line]:
        """For the table; the filter that took longest stands for them all."""
        slow = {name: percentile(times_ms, 0.95) for name, times_ms in self.filters_ms.items()}
        name = max(slow, key=slow.__getitem__)
        median = percentile([time_ms for times_ms in self.filters_ms.values() for time_ms in times_ms], 0.5)
        what = f"{self.store}: a filter over {self.datasets:,} datasets, p95 of the slowest of {len(slow)}"
        aside = f" ({name}; the median of all {median:.3g} ms)"
        if self.store in FEWER:
            yield Line(what, f"{slow[name]:.3g} ms{aside}")
        else:
            yield below(what, slow[name], MAX_FILTER_MS, "ms", aside=aside)


def measure_filtering(store: str, *, quick: bool) -> Filtering:
    """Fill a store, and ask it."""
    datasets, repeats = (1_000, 2) if quick else (FEWER.get(store, DATASETS), 30)
    with STORES[store]() as (filled, settle):
        with ThreadPoolExecutor(WRITERS) as threads:
            for _ in threads.map(lambda number: _put(filled, number), range(datasets)):
                pass
        settle()
        at = datetime.now(UTC)
        half_way = filled.find(DatasetFilter(limit=1, offset=filled.find(DatasetFilter(), at).total // 2), at)
        queries = {**FILTERS, **TAGGED, "the second half by its cursor": {"cursor": half_way.next_cursor}}
        filters_ms = {
            name: _times_ms(filled, DatasetFilter.model_validate(query), at, repeats) for name, query in queries.items()
        }
        return Filtering(store, datasets, filters_ms)


def _put(store: DatasetStore, number: int) -> None:
    artifact = str(number).encode()  # nobody looks at it
    meta = meta_of(number, artifact)
    tags = (*meta.tags, "mnist", f"run-{number}")
    store.put(meta.model_copy(update={"tags": tags}), io.BytesIO(artifact))


def _times_ms(store: DatasetStore, query: DatasetFilter, at: datetime, repeats: int) -> list[float]:
    times_ms = []
    for _ in range(repeats):
        began = time.perf_counter()
        store.find(query, at)
        times_ms.append(1e3 * (time.perf_counter() - began))
    return times_ms
