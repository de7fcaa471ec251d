from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from juniper_canopy.app import Dashboard
from juniper_canopy.settings import CanopySettings
from juniper_canopy.testing import GrowingBackend
from juniper_common.health import Probe
from juniper_common.http import UnreachableError
from juniper_common.wire.training import MetricRow, TrainingStatus


@pytest.fixture
def dashboard(backend: GrowingBackend, tmp_path: Path) -> Dashboard:
    """The dashboard of the made-up backend."""
    return Dashboard(CanopySettings(state_dir=tmp_path), backend)


@pytest.fixture
def client(dashboard: Dashboard) -> Iterator[TestClient]:
    """A client of the app without pages, which are one for the process."""
    with TestClient(dashboard.app(pages=False), base_url="http://localhost") as client:
        yield client


def test_a_run_through_the_api(client: TestClient, backend: GrowingBackend) -> None:
    """Programs start, pause, resume, stop and reset as the page does."""
    assert client.post("/api/train/start", json={"params": {"seed": 1}}).json()["run_id"] == "run-1"
    assert client.post("/api/train/pause").json()["status"] == "PAUSED"
    assert client.post("/api/train/resume").json()["status"] == "STARTED"
    assert client.post("/api/set_params", json={"pace": 5}).json() == {"status": "ok"}
    assert client.post("/api/train/stop").json()["status"] == "STOPPED"
    assert client.post("/api/train/reset").json()["run_id"] is None

    assert backend.calls == ["start", "pause", "resume", "stop", "reset"]
    assert backend.changes[0].pace == 5


def test_reading_a_run(client: TestClient) -> None:
    """Every question has its route."""
    client.post("/api/train/start", json={})

    assert client.get("/api/status").json()["state_machine"]["status"] == "STARTED"
    assert client.get("/api/train/status").json() == client.get("/api/status").json()
    assert client.get("/api/topology").json()["input_size"] == 2
    assert client.get("/api/statistics").json()["total_hidden_units"] == 0
    assert len(client.get("/api/dataset").json()["train_x"]) == 160
    assert client.get("/api/decision_boundary?resolution=7").json()["resolution"] == 7


def test_metrics_are_rows(client: TestClient, backend: GrowingBackend) -> None:
    """The newest row, and the last rows."""
    client.post("/api/train/start", json={})
    backend.advance(5)

    assert client.get("/api/metrics").json()["epoch"] == 5
    assert [row["epoch"] for row in client.get("/api/metrics/history?count=2").json()["history"]] == [4, 5]


@pytest.mark.parametrize(
    "path", ["/api/metrics", "/api/topology", "/api/statistics", "/api/dataset", "/api/decision_boundary"]
)
def test_before_the_first_run_there_is_nothing(client: TestClient, path: str) -> None:
    """404, with the reason in words."""
    answer = client.get(path)

    assert answer.status_code == 404
    assert "yet" in answer.json()["detail"]


def test_a_refused_command_keeps_its_status(client: TestClient) -> None:
    """What the training service refuses with 409 is 409 here, in its words."""
    answer = client.post("/api/train/pause")

    assert answer.status_code == 409
    assert "STOPPED" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/train/start", {"parms": {}}), ("/api/set_params", {"pace": -1}), ("/api/set_params", {"seed": 1})],
)
def test_a_wrong_field_is_named(
    client: TestClient, backend: GrowingBackend, path: str, body: dict[str, object]
) -> None:
    """422 says which field, and nothing is sent on."""
    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"]
    assert backend.calls == []


def test_a_resolution_out_of_bounds_is_refused(client: TestClient) -> None:
    """The bounds are those of the training service."""
    assert client.get("/api/decision_boundary?resolution=1000").status_code == 422


@pytest.mark.parametrize("path", ["/api/nothing", "/v1/nothing", "/nothing"])
def test_an_unknown_path_is_a_small_404(client: TestClient, path: str) -> None:
    """JSON, not a page that the process would hold for a minute."""
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.json() == {"detail": f"There is no {path}."}


def test_health_tells_mode_and_connections(client: TestClient) -> None:
    """Ready, with what the dashboard is doing."""
    with client.websocket_connect("/ws/live") as socket:
        socket.receive_bytes()
        answer = client.get("/v1/health/ready").json()

    assert answer["status"] == "ready"
    assert answer["service"] == "juniper-canopy"
    assert answer["details"] == {"mode": "service", "active_connections": 1, "training_active": False}


