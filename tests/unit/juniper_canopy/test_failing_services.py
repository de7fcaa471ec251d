"""What the dashboard's REST answers where a service is silent, goes away in the middle, or says what it should not."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from juniper_canopy.app import Dashboard
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.settings import CanopySettings
from juniper_cascor.client import AsyncJuniperCascorClient
from juniper_cascor.testing import FakeCascorTrainingStream
from juniper_data.client import AsyncJuniperDataClient
from tests.serving import logged, served

SNAPSHOT = "/api/v1/snapshots/taken-1/file"
ARTIFACT = "/api/datasets/xor-1.0.0-0123456789abcdef/artifact"


class Service:
    """Both services: an answer with these headers, then a piece, then nothing, or the end."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.is_silent = self.breaks_off = False

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        await request.aread()
        if self.is_silent:
            raise httpx.ReadTimeout("", request=request)
        return httpx.Response(200, headers=self.headers, content=self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"a piece"
        if self.breaks_off:
            raise httpx.RemoteProtocolError("peer closed connection")


@pytest.fixture
def service() -> Service:
    """What is asked."""
    return Service()


@pytest.fixture
def dashboard(service: Service, tmp_path: Path) -> Dashboard:
    """Before that service."""
    way = httpx.MockTransport(service.handle)
    backend = ServiceBackend(
        AsyncJuniperCascorClient("http://cascor", transport=way, attempts=1),
        AsyncJuniperDataClient("http://data", transport=way, attempts=1),
        FakeCascorTrainingStream("empty"),
    )
    return Dashboard(CanopySettings(state_dir=tmp_path), backend)


@pytest.mark.parametrize("path", ["/api/topology", "/api/datasets", SNAPSHOT, ARTIFACT])
def test_a_silent_service_is_a_504(dashboard: Dashboard, service: Service, path: str) -> None:
    """It says whose answer did not come, and why: nobody looks for what is wrong with the dashboard."""
    service.is_silent = True
    with TestClient(dashboard.app(pages=False), "http://localhost") as client:
        answer = client.get(path)
    assert answer.status_code == 504
    assert "no answer in time" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "media_type", "name"),
    [
        (SNAPSHOT, "application/x-hdf5", "taken-1.h5"),
        ("/api/v1/snapshots/~a%22b.h5/file", "application/x-hdf5", "a%22b.h5"),
        (ARTIFACT, "application/octet-stream", "xor-1.0.0-0123456789abcdef.npz"),
    ],
)
def test_a_file_is_what_the_dashboard_says(
    dashboard: Dashboard, service: Service, path: str, media_type: str, name: str
) -> None:
    """A page that a service sent in its place is not shown as one of the dashboard's."""
    service.headers = {"content-type": "text/html", "content-disposition": "inline", "etag": '"1"'}
    with TestClient(dashboard.app(pages=False), "http://localhost") as client:
        answer = client.get(path)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (answer.headers["etag"], answer.content) == ('"1"', b"a piece")


@pytest.mark.parametrize("path", [SNAPSHOT, ARTIFACT])
def test_a_file_that_breaks_off_is_no_whole_one(dashboard: Dashboard, service: Service, path: str) -> None:
    """The connection is closed, and the log has a line that says why, with no traceback."""
    service.breaks_off = True
    with (
        logged() as records,
        served(dashboard.app(pages=False)) as url,
        pytest.raises(httpx.RemoteProtocolError, match="incomplete"),
    ):
        httpx.get(f"{url}{path}", trust_env=False)
    of_server = ("juniper_common.errors", "uvicorn.error")
    (told,) = [record for record in records if record.levelno >= logging.WARNING and record.name in of_server]
    assert "cut off" in told.getMessage()
    assert "peer closed connection" in told.getMessage()
    assert told.exc_info is None


def test_an_upload_whose_answer_breaks_off_is_a_503(dashboard: Dashboard, service: Service) -> None:
    """Nothing was passed on yet."""
    service.breaks_off = True
    with TestClient(dashboard.app(pages=False), "http://localhost") as client:
        answer = client.post("/api/datasets/upload", content=b"a,label\n1,x\n")
    assert (answer.status_code, "peer closed" in answer.json()["detail"]) == (503, True)
