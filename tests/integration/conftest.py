"""The training service in this process, with a real trainer process and a real dataset service behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from juniper_cascor.app import CascorService, create_service
from juniper_cascor.settings import CascorSettings
from juniper_common.wire.training import TrainingStatus
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.client import AsyncJuniperDataClient
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore

CMU: dict[str, object] = {"generator": "cmu_spirals"}
DEMO: dict[str, object] = {
    "generator": "spiral",
    "params": {"n_spirals": 2, "n_points_per_spiral": 200, "noise": 0.15, "seed": 42},
}


@dataclass
class Cascor:
    """The running service, and how a test talks to it."""

    http: TestClient
    service: CascorService
    state_dir: Path

    def start(self, dataset: dict[str, object] | None = None, **params: object) -> str:
        """Start a run; its id."""
        body = {"dataset": dataset or CMU, "params": params, "start_fresh": True}
        response = self.http.post("/v1/training/start", json=body)
        assert response.status_code == 200, response.text
        run_id: str = response.json()["data"]["run_id"]
        return run_id

    def status(self) -> TrainingStatus:
        """Where the run stands."""
        return TrainingStatus.model_validate(self.http.get("/v1/training/status").json()["data"])

    def wait(self) -> TrainingStatus:
        """Return when the run is over."""
        with self.http.websocket_connect("/ws/training") as socket:
            while (status := self.status()).training_active:
                while socket.receive_json()["type"] not in ("event", "state"):
                    pass
        return status

    def wait_for_epoch(self, epoch: int) -> TrainingStatus:
        """Return when so many epochs were trained."""
        with self.http.websocket_connect("/ws/training") as socket:
            while (status := self.status()).monitor.current_epoch < epoch and status.training_active:
                socket.receive_json()
        return status

    def idle(self) -> None:
        """Stop whatever runs."""
        if self.status().training_active:
            self.http.post("/v1/training/stop")


@contextmanager
def running(root: Path, **settings: object) -> Iterator[Cascor]:
    """A service in a folder of its own."""
    data_app = create_app(Settings(state_dir=root / "data"), Catalog(FileSystemStore(root / "data")))
    data_client = AsyncJuniperDataClient("http://localhost", transport=httpx.ASGITransport(data_app))
    state_dir = root / "cascor"
    service = create_service(
        CascorSettings.model_validate({"state_dir": state_dir, "allowed_hosts": "testserver", **settings}), data_client
    )
    with TestClient(service.app) as http:
        yield Cascor(http, service, state_dir)


@pytest.fixture(scope="module")
def running_cascor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cascor]:
    """One service for the tests of a module."""
    with running(tmp_path_factory.mktemp("cascor")) as cascor:
        yield cascor


@pytest.fixture
def cascor(running_cascor: Cascor) -> Iterator[Cascor]:
    """The service with no run active and no network loaded."""
    running_cascor.idle()
    running_cascor.http.post("/v1/training/reset")
    yield running_cascor
    running_cascor.idle()