class Lonely(GrowingBackend):
    """Its services do not answer."""

    def probes(self) -> dict[str, Probe]:
        """One that fails."""

        async def fail() -> str:
            raise UnreachableError("refused")

        return {"juniper_cascor": fail}

    async def status(self) -> TrainingStatus:
        """Nobody there."""
        raise UnreachableError("http://cascor: refused")


def test_without_its_services_the_dashboard_is_degraded(tmp_path: Path) -> None:
    """It still shows what it holds, so it is not unready; questions are answered with 503."""
    app = Dashboard(CanopySettings(state_dir=tmp_path), Lonely()).app(pages=False)
    with TestClient(app) as client:
        ready = client.get("/v1/health/ready")
        status = client.get("/api/status")

    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert status.status_code == 503
    assert "refused" in status.json()["detail"]


def test_the_live_stream_begins_with_the_shared_history(client: TestClient, backend: GrowingBackend) -> None:
    """A page's first request, and a frame within a second."""
    backend.connect()
    with client.websocket_connect("/ws/live") as socket:
        frame = socket.receive_bytes()
        history = client.get("/api/live/history")

    assert b'"type":"frame"' in frame
    assert b'"type":"history"' in history.content
    assert history.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/ws/live", "/_nicegui_ws/socket.io/"])
def test_a_foreign_page_gets_no_socket(client: TestClient, path: str) -> None:
    """Neither ours nor NiceGUI's."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect(path, headers={"Origin": "http://evil.example"}) as socket,
    ):
        socket.receive_bytes()

    assert refused.value.code == 4003


def test_a_foreign_page_starts_nothing(client: TestClient, backend: GrowingBackend) -> None:
    """A form of another site cannot command."""
    answer = client.post("/api/train/start", json={}, headers={"Origin": "http://evil.example"})

    assert answer.status_code == 403
    assert backend.calls == []


def test_the_document_lists_every_operation(client: TestClient) -> None:
    """The OpenAPI document is made from the same table as the routes."""
    paths = client.get("/openapi.json").json()["paths"]

    assert {"/api/status", "/api/train/start", "/api/set_params", "/api/decision_boundary"} <= paths.keys()


def test_the_metrics_count_open_pages(client: TestClient) -> None:
    """Prometheus sees how many watch."""
    with client.websocket_connect("/ws/live") as socket:
        socket.receive_bytes()
        text = client.get("/metrics").text

    assert "juniper_canopy_browsers 1.0" in text


def test_the_state_is_what_the_dashboard_holds(client: TestClient) -> None:
    """It answers from memory, also when no service does."""
    state = client.get("/api/state").json()

    assert state["mode"] == "service"
    assert state["connected"] is False
    assert state["data_age_s"] is None


def test_the_backend_is_closed_with_the_app(dashboard: Dashboard, backend: GrowingBackend) -> None:
    """Every task ends with the lifespan, and connections with them."""
    with TestClient(dashboard.app(pages=False)):
        assert dashboard.problem() is None

    assert backend.closed
    assert dashboard.problem() is not None


def test_a_row_can_be_read_again(client: TestClient, backend: GrowingBackend) -> None:
    """What the API answers is the wire's model."""
    client.post("/api/train/start", json={})
    backend.advance(1)

    assert MetricRow.model_validate(client.get("/api/metrics").json()).epoch == 1


def test_the_dashboard_tells_of_its_process(client: TestClient) -> None:
    """As every service does, plainly."""
    assert client.get("/v1/host").json()["service"] == "juniper-canopy"
    assert client.get("/v1/logs").json()["records"] == []


def test_the_files_of_a_page_are_not_counted(tmp_path: Path) -> None:
    """A page is dozens of files: a limit that suits programs would never let it load."""
    settings = CanopySettings(state_dir=tmp_path, rate_limit_per_minute=1)
    with TestClient(Dashboard(settings, GrowingBackend()).app(pages=False)) as client:
        assert {client.get("/_nicegui/x.js").status_code for _ in range(3)} == {404}
        assert [client.get("/api/state").status_code for _ in range(2)] == [200, 429]
