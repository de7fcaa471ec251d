"""The dataset service with its datasets in a real Redis, which goes and comes back."""

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.dataset_process import TIMEOUT_S, DatasetProcess, dataset_service
from tests.redis_server import RedisProcess, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisProcess]:
    """A server that a test may do to what it likes."""
    with closing(RedisProcess(tmp_path / "redis")) as server:
        yield server


def settings(server: RedisProcess) -> Mapping[str, str]:
    """What has a service keep its datasets there."""
    return {"JUNIPER_DATA_STORE": "redis", "JUNIPER_DATA_REDIS_URL": server.url}


def readiness(service: DatasetProcess, status: str, message: str) -> None:
    """Return when the service says this of itself, and this of its store."""
    deadline = time.monotonic() + TIMEOUT_S
    told: dict[str, Any] = {}
    while time.monotonic() < deadline:
        told = service.http.get("/v1/health/ready").json()
        if told["status"] == status and message in str(told["dependencies"]["store"]["message"]):
            return
        time.sleep(0.1)
    raise AssertionError(f"it says {told}")


def test_datasets_that_were_answered_outlive_the_server_and_the_service(tmp_path: Path, server: RedisProcess) -> None:
    """Redis is killed while requests run, each of which is answered; then the service is started anew."""
    made, statuses = set[str](), set[int]()
    with dataset_service(tmp_path / "state", settings(server)) as service:

        def ask(first: int) -> None:
            for seed in range(first, first + 30):
                answer = service.http.post("/v1/datasets", json={"generator": "xor", "params": {"seed": seed}})
                statuses.add(answer.status_code)
                if answer.status_code == 201:
                    made.add(answer.json()["dataset_id"])

        threads = [threading.Thread(target=ask, args=(first,)) for first in (0, 1000, 2000)]
        for thread in threads:
            thread.start()
        for kill in range(1, 4):
            while len(made) < 20 * kill and any(thread.is_alive() for thread in threads):
                time.sleep(0.01)
            server.restart()
        for thread in threads:
            thread.join()
    assert 201 in statuses
    assert statuses <= {201, 503}
    with dataset_service(tmp_path / "state", settings(server)) as service:
        for dataset_id in made:
            artifact = service.http.get(f"/v1/datasets/{dataset_id}/artifact").raise_for_status()
            assert artifact.headers["ETag"].strip('"') == hashlib.sha256(artifact.content).hexdigest()


def test_readiness_says_how_the_server_is(tmp_path: Path, server: RedisProcess) -> None:
    """Away: not ready, and requests are refused until it is back; a setting that may cost datasets is a warning."""
    with dataset_service(tmp_path / "state", settings(server)) as service:
        readiness(service, "ready", "writable")
        server.kill()
        readiness(service, "not_ready", f"Redis at 127.0.0.1:{server.port} does not answer")
        assert service.http.get("/v1/datasets/stats").status_code == 503
        server.start()
        readiness(service, "ready", "writable")
        assert service.http.get("/v1/datasets/stats").status_code == 200
        server.client.config_set("appendonly", "no")
        readiness(service, "ready", "writable; not durable: appendonly is off")


def test_a_service_that_starts_before_its_server_waits(tmp_path: Path, server: RedisProcess) -> None:
    """As after a power cut: it is ready when its store is."""
    server.kill()
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(DatasetProcess, tmp_path / "state", settings(server), ())
        server.start()
        service = starting.result()
    with closing(service.http):
        assert service.http.get("/v1/health/ready").status_code == 200
    assert service.stop() == 0
