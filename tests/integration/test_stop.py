"""A command does what it says, whatever else is under way."""

import threading
from pathlib import Path

import anyio
import httpx
from starlette.testclient import TestClient

from juniper_cascor.app import create_service
from juniper_cascor.settings import CascorSettings
from juniper_data.client import AsyncJuniperDataClient
from tests.integration.conftest import CMU, Cascor

TIMEOUT_S = 60


class SlowData(httpx.AsyncBaseTransport):
    """A data service that answers when the test lets it."""

    def __init__(self) -> None:
        self.was_asked = threading.Event()
        self.may_answer = threading.Event()

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        """Be slow, then refuse."""
        self.was_asked.set()
        while not self.may_answer.is_set():
            await anyio.sleep(0.01)
        return httpx.Response(404, json={"detail": "too late"})


def test_a_run_that_is_stopped_before_it_begins_leaves_nothing(cascor: Cascor) -> None:
    """No snapshot appears after the answer, so that it can be deleted at once."""
    for _ in range(10):
        run_id = cascor.start(seed=1)
        assert cascor.http.post("/v1/training/stop").status_code in (200, 409)
        assert cascor.http.delete(f"/v1/runs/{run_id}").status_code == 200
    last = cascor.start(seed=1)
    cascor.wait()
    assert [path.name for path in (cascor.state_dir / "snapshots").iterdir() if not path.name.startswith(".")] == [last]


def test_other_commands_do_not_wait_for_a_slow_data_service(tmp_path: Path) -> None:
    """A start that fetches its data holds nobody up, and is refused when something else was begun meanwhile."""
    data = SlowData()
    service = create_service(
        CascorSettings(state_dir=tmp_path, allowed_hosts=("testserver",)),
        AsyncJuniperDataClient("http://data", transport=data),
    )
    rows = {"train_x": [[0], [1]], "train_y": [0, 1]}
    with TestClient(service.app) as http:
        answers: list[int] = []
        body = {"dataset": CMU}
        start = threading.Thread(
            target=lambda: answers.append(http.post("/v1/training/start", json=body).status_code), daemon=True
        )
        start.start()
        assert data.was_asked.wait(TIMEOUT_S)
        assert http.post("/v1/network").status_code == 201
        assert http.post("/v1/training/reset").status_code == 200
        assert http.post("/v1/training/start", json={"inline_data": rows}).status_code == 200
        data.may_answer.set()
        start.join(TIMEOUT_S)
        assert answers == [404]
