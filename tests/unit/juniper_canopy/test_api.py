from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from juniper_canopy.app import Dashboard
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.settings import CanopySettings
from juniper_common.wire.training import MetricRow
from tests.unit.juniper_canopy.fake_backend import FakeBackend


@pytest.fixture
def dashboard(backend: FakeBackend, tmp_path: Path) -> Dashboard:
    """The dashboard of a backend of fakes."""
    return Dashboard(CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",)), backend)


@pytest.fixture
def client(dashboard: Dashboard) -> Iterator[TestClient]:
    """A client of the app without pages, which are one for the process."""
    with TestClient(dashboard.app(pages=False), base_url="http://localhost") as client:
        yield client


def test_a_run_through_the_api(client: TestClient, backend: FakeBackend) -> None:
    """Programs start, pause, resume, stop and reset as the page does."""
    run_id = client.post("/api/train/start", json={"params": {"seed": 1}}).json()["run_id"]
    assert client.post("/api/train/pause").json()["status"] == "PAUSED"
    assert client.post("/api/train/resume").json()["status"] == "STARTED"
    assert client.post("/api/set_params", json={"pace": 5}).json() == {"status": "ok"}
    assert client.post("/api/train/stop").json()["status"] == "STOPPED"
    assert client.post("/api/train/reset").json()["run_id"] is None

    assert backend.service.runs.find(run_id).record.seed == 1
    assert backend.service.runs.find(run_id).record.pace == 5


def test_reading_a_run(client: TestClient) -> None:
    """Every question has its route."""
    client.post("/api/train/start", json={})

    assert client.get("/api/status").json()["state_machine"]["status"] == "STARTED"
    assert client.get("/api/train/status").json() == client.get("/api/status").json()
    assert client.get("/api/topology").json()["input_size"] == 2
    assert client.get("/api/statistics").json()["total_hidden_units"] == 0
    rows = client.get("/api/dataset").json()["train_x"]
    assert len(rows) == 96
    assert client.get("/api/dataset?x_feature=1").json()["train_x"] == [[row[1]] for row in rows]
    assert client.get("/api/decision_boundary?resolution=7").json()["resolution"] == 7


def test_metrics_are_rows(client: TestClient, backend: FakeBackend) -> None:
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
    assert answer.json()["detail"]


def test_a_refused_command_keeps_its_status(client: TestClient) -> None:
    """What the training service refuses with 409 is 409 here, in its words."""
    answer = client.post("/api/train/pause")

    assert answer.status_code == 409
    assert "STOPPED" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/train/start", {"parms": {}}), ("/api/set_params", {"pace": -1}), ("/api/set_params", {"seed": 1})],
)
def test_a_wrong_field_is_named(client: TestClient, backend: FakeBackend, path: str, body: dict[str, object]) -> None:
    """422 says which field, and nothing is sent on."""
    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"]
    assert backend.service.runs.by_id == {}


