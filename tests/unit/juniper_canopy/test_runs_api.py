"""Runs and snapshots over the dashboard's REST, with the training service's fake behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from juniper_canopy.app import Dashboard
from juniper_canopy.settings import CanopySettings
from juniper_common.wire.runs import RunComparison, RunDetail, RunList
from juniper_common.wire.snapshots import ReplayStatus, SnapshotList
from juniper_data.testing import FakeDataService
from tests.unit.juniper_canopy.fake_backend import FakeBackend


@pytest.fixture
def client(data_service: FakeDataService, tmp_path: Path) -> Iterator[TestClient]:
    """A client of the app without pages, which are one for the process."""
    app = Dashboard(CanopySettings(state_dir=tmp_path), FakeBackend(data_service, "xor_converged")).app(pages=False)
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def run_id(client: TestClient) -> str:
    """The recorded run."""
    run_id: str = client.get("/api/runs").json()["runs"][0]["id"]
    return run_id


@pytest.fixture
def snapshot(client: TestClient) -> str:
    """The address of its newest snapshot."""
    return f"/api/v1/snapshots/{client.get('/api/v1/snapshots').json()['snapshots'][0]['id']}"


def test_runs_are_listed_with_their_last_metrics(client: TestClient, run_id: str) -> None:
    """A page of them; what a query asks for reaches the service."""
    found = RunList.model_validate(client.get("/api/runs").json())

    assert [run.id for run in found.runs] == [run_id]
    assert found.metrics[run_id]["train_accuracy"] == 1.0
    assert client.get("/api/runs?status=FAILED").json()["runs"] == []
    assert client.get(f"/api/runs?text={run_id}&sort_by=train_loss&ascending=true").json()["total"] == 1


def test_one_run_is_read_and_annotated(client: TestClient, run_id: str) -> None:
    """Notes and tags are whatever somebody wrote last."""
    changed = client.patch(f"/api/runs/{run_id}", json={"notes": "good", "tags": ["keep"]})
    detail = RunDetail.model_validate(client.get(f"/api/runs/{run_id}").json())

    assert changed.json()["notes"] == "good"
    assert (detail.notes, detail.tags) == ("good", ["keep"])


def test_a_run_has_curves(client: TestClient, run_id: str) -> None:
    """The metrics that are named, as columns."""
    series = client.get(f"/api/runs/{run_id}/metrics?names=train_loss,hidden_units&limit=5").json()["series"]

    assert {name: len(columns["step"]) for name, columns in series.items()} == {"train_loss": 5, "hidden_units": 5}


def test_runs_are_trained_compared_and_deleted(client: TestClient, run_id: str) -> None:
    """A second run that trains can be compared and stopped, and deleted once it is over."""
    request = {"dataset": {"generator": "xor"}, "params": {"seed": 5}}
    posted = client.post("/api/runs", json=request)
    other = posted.json()["runs"][0]["id"]
    compared = RunComparison.model_validate(client.get(f"/api/runs/compare?ids={run_id},{other}").json())

    assert posted.status_code == 201
    assert compared.differing["seed"][other] == 5
    assert client.delete(f"/api/runs/{other}").status_code == 409
    assert client.post(f"/api/runs/{other}/pause").json()["status"] == "PAUSED"
    assert client.post(f"/api/runs/{other}/resume").json()["status"] == "STARTED"
    assert client.post(f"/api/runs/{other}/stop").json()["status"] == "STOPPED"
    assert client.delete(f"/api/runs/{other}").status_code == 204
    assert client.get(f"/api/runs/{other}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs?limit=0", 422),
        ("/api/runs?sort_by=colour", 422),
        ("/api/runs/nothing", 404),
        ("/api/runs/nothing/metrics", 404),
        ("/api/runs/compare?ids=one", 422),
        ("/api/runs/compare?ids=one,two", 404),
        ("/api/v1/snapshots?state=green", 422),
        ("/api/v1/snapshots/nothing", 404),
        ("/api/v1/snapshots/nothing/file", 404),
        ("/api/v1/replay", 404),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, path: str, status: int) -> None:
    """The status of the refusal, and its reason."""
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_snapshot_is_made_use_of(client: TestClient, snapshot: str) -> None:
    """Restored, grown on from, taken, deleted."""
    units = client.get(snapshot).json()["hidden_units"]
    assert client.post(f"{snapshot}/restore").json()["hidden_units"] == units
    assert client.post(f"{snapshot}/resume", json={}).status_code == 409
    grown = client.post(f"{snapshot}/retrain", json={"epochs": 2000, "params": {"max_hidden_units": units + 2}})
    assert grown.status_code == 200
    assert client.post("/api/v1/snapshots").status_code == 201
    run = SnapshotList.model_validate(client.get("/api/v1/snapshots").json()).snapshots[-1]
    assert client.delete(f"/api/v1/snapshots/{run.id}").status_code == 204
    assert client.get(f"/api/v1/snapshots/{run.id}").status_code == 404


def test_a_snapshot_is_downloaded_as_it_is(client: TestClient, snapshot: str) -> None:
    """Its bytes, which begin as a snapshot's do, and its name."""
    answer = client.get(f"{snapshot}/file")

    assert answer.headers["content-type"] == "application/x-hdf5"
    assert answer.headers["content-disposition"] == f'attachment; filename="{snapshot.rsplit("/", 1)[1]}.h5"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.startswith(b"juniper snapshot")


def test_a_growth_is_replayed(client: TestClient, snapshot: str) -> None:
    """Begun, steered and stopped; afterwards there is none."""
    begun = ReplayStatus.model_validate(client.post(f"{snapshot}/replay", json={"paused": True}).json())
    sought = client.post("/api/v1/replay", json={"action": "seek", "position": begun.length - 1}).json()

    assert (begun.position, begun.is_playing) == (0, False)
    assert sought["position"] == begun.length - 1
    assert client.get("/api/v1/replay").json()["position"] == begun.length - 1
    assert client.post("/api/v1/replay", json={"action": "seek"}).status_code == 422
    assert client.post("/api/v1/replay", json={"action": "seek", "position": 999}).status_code == 422
    assert client.post("/api/v1/replay", json={"action": "stop"}).status_code == 200
    assert client.get("/api/v1/replay").status_code == 404
