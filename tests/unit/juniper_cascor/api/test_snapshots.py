"""`/v1/snapshots` and `/v1/replay`, over a real folder, with what is made of snapshots written down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_cascor.api import snapshots
from juniper_cascor.api.envelope import failure
from juniper_cascor.runs import snapshot_folder
from juniper_common import openapi
from juniper_common.errors import NotFoundError, exception_handlers
from juniper_common.wire.envelope import Failure
from juniper_common.wire.snapshots import (
    ReplayCommand,
    ReplayRequest,
    ReplayStatus,
    ResumeSnapshot,
    RetrainSnapshot,
    SnapshotInfo,
)
from juniper_common.wire.training import DecisionBoundary, NetworkSummary, TrainingStarted
from tests.unit.juniper_cascor.snapshot_data import CARD, SNAPSHOT

RUN = str(CARD.run_id)
ID = f"{RUN}.00002-000000120"
STATUS = ReplayStatus(run_id=RUN, position=0, length=3, hidden_units=1, epoch=10, speed=1.0, is_playing=True)
NETWORK = NetworkSummary(input_size=2, output_size=2, hidden_units=2, max_hidden_units=9, learning_rate=0.1, uuid="u")


class WrittenDown:
    """Answers every action, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    async def take(self) -> SnapshotInfo:
        """One that was just taken."""
        return SnapshotInfo(id=ID, run_id=RUN, epoch=120, hidden_units=2, created_at=1.0, size_bytes=9)

    async def decision_boundary(self, snapshot_id: str, resolution: int, features: tuple[int, int]) -> DecisionBoundary:
        """A plane of one class."""
        self.asked += [snapshot_id, resolution, features]
        cells = [[0] * resolution] * resolution
        return DecisionBoundary(
            x_range=(0, 1),
            y_range=(0, 1),
            resolution=resolution,
            grid_x=cells,
            grid_y=cells,
            predictions=cells,
            features=features,
            held_at=[0, 0, 0],
        )

    async def restore(self, snapshot_id: str) -> NetworkSummary:
        """The network of one."""
        self.asked.append(snapshot_id)
        return NETWORK

    async def resume(self, snapshot_id: str, request: ResumeSnapshot) -> TrainingStarted:
        """A run that goes on."""
        self.asked += [snapshot_id, request]
        return TrainingStarted(timestamp=1.0, run_id="next")

    async def retrain(self, snapshot_id: str, request: RetrainSnapshot) -> TrainingStarted:
        """A run that grows on."""
        self.asked += [snapshot_id, request]
        return TrainingStarted(timestamp=1.0, run_id="next")

    async def replay(self, snapshot_id: str, request: ReplayRequest) -> ReplayStatus:
        """A replay that begins."""
        self.asked += [snapshot_id, request]
        return STATUS

    async def replay_control(self, command: ReplayCommand) -> ReplayStatus:
        """The replay obeys."""
        self.asked.append(command)
        return STATUS

    def replay_status(self) -> ReplayStatus:
        """There is none until one was asked for."""
        if not self.asked:
            raise NotFoundError("nothing is replayed")
        return STATUS


@pytest.fixture
def actions() -> WrittenDown:
    """What was asked."""
    return WrittenDown()


@pytest.fixture
def active() -> set[str]:
    """The runs that are active: none, at first."""
    return set()


@pytest.fixture
def http(tmp_path: Path, actions: WrittenDown, active: set[str]) -> Iterator[TestClient]:
    """The operations alone, with one snapshot in the folder."""
    snapshot_folder.write(tmp_path, SNAPSHOT)
    operations = snapshots.operations(tmp_path, actions, active.__contains__)
    documents = openapi.document_routes("test", "0", operations, Failure)
    app = Starlette(routes=openapi.routes(operations) + documents, exception_handlers=exception_handlers(failure))
    with TestClient(app) as client:
        yield client


def test_files_are_listed_as_what_they_are(http: TestClient, tmp_path: Path) -> None:
    """A foreign file beside a whole one."""
    (tmp_path / "notes.txt").write_text("notes")
    data = http.get("/v1/snapshots").json()["data"]
    assert {(info["id"], info["state"]) for info in data["snapshots"]} == {(ID, "whole"), ("~notes.txt", "foreign")}
    assert data["total"] == 2
    (info,) = http.get("/v1/snapshots", params={"state": "whole", "run_id": RUN}).json()["data"]["snapshots"]
    assert info["can_resume"]


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "0"), ("limit", "1001"), ("offset", "-1"), ("state", "good"), ("colour", "red")]
)
def test_a_wrong_query_is_named(http: TestClient, name: str, value: str) -> None:
    """Each field by its name."""
    response = http.get("/v1/snapshots", params={name: value})
    assert response.status_code == 422
    assert response.json()["error"]["detail"][0]["loc"] == [name]


def test_one_is_described(http: TestClient) -> None:
    """With its card."""
    data = http.get(f"/v1/snapshots/{ID}").json()["data"]
    assert (data["id"], data["card"]["seed"], data["network"]["hidden_units"]) == (ID, 7, 2)