@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity", "9" * 400])
@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/api/set_params", '{{"learning_rate": {}}}', ["learning_rate"]),
        ("/api/train/start", '{{"params": {{"learning_rate": {}}}}}', ["params", "learning_rate"]),
        ("/api/runs", '{{"sweep": {{"learning_rate": [0.1, {}]}}}}', ["sweep", "learning_rate", 1]),
        ("/api/generators/xor/preview", '{{"params": {{"margin": {}}}}}', ["params", "margin"]),
    ],
)
def test_a_number_that_is_not_finite_is_refused(
    client: TestClient, backend: FakeBackend, path: str, body: str, place: list[str | int], number: str
) -> None:
    """Sent on as null it would silently become the default."""
    answer = client.post(path, content=body.format(number))

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == place
    assert backend.service.runs.by_id == {}


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


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[TestClient]:
    """A client of a dashboard whose services do not answer."""
    backend = ServiceBackend.connect("http://127.0.0.1:9", "http://127.0.0.1:9")
    with TestClient(
        Dashboard(CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",)), backend).app(pages=False)
    ) as client:
        yield client


def test_without_its_services_the_dashboard_is_degraded(lonely: TestClient) -> None:
    """It still shows what it holds, so it is not unready; questions are answered with 503."""
    ready = lonely.get("/v1/health/ready")
    status = lonely.get("/api/status")

    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert status.status_code == 503
    assert "http://127.0.0.1:9" in status.json()["detail"]


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_older_programs_find_its_health(client: TestClient, path: str) -> None:
    """As it is told today, with the word that the path is an older one."""
    answer = client.get(path)

    assert answer.json() == client.get("/v1/health").json()
    assert answer.headers["deprecation"].startswith("@")
    assert "/v1/health" in answer.headers["link"]


def test_the_live_stream_begins_with_the_shared_history(client: TestClient) -> None:
    """A page's first request, and a frame within a second."""
    with client.websocket_connect("/ws/live") as socket:
        frame = socket.receive_bytes()
        history = client.get("/api/live/history")

    assert b'"type":"frame"' in frame
    assert b'"type":"history"' in history.content
    assert history.headers["cache-control"] == "no-store"


def test_the_history_is_compressed_for_whoever_reads_that(client: TestClient) -> None:
    """A browser does."""
    compressed = client.get("/api/live/history")
    plain = client.get("/api/live/history", headers={"Accept-Encoding": "identity"})

    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert b'"type":"history"' in plain.content


@pytest.mark.parametrize("path", ["/ws/live", "/_nicegui_ws/socket.io/"])
def test_a_foreign_page_gets_no_socket(client: TestClient, path: str) -> None:
    """Neither ours nor NiceGUI's."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect(path, headers={"Origin": "http://evil.example"}) as socket,
    ):
        socket.receive_bytes()

    assert refused.value.code == 4003


def test_a_foreign_page_starts_nothing(client: TestClient, backend: FakeBackend) -> None:
    """A form of another site cannot command."""
    answer = client.post("/api/train/start", json={}, headers={"Origin": "http://evil.example"})

    assert answer.status_code == 403
    assert backend.service.runs.by_id == {}


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


def test_the_state_is_what_the_dashboard_holds(lonely: TestClient) -> None:
    """It answers from memory, also when no service does."""
    state = lonely.get("/api/state").json()

    assert state["mode"] == "service"
    assert state["connected"] is False
    assert state["data_age_s"] is None


def test_the_backend_is_closed_with_the_app(dashboard: Dashboard, backend: FakeBackend) -> None:
    """Every task ends with the lifespan, and connections with them."""
    with TestClient(dashboard.app(pages=False)):
        assert dashboard.problem() is None

    assert backend.service.hub.connections == []
    assert dashboard.problem() is not None


def test_a_row_can_be_read_again(client: TestClient, backend: FakeBackend) -> None:
    """What the API answers is the wire's model."""
    client.post("/api/train/start", json={})
    backend.advance(1)

    assert MetricRow.model_validate(client.get("/api/metrics").json()).epoch == 1


def test_the_dashboard_tells_of_its_process(client: TestClient) -> None:
    """As every service does, plainly."""
    assert client.get("/v1/host").json()["service"] == "juniper-canopy"
    assert client.get("/v1/logs").json()["records"] == []


def test_the_files_of_a_page_are_not_counted(tmp_path: Path, backend: FakeBackend) -> None:
    """A page is dozens of files: a limit that suits programs would never let it load."""
    settings = CanopySettings(state_dir=tmp_path, allowed_hosts=("testserver",), rate_limit_per_minute=1)
    with TestClient(Dashboard(settings, backend).app(pages=False)) as client:
        assert {client.get("/_nicegui/x.js").status_code for _ in range(3)} == {404}
        assert [client.get("/api/state").status_code for _ in range(2)] == [200, 429]
