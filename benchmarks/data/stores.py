"""What each kind of store takes to create, read and filter: ``python -m benchmarks.data.stores [STORE ...]``."""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service.command import Benchmark
from benchmarks.service.figures import Line, percentile
from juniper_data.stores.cached import CachedStore
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.postgresql import Place, PostgresqlStore
from juniper_data.stores.protocol import DatasetStore
from juniper_data.stores.redis_store import RedisStore
from tests.redis_server import RedisProcess
from tests.unit.juniper_data.stores.postgresql_server import postgresql_server

from .filtering import STORES as FILTERED
from .filtering import measure_filtering
from .finding import meta_of
from .running import DISK

SMALL_BYTES = 4_000  # as a small spiral has
LARGE_BYTES = 10_000_000


@contextmanager
def _file_system() -> Iterator[DatasetStore]:
    with tempfile.TemporaryDirectory(dir=DISK) as folder, closing(FileSystemStore(Path(folder))) as store:
        yield store


@contextmanager
def _redis() -> Iterator[DatasetStore]:
    with (
        tempfile.TemporaryDirectory(dir=DISK) as folder,
        closing(RedisProcess(Path(folder) / "redis")) as server,
        closing(RedisStore(server.url)) as store,
    ):
        yield store


@contextmanager
def _postgresql(artifacts: Place) -> Iterator[DatasetStore]:
    with (
        postgresql_server() as server,
        tempfile.TemporaryDirectory(dir=DISK) as folder,
        closing(PostgresqlStore(server.url("postgres"), Path(folder), artifacts=artifacts)) as store,
    ):
        yield store


@contextmanager
def _cached_redis() -> Iterator[DatasetStore]:
    with _file_system() as fast, _redis() as slow:
        yield CachedStore(fast, slow)


OPENED: Mapping[str, Callable[[], AbstractContextManager[DatasetStore]]] = {
    "memory": lambda: closing(MemoryStore()),
    "file_system": _file_system,
    "redis": _redis,
    "cached:file_system:redis": _cached_redis,
    "postgresql, artifacts on the disk": lambda: _postgresql("disk"),
    "postgresql, artifacts in the database": lambda: _postgresql("database"),
}
NOT_MEASURED = ("huggingface", "kaggle")


@dataclass(frozen=True)
class Stored:
    """What was measured, each call in seconds."""

    store: str
    small_put_s: Sequence[float]
    large_put_s: Sequence[float]
    small_read_s: Sequence[float]
    large_read_s: Sequence[float]
    large_again_s: Sequence[float]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        created = len(self.small_put_s) / sum(self.small_put_s)
        yield Line(f"{self.store}: sets of 4 kB created, a second", f"{created:.3g}")
        yield Line(f"{self.store}: sets of 10 MB created", _rate(self.large_put_s))
        median_ms, slow_ms = (1e3 * percentile(self.small_read_s, share) for share in (0.5, 0.95))
        yield Line(f"{self.store}: an artifact of 4 kB opened and read", f"{median_ms:.3g} ms (p95 {slow_ms:.3g} ms)")
        read = f"{_rate(self.large_read_s)}; again {_rate(self.large_again_s)}"
        yield Line(f"{self.store}: an artifact of 10 MB opened and read", read)


def measure_stored(store: str, *, quick: bool) -> Stored:
    """Put datasets into an empty store, and read them."""
    n_small, n_large = (20, 2) if quick else (1_000, 20)
    with OPENED[store]() as opened:
        small = [_put(opened, number, SMALL_BYTES) for number in range(n_small)]
        large = [_put(opened, number, LARGE_BYTES) for number in range(n_small, n_small + n_large)]
        return Stored(
            store,
            [each.seconds for each in small],
            [each.seconds for each in large],
            [_read_s(opened, each.dataset_id) for each in small],
            [_read_s(opened, each.dataset_id) for each in large],
            [_read_s(opened, each.dataset_id) for each in large],
        )


@dataclass(frozen=True)
class _Put:
    dataset_id: str
    seconds: float


def _put(store: DatasetStore, number: int, size: int) -> _Put:
    artifact = random.Random(number).randbytes(size)  # noqa: S311 - so that nothing can make it smaller
    meta = meta_of(number, artifact)
    began = time.perf_counter()
    store.put(meta, io.BytesIO(artifact))
    return _Put(meta.dataset_id, time.perf_counter() - began)


def _read_s(store: DatasetStore, dataset_id: str) -> float:
    began = time.perf_counter()
    with store.open_artifact(dataset_id).file as file:
        while file.read(1 << 20):
            pass
    return time.perf_counter() - began


def _rate(seconds: Sequence[float]) -> str:
    return f"{LARGE_BYTES / 1e6 * len(seconds) / sum(seconds):.3g} MB/s"


def _measured(parts: Sequence[str], quick: bool) -> Iterator[Line]:
    for part in parts:
        sys.stderr.write(f"{part}\n")
        if part in NOT_MEASURED:
            yield Line(part, "not measured: it takes what the hub and the network take")
        if part in OPENED:
            yield from measure_stored(part, quick=quick).lines()
        if part in FILTERED:
            yield from measure_filtering(part, quick=quick).lines()


BENCHMARK = Benchmark(
    module="benchmarks.data.stores",
    description=__doc__,
    title="What each kind of store takes",
    page=Path("docs/benchmarks/data-stores.md"),
    parts=list(dict.fromkeys([*OPENED, *FILTERED, *NOT_MEASURED])),
    measure=_measured,
)

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
