"""The service as a whole: what it tells of itself, and what it does beside answering."""

import errno
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.errors import StoreError, StoreFullError
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Accesses, Quota
from tests.unit.juniper_data.stores.made import NOON

XOR = {"generator": "xor", "params": {"n_points_per_quadrant": 5, "seed": 1}}


class FailingStore(MemoryStore):
    """A store that does what it is told to before it answers."""

    def __init__(self) -> None:
        super().__init__(Quota())
        self.failure: Exception | None = None
        self.recorded = threading.Event()

    def check(self) -> None:
        """Fail where told to."""
        self._fail()
        super().check()

    def claim_key(self, key: str, fingerprint: str, at: datetime, expires_at: datetime) -> str:
        """The same."""
        self._fail()
        return super().claim_key(key, fingerprint, at, expires_at)

    def record_accesses(self, accesses: Mapping[str, Accesses]) -> None:
        """The same; tell that it was asked."""
        self.recorded.set()
        self._fail()
        super().record_accesses(accesses)

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture
def store() -> FailingStore:
    """An empty store."""
    return FailingStore()


@pytest.fixture
def connect(store: FailingStore, tmp_path: Path) -> Callable[[], TestClient]:
    """A client of a service on the store, each of its own life."""

    def make() -> TestClient:
        catalog = Catalog(store, clock=lambda: NOON)
        return TestClient(
            create_app(Settings(state_dir=tmp_path / "state"), catalog),
            base_url="http://127.0.0.1",
            raise_server_exceptions=False,
        )

    return make


@pytest.fixture
def http(connect: Callable[[], TestClient]) -> Iterator[TestClient]:
    """A client of the running service."""
    with connect() as client:
        yield client


def test_ready_while_the_store_takes_and_gives(http: TestClient) -> None:
    """Readiness names the store and its state."""
    answer = http.get("/v1/health/ready")
    told = answer.json()["dependencies"]["store"]
    assert (answer.status_code, told["status"]) == (200, "healthy")
    assert told["message"].startswith("file_system at /")
    assert told["message"].endswith("/state, writable")


def test_not_ready_without_a_store(http: TestClient, store: FailingStore) -> None:
    """When the store cannot be written, readiness says so, and which one it is."""
    store.failure = StoreError("cannot write")
    answer = http.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert answer.json()["dependencies"]["store"]["message"].endswith("/state: cannot write")


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (StoreError("it is away"), 503),
        (StoreFullError("it is full"), 507),
        (OSError(errno.ENOSPC, "it is full"), 507),
        (OSError(errno.EIO, "it is away"), 503),
    ],
)
def test_store_that_fails_is_answered_and_logged(
    http: TestClient, store: FailingStore, caplog: pytest.LogCaptureFixture, failure: Exception, status: int
) -> None:
    """The caller and the operator both learn what it is."""
    store.failure = failure
    answer = http.post("/v1/datasets", json=XOR, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, "it is" in answer.json()["detail"]) == (status, True)
    assert [record.levelname for record in caplog.records if record.name == "juniper_data.refusals"] == ["ERROR"]


def _read_once(client: TestClient) -> str:
    dataset_id: str = client.post("/v1/datasets", json=XOR).json()["dataset_id"]
    assert client.get(f"/v1/datasets/{dataset_id}/artifact").status_code == 200
    return dataset_id


def test_readings_are_written_down_while_it_serves(http: TestClient, store: FailingStore) -> None:
    """A kill loses but the last of them."""
    _read_once(http)
    assert store.recorded.wait(30)


def test_readings_are_written_down_at_the_end(connect: Callable[[], TestClient], store: FailingStore) -> None:
    """An end in order loses none."""
    with connect() as client:
        dataset_id = _read_once(client)
    assert store.meta(dataset_id).access_count == 1


def test_readings_that_cannot_be_written_down_stop_nothing(
    connect: Callable[[], TestClient], store: FailingStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and they are counted when the store takes again."""
    with connect() as client:
        store.failure = StoreError("it is away")
        dataset_id = _read_once(client)
        assert store.recorded.wait(30)
        assert client.get(f"/v1/datasets/{dataset_id}/access").json()["access_count"] == 1
        store.failure = None
    assert store.meta(dataset_id).access_count == 1
    assert {record.levelno for record in caplog.records if record.name == "juniper_data.repeating"} == {logging.ERROR}


def test_document_tells_every_route(http: TestClient) -> None:
    """The OpenAPI document has the routes of the contract, and no other."""
    document = http.get("/openapi.json").json()
    dataset = "/v1/datasets/{dataset_id}"
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/metrics", "get"),
        ("/v1/health", "get"),
        ("/v1/health/live", "get"),
        ("/v1/health/ready", "get"),
        ("/v1/metrics/prometheus", "get"),
        ("/v1/host", "get"),
        ("/v1/logs", "get"),
        ("/v1/generators", "get"),
        ("/v1/generators/{name}/schema", "get"),
        ("/v1/generators/{name}/preview", "post"),
        ("/v1/datasets", "get"),
        ("/v1/datasets", "post"),
        ("/v1/datasets/upload", "post"),
        ("/v1/datasets/filter", "get"),
        ("/v1/datasets/stats", "get"),
        ("/v1/datasets/versions", "get"),
        ("/v1/datasets/latest", "get"),
        ("/v1/datasets/batch-create", "post"),
        ("/v1/datasets/batch-delete", "post"),
        ("/v1/datasets/batch-tags", "patch"),
        ("/v1/datasets/batch-export", "post"),
        ("/v1/datasets/cleanup-expired", "post"),
        (dataset, "get"),
        (dataset, "delete"),
        (f"{dataset}/artifact", "get"),
        (f"{dataset}/preview", "get"),
        (f"{dataset}/profile", "get"),
        (f"{dataset}/access", "get"),
        (f"{dataset}/lineage", "get"),
        (f"{dataset}/tags", "patch"),
        ("/v1/jobs/{job_id}", "get"),
    }
