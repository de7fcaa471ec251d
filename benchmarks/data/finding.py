"""How long it takes to find some of many datasets by what is known of them."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.service.figures import Line, below, percentile
from benchmarks.service.running import started
from juniper_common.wire.datasets import DatasetMeta
from juniper_common.wire.profiles import DatasetProfile, FeatureProfile
from juniper_data.stores.file_system import FileSystemStore

from .load import Connection, get
from .resting import memory_line, ready_line
from .running import DISK, resident_mb

DATASETS = 100_000
MAX_FILTER_MS = 50.0
MEMORY = Path("/dev/shm")  # noqa: S108 - where nobody waits for a disk, a store of many datasets is soon filled
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=5)
GENERATORS = ("spiral", "xor", "gaussian", "circles", "moon")
TAGS = ("kept", "paper", "noisy", "small")
NAMES = 100

FILTERS: Mapping[str, Mapping[str, object]] = {
    "everything": {},
    "a generator": {"generator": "xor"},
    "a tag that every second one has": {"tags": "kept"},
    "any of four tags": {"tags": ",".join(TAGS)},
    "all of three tags": {"tags": "kept,paper,noisy", "tags_match": "all"},
    "a tag that nobody has": {"tags": "lost"},
    "a month": {"created_after": EPOCH + timedelta(days=60), "created_before": EPOCH + timedelta(days=90)},
    "sizes": {"min_samples": 500, "max_samples": 600},
    "a name": {"dataset_name": "name 7"},
    "a name's version": {"dataset_name": "name 7", "dataset_version": 3},
    "a version of any name": {"dataset_version": 2},
    "a parent": {"parent_dataset_id": "xor-1.0.0-0000000000000001"},
    "what has expired too": {"include_expired": True},
    "the last page by its offset": {"include_expired": True, "offset": DATASETS - 100},
    "much at once": {
        "generator": "gaussian",
        "tags": "kept,paper",
        "tags_match": "all",
        "created_after": EPOCH + timedelta(days=10),
        "min_samples": 100,
        "max_samples": 900,
    },
}


@dataclass(frozen=True)
class Finding:
    """What was measured."""

    datasets: int
    filters_ms: Mapping[str, Sequence[float]]
    thousand_ms: Sequence[float]
    ready_s: Sequence[float]
    rss_mb: float

    def lines(self) -> Iterator[Line]:
        """For the table; the filter that took longest stands for them all."""
        store = f"{self.datasets:,} datasets"
        slow = {name: percentile(times_ms, 0.95) for name, times_ms in self.filters_ms.items()}
        name = max(slow, key=slow.__getitem__)
        median = percentile([time_ms for times_ms in self.filters_ms.values() for time_ms in times_ms], 0.5)
        aside = f" ({name}; the median of all {median:.3g} ms)"
        what = f"a filter over {store}, p95 of the slowest of {len(slow)}"
        yield below(what, slow[name], MAX_FILTER_MS, "ms", aside=aside)
        yield Line(f"a page of 1,000 of the {store}, p95", f"{percentile(self.thousand_ms, 0.95):.3g} ms")
        yield ready_line(f"with {store}", self.ready_s)
        yield memory_line(f"with {store}, after the filters", self.rss_mb)


def measure_finding(*, quick: bool) -> Finding:
    """Fill a store, then start a service on it and ask."""
    datasets, repeats = (1_000, 2) if quick else (DATASETS, 30)
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        store = Path(folder) / "store"
        with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
            _fill(Path(memory), datasets)
            shutil.copytree(memory, store)
        ready_s = []
        for _ in range(0 if quick else 4):
            with started("data", store, {}) as service:
                ready_s.append(service.ready_s)
        with started("data", store, {}) as service, closing(Connection(service.address)) as connection:
            filters_ms = {name: _times_ms(connection, query, repeats) for name, query in FILTERS.items()}
            filters_ms["the second half by its cursor"] = _times_ms(connection, _half_way(connection), repeats)
            thousand_ms = _times_ms(connection, {"limit": 1_000}, repeats)
            rss_mb = resident_mb(service.process.pid)
            return Finding(datasets, filters_ms, thousand_ms, [*ready_s, service.ready_s], rss_mb)


def _fill(root: Path, datasets: int) -> None:
    with closing(FileSystemStore(root)) as store:
        for number in range(datasets):
            artifact = str(number).encode()  # nobody looks at it
            store.put(meta_of(number, artifact), io.BytesIO(artifact))


def meta_of(number: int, artifact: bytes) -> DatasetMeta:
    """Of the shape that a small spiral has; a tenth has expired, a tenth has a name, a tenth a parent."""
    generator = GENERATORS[number % len(GENERATORS)]
    created_at = EPOCH + number * APART
    feature = FeatureProfile(min=-10.0, max=10.0, mean=0.1234567, std=5.1234567)
    return DatasetMeta(
        dataset_id=f"{generator}-1.0.0-{number:016x}",
        generator=generator,
        generator_version="1.0.0",
        params={"seed": number, "noise": 0.25, "train_ratio": 0.8, "test_ratio": 0.2, "shuffle": True},
        n_samples=number % 1_000,
        n_features=2,
        n_classes=2,
        n_train=number % 1_000,
        n_test=0,
        class_distribution={"0": number % 1_000, "1": 0},
        created_at=created_at,
        checksum=hashlib.sha256(artifact).hexdigest(),
        size_bytes=len(artifact),
        tags=tuple(tag for place, tag in enumerate(TAGS, start=1) if number // 10 % (place + 1) == 0),
        ttl_seconds=60 if number % 10 == 0 else None,
        expires_at=created_at + timedelta(seconds=60) if number % 10 == 0 else None,
        dataset_name=f"name {number // 10 % NAMES}" if number % 10 == 1 else None,
        parent_dataset_id="xor-1.0.0-0000000000000001" if number % 10 == 2 else None,
        profile=DatasetProfile(features=(feature, feature), class_balance={"0": 1.0, "1": 0.0}, duplicates=0, leaked=0),
    )


def _half_way(connection: Connection) -> Mapping[str, object]:
    """The query of the page after the one in the middle."""
    total = connection.get("/v1/datasets/filter?limit=1")["total"]
    return {"cursor": connection.get(f"/v1/datasets/filter?limit=1&offset={total // 2}")["next_cursor"]}


def _times_ms(connection: Connection, query: Mapping[str, object], repeats: int) -> list[float]:
    request = get(f"/v1/datasets/filter?{urlencode({name: _told(value) for name, value in query.items()})}")
    times_ms = []
    for _ in range(repeats):
        began = time.perf_counter()
        connection.ask(request)
        times_ms.append(1e3 * (time.perf_counter() - began))
    return times_ms


def _told(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value).lower() if value is True else value
