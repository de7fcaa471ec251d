import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from juniper_canopy.app import Dashboard
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.settings import CanopySettings
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorTrainingStream
from juniper_data.testing import AsyncFakeDataClient, FakeDataService

NOWHERE = "xor-1.0.0-0123456789abcdef"


@pytest.fixture
def data() -> Iterator[AsyncFakeDataClient]:
    """A dataset service in this process."""
    client = AsyncFakeDataClient()
    yield client
    asyncio.run(client.close())


@pytest.fixture
def client(data: AsyncFakeDataClient, tmp_path: Path) -> Iterator[TestClient]:
    """A client of the dashboard's REST before that service."""
    dashboard = Dashboard(CanopySettings(state_dir=tmp_path), _backend(data))
    with TestClient(dashboard.app(pages=False), base_url="http://localhost") as client:
        yield client


def _backend(data: AsyncFakeDataClient) -> ServiceBackend:
    return ServiceBackend(AsyncFakeCascorClient("empty"), data, FakeCascorTrainingStream("empty"))


def uploaded(client: TestClient, content: bytes, **query: str) -> Response:
    """The answer to a file."""
    return client.post("/api/datasets/upload", params=query, content=content)


def made(data: AsyncFakeDataClient, generator: str = "spiral", **params: int | bool) -> str:
    """The id of a new dataset."""
    return asyncio.run(data.create_dataset(generator, dict(params))).dataset_id


def test_generators_have_their_schemas(client: TestClient) -> None:
    """As the dataset service tells them."""
    generators = {generator["name"]: generator for generator in client.get("/api/generators").json()}
    assert "noise" in generators["spiral"]["schema"]["properties"]


def test_a_preview_is_laid_on_a_plane(client: TestClient) -> None:
    """With the figures of the whole set, and its samples in the picture alone; nothing is kept."""
    asked = {"params": {"n_spirals": 3, "n_points": 1000}, "axes": "principal"}
    answer = client.post("/api/generators/spiral/preview", json=asked).json()
    assert (answer["preview"]["n_samples"], answer["preview"]["X_sample"]) == (3000, [])
    assert (answer["scatter"]["shown"], answer["scatter"]["total"]) == (1000, 3000)
    assert np.bincount(answer["scatter"]["classes"]).tolist() == [333, 333, 334]
    assert answer["scatter"]["titles"][0].startswith("Principal component 1 (")
    assert client.get("/api/datasets").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "loc"),
    [
        ("spiral", {"params": {"noise": 3}}, 400, ["params", "noise"]),
        ("spiral", {"params": {}, "n": 3}, 422, ["n"]),
        ("spiral", {"params": {}, "x": -1}, 422, ["x"]),
    ],
)
def test_a_refused_preview_names_its_fields(
    client: TestClient, path: str, body: dict[str, object], status: int, loc: list[str]
) -> None:
    """So that a form can say it where it was entered."""
    answer = client.post(f"/api/generators/{path}/preview", json=body)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (status, loc)


def test_a_dataset_is_told_of_and_drawn(client: TestClient, data: AsyncFakeDataClient) -> None:
    """In the list, by itself, and on a plane."""
    dataset_id = made(data, n_points=50, shuffle=False)
    assert [found["dataset_id"] for found in client.get("/api/datasets?limit=1").json()["datasets"]] == [dataset_id]
    assert client.get(f"/api/datasets/{dataset_id}").json()["n_samples"] == 100
    plane = client.get(f"/api/datasets/{dataset_id}/scatter?x=1&y=0").json()
    assert (plane["titles"], plane["classes"]) == (["x2", "x1"], [0] * 50 + [1] * 50)


def test_a_large_dataset_is_drawn_in_part(client: TestClient, data: AsyncFakeDataClient) -> None:
    """As many of each class, though the first thousands are of one alone."""
    plane = client.get(f"/api/datasets/{made(data, n_points=5000, shuffle=False)}/scatter").json()
    assert (plane["shown"], plane["total"]) == (3000, 10_000)
    assert np.bincount(plane["classes"]).tolist() == [1500, 1500]


@pytest.mark.parametrize("path", ["", "/scatter", "/artifact"])
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    """In the words of the dataset service."""
    answer = client.get(f"/api/datasets/{NOWHERE}{path}")
    assert (answer.status_code, NOWHERE in answer.json()["detail"]) == (404, True)


def test_a_feature_that_is_not_there_is_refused(client: TestClient, data: AsyncFakeDataClient) -> None:
    """With 400: the document cannot know how many there are."""
    answer = client.get(f"/api/datasets/{made(data)}/scatter?x=2")
    assert (answer.status_code, "no feature 2" in answer.json()["detail"]) == (400, True)


def test_the_artifact_comes_through(client: TestClient, data: AsyncFakeDataClient) -> None:
    """Whole, under its name, with its checksum as the ETag."""
    dataset_id = made(data)
    answer = client.get(f"/api/datasets/{dataset_id}/artifact")
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert arrays["X_full"].shape == (194, 2)
    assert f'"{dataset_id}.npz"' in answer.headers["content-disposition"]
    assert answer.headers["etag"].strip('"') == asyncio.run(data.get_dataset(dataset_id)).checksum


def test_a_file_goes_through(client: TestClient, data: AsyncFakeDataClient) -> None:
    """It becomes a dataset of the name and label column that the query says; the job is told of at once."""
    answer = uploaded(client, b"a,b,kind\n1,2,x\n3,4,y\n5,6,x\n", label_column="kind", name="mine")
    assert answer.status_code == 202
    job = asyncio.run(data.job(answer.json()["job_id"]))
    meta = asyncio.run(data.wait_for(job)).meta
    assert (meta.dataset_name, meta.class_names, meta.n_samples) == ("mine", ("x", "y"), 3)
    again = uploaded(client, b"a,b,kind\n1,2,x\n3,4,y\n5,6,x\n", label_column="kind", name="mine")
    assert (again.status_code, again.json()["dataset_id"]) == (200, meta.dataset_id)


def test_a_file_of_another_page_is_refused(client: TestClient) -> None:
    """As every change that a foreign page asks for."""
    answer = client.post("/api/datasets/upload", content=b"a,label\n1,x\n", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("query", "status"), [({"format": "exe"}, 422), ({"delimiter": "||"}, 422), ({"sneaky": "1"}, 422)]
)
def test_a_query_that_cannot_be_is_refused(client: TestClient, query: dict[str, str], status: int) -> None:
    """Before any of the file is passed on."""
    assert uploaded(client, b"a,label\n1,x\n", **query).status_code == status


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """By the dataset service's own limit."""
    with FakeDataService(max_upload_bytes=1000) as service:
        backend = _backend(AsyncFakeDataClient(service=service))
        app = Dashboard(CanopySettings(state_dir=tmp_path), backend).app(pages=False)
        with TestClient(app, base_url="http://localhost") as client:
            answer = uploaded(client, b"a,label\n" + b"1,x\n" * 1000)
    assert (answer.status_code, "1000 bytes" in str(answer.json()["detail"])) == (413, True)


def test_a_service_that_is_away_is_said_to_be_away(client: TestClient, data: AsyncFakeDataClient) -> None:
    """503, for reading and for files alike."""
    data.is_reachable = False
    assert client.get("/api/datasets").status_code == 503
    assert uploaded(client, b"a,label\n1,x\n").status_code == 503
    assert client.get(f"/api/datasets/{NOWHERE}/artifact").status_code == 503