def test_the_file_itself_can_be_had(http: TestClient, tmp_path: Path) -> None:
    """Byte for byte, under a name that says what it is."""
    response = http.get(f"/v1/snapshots/{ID}/file")
    assert response.content == (tmp_path / RUN / "00002-000000120.h5").read_bytes()
    assert response.headers["content-type"] == "application/x-hdf5"
    assert f'filename="{ID}.h5"' in response.headers["content-disposition"]


def test_one_is_deleted(http: TestClient) -> None:
    """Then it is not there."""
    assert http.delete(f"/v1/snapshots/{ID}").status_code == 204
    assert http.get("/v1/snapshots").json()["data"]["snapshots"] == []
    assert http.delete(f"/v1/snapshots/{ID}").status_code == 404


def test_one_of_an_active_run_stays(http: TestClient, active: set[str]) -> None:
    """The run may have to go on from it."""
    active.add(RUN)
    response = http.delete(f"/v1/snapshots/{ID}")
    assert (response.status_code, response.json()["error"]["detail"][0]["loc"]) == (409, ["snapshot_id"])
    assert http.get(f"/v1/snapshots/{ID}").status_code == 200


@pytest.mark.parametrize("place", ["", "/file"])
@pytest.mark.parametrize("snapshot_id", ["none", "~..~2Fsecret.h5", "%2E%2E%2Fsecret.h5", "~%C3%A4", "%00"])
def test_an_unknown_one_is_not_found(http: TestClient, tmp_path: Path, snapshot_id: str, place: str) -> None:
    """Whatever the id says, nothing beside the folder is reached."""
    (tmp_path.parent / "secret.h5").write_text("secret")
    assert http.get(f"/v1/snapshots/{snapshot_id}{place}").status_code == 404


def test_one_is_taken(http: TestClient) -> None:
    """The answer is the new snapshot."""
    response = http.post("/v1/snapshots")
    assert (response.status_code, response.json()["data"]["id"]) == (201, ID)


def test_its_boundary_is_shown(http: TestClient, actions: WrittenDown) -> None:
    """Over the features that are asked for, within bounds."""
    path = f"/v1/snapshots/{ID}/decision-boundary"
    assert http.get(f"{path}?resolution=5&y_feature=2").json()["data"]["features"] == [0, 2]
    response = http.get(f"{path}?resolution=201")
    assert (response.status_code, response.json()["error"]["detail"][0]["loc"]) == (422, ["resolution"])
    assert actions.asked == [ID, 5, (0, 2)]


def test_one_is_restored(http: TestClient, actions: WrittenDown) -> None:
    """The answer is the loaded network."""
    assert http.post(f"/v1/snapshots/{ID}/restore").json()["data"]["uuid"] == "u"
    assert actions.asked == [ID]


def test_a_run_goes_on_from_one(http: TestClient, actions: WrittenDown) -> None:
    """With parameters that may change."""
    body = {"params": {"max_epochs": 9}, "on_restart": "hold"}
    assert http.post(f"/v1/snapshots/{ID}/resume", json=body).json()["data"]["run_id"] == "next"
    assert actions.asked == [ID, ResumeSnapshot.model_validate(body)]


def test_a_run_grows_on_from_one(http: TestClient, actions: WrittenDown) -> None:
    """On other data, or with nothing said."""
    body = {"dataset": {"generator": "xor"}, "params": {"seed": 3}}
    assert http.post(f"/v1/snapshots/{ID}/retrain", json=body).status_code == 200
    assert http.post(f"/v1/snapshots/{ID}/retrain").status_code == 200
    assert actions.asked == [ID, RetrainSnapshot.model_validate(body), ID, RetrainSnapshot()]


def test_a_growth_is_replayed(http: TestClient, actions: WrittenDown) -> None:
    """Its status can be asked for from then on, and it obeys."""
    assert http.get("/v1/replay").status_code == 404
    assert http.post(f"/v1/snapshots/{ID}/replay", json={"speed": 4}).json()["data"] == STATUS.model_dump()
    assert http.get("/v1/replay").json()["data"]["length"] == 3
    assert http.post("/v1/replay", json={"action": "seek", "position": 2}).status_code == 200
    assert actions.asked == [ID, ReplayRequest(speed=4), ReplayCommand(action="seek", position=2)]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("resume", {"params": {"seed": 3}}, ["params", "seed"]),
        ("retrain", {"epochs": 0}, ["epochs"]),
        ("replay", {"speed": 0}, ["speed"]),
    ],
)
def test_a_wrong_body_is_named(http: TestClient, path: str, body: dict[str, object], field: list[str]) -> None:
    """Each field by its name."""
    response = http.post(f"/v1/snapshots/{ID}/{path}", json=body)
    assert (response.status_code, response.json()["error"]["detail"][0]["loc"]) == (422, field)


def test_the_document_has_every_operation(http: TestClient) -> None:
    """With the models that they read and write."""
    paths = http.get("/openapi.json").json()["paths"]
    assert sum(map(len, paths.values())) == 12
    assert "application/x-hdf5" in paths["/v1/snapshots/{snapshot_id}/file"]["get"]["responses"]["200"]["content"]
