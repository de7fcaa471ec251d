"""`/api/boundaries`, over the training service's fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from juniper_canopy.api.boundaries import Stop, stops_of
from juniper_canopy.app import Dashboard
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.settings import CanopySettings
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorService, FakeCascorTrainingStream
from juniper_common.wire.snapshots import SnapshotInfo
from juniper_data.client import AsyncJuniperDataClient
from tests.unit.juniper_canopy.test_frames import unpack


@pytest.fixture
def service() -> FakeCascorService:
    """A service with one run, which has ended."""
    return FakeCascorService("xor_converged")


@pytest.fixture
def client(service: FakeCascorService, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a dashboard that asks it."""
    backend = ServiceBackend(
        AsyncFakeCascorClient(service=service),
        AsyncJuniperDataClient("http://127.0.0.1:9"),
        FakeCascorTrainingStream(service=service),
    )
    with TestClient(
        Dashboard(CanopySettings(state_dir=tmp_path), backend).app(pages=False), base_url="http://localhost"
    ) as client:
        yield client


@pytest.fixture
def run(service: FakeCascorService) -> str:
    """The run."""
    return str(service.foreground.run_id)


def snapshot(name: str, units: int | None, epoch: int | None, *, is_whole: bool = True) -> SnapshotInfo:
    """A snapshot as a list has it."""
    state = "whole" if is_whole else "damaged"
    return SnapshotInfo(id=name, run_id="r", epoch=epoch, hidden_units=units, created_at=0, size_bytes=1, state=state)


def test_there_is_one_stop_for_each_number_of_units() -> None:
    """The one that was trained longest, of those that can be read."""
    found = [
        snapshot("end", 2, 90),
        snapshot("torn", 2, 95, is_whole=False),
        snapshot("second", 2, 60),
        snapshot("first", 1, 30),
        snapshot("foreign", None, None),
    ]

    assert stops_of(found) == [
        Stop(snapshot_id="first", hidden_units=1, epoch=30),
        Stop(snapshot_id="end", hidden_units=2, epoch=90),
    ]


def test_the_last_stop_is_the_network_of_now(client: TestClient, run: str) -> None:
    """Cell by cell the decision boundary that the service tells of the run."""
    stops = client.get("/api/boundaries", params={"run": run}).json()["stops"]
    header, arrays = unpack(client.get(f"/api/boundaries/{stops[-1]['snapshot_id']}?resolution=20").content)
    now = client.get("/api/decision_boundary?resolution=20").json()

    assert [stop["hidden_units"] for stop in stops] == list(range(1, len(stops) + 1))
    assert arrays["boundary"].tolist() == [cell for row in now["predictions"] for cell in row]
    assert header["boundary"]["x_range"] == now["x_range"]  # type: ignore[index]
    assert header["held"] == []


def test_patterns_are_shown_over_other_features(client: TestClient, run: str) -> None:
    """The columns that are asked for, in that order."""
    data = client.get("/api/dataset").json()
    path = f"/api/boundaries/patterns?run={run}&x_feature=1&y_feature=0"
    header, arrays = unpack(client.get(path).content)

    assert arrays["dataset_x"][: len(data["train_x"])].tolist() == pytest.approx([row[1] for row in data["train_x"]])
    assert header["dataset"]["names"] == ["x2", "x1"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/boundaries", 422),
        ("/api/boundaries/nothing", 404),
        ("/api/boundaries/nothing?resolution=1000", 422),
        ("/api/boundaries/patterns?run=nothing", 404),
        ("/api/boundaries/..%2F..%2Fnetwork", 404),
    ],
)
def test_what_cannot_be_shown_is_refused(client: TestClient, path: str, status: int) -> None:
    """With the reason."""
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_missing_feature_is_refused(client: TestClient, run: str) -> None:
    """Of the patterns, and of the network."""
    stop = client.get("/api/boundaries", params={"run": run}).json()["stops"][0]["snapshot_id"]

    assert client.get(f"/api/boundaries/patterns?run={run}&y_feature=2").status_code == 422
    assert client.get(f"/api/boundaries/{stop}?y_feature=2").status_code == 422
