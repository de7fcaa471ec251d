"""Collections as the service makes datasets of them."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.errors import HubError, UnreadableFileError
from juniper_data.imports.hub import Hub
from juniper_data.imports.importer import Importer
from juniper_data.refusals import service_error
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from tests.unit.juniper_data.creating import create
from tests.unit.juniper_data.imports.collection_files import write_idx, write_tasks

pytestmark = pytest.mark.anyio
MNIST = CreateDatasetRequest(generator="mnist", params={"n_samples": 40})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The import folder."""
    folder = tmp_path / "import"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    """A catalog that reads files, and knows no hub."""
    return Catalog(MemoryStore(), Importer(folder, 60))


@pytest.fixture
async def http(catalog: Catalog, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service."""
    app = create_app(Settings(state_dir=tmp_path / "state"), catalog)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


async def availability(http: httpx.AsyncClient) -> dict[str, tuple[bool, str | None]]:
    """Whether each generator is available, and what to do where it is not."""
    told = (await http.get("/v1/generators")).json()
    return {each["name"]: (each["available"], each["install_hint"]) for each in told}


async def test_collection_is_available_once_its_files_are_there(http: httpx.AsyncClient, folder: Path) -> None:
    """Before that the list says which files go where, and so does the refusal."""
    told = await availability(http)
    assert told["csv_import"] == (True, None)
    for name in ("mnist", "arc_agi"):
        assert not told[name][0]
        assert str(folder / name) in (told[name][1] or "")
        answer = await http.post("/v1/datasets", json={"generator": name})
        assert (answer.status_code, "juniper-ctl install --extra hub" in answer.text) == (400, True)
    write_idx(folder / "mnist")
    write_tasks(folder / "arc_agi")
    told = await availability(http)
    assert (told["mnist"], told["arc_agi"]) == ((True, None), (True, None))


async def test_folder_that_cannot_be_read_is_said_to_be_so(http: httpx.AsyncClient, folder: Path) -> None:
    """A list of generators does not fail for it; a link in place of a folder is none."""
    (folder / "mnist").symlink_to("/root")
    told = await availability(http)
    assert not told["mnist"][0]


async def test_images_become_a_dataset(http: httpx.AsyncClient, folder: Path) -> None:
    """Which a second request finds, and whose preview shows images of rows as rows of pixels."""
    write_idx(folder / "mnist")
    body = {"generator": "mnist", "params": {"flatten": False, "n_samples": 40}}
    answer = await http.post("/v1/datasets", json=body)
    assert answer.status_code == 201, answer.text
    meta = answer.json()["meta"]
    assert (meta["n_samples"], meta["n_features"], meta["params"]["dataset"]) == (40, 784, "mnist")
    assert (await http.post("/v1/datasets", json=body)).status_code == 200
    artifact = await http.get(answer.json()["artifact_url"])
    with np.load(io.BytesIO(artifact.content), allow_pickle=False) as arrays:
        assert arrays["X_full"].shape == (40, 28, 28)
    for preview in (
        await http.get(f"/v1/datasets/{meta['dataset_id']}/preview", params={"n": 3}),
        await http.post("/v1/generators/mnist/preview", json={"params": body["params"], "n": 3}),
    ):
        assert [len(row) for row in preview.json()["X_sample"]] == [784] * 3


async def test_tasks_become_a_dataset(http: httpx.AsyncClient, folder: Path) -> None:
    """With the ids of the tasks beside the grids, and a job where nobody waits."""
    write_tasks(folder / "arc_agi")
    body = {"generator": "arc_agi", "params": {"source": "local", "pad_to": 3}}
    answer = await http.post("/v1/datasets", json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    answer = await http.post("/v1/datasets", json=body, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    artifact = await http.get(answer.json()["artifact_url"])
    with np.load(io.BytesIO(artifact.content), allow_pickle=False) as arrays:
        assert len(arrays["task_ids"]) == len(arrays["X_full"]) == 15


async def test_hostile_file_is_refused_with_its_name(http: httpx.AsyncClient, folder: Path) -> None:
    """What the child process finds is an answer, about the file and no parameter."""
    write_tasks(folder / "arc_agi")
    (folder / "arc_agi" / "training" / "task2.json").write_text(json.dumps({"train": []}))
    answer = await http.post("/v1/datasets", json={"generator": "arc_agi", "params": {"source": "local"}})
    (problem,) = answer.json()["detail"]
    assert (answer.status_code, problem["loc"]) == (400, ["file"])
    assert problem["msg"].startswith("training/task2.json")


def test_collection_is_told_by_its_content(catalog: Catalog, folder: Path) -> None:
    """A file that is another makes another dataset, and one that changes after the order none."""
    write_idx(folder / "mnist")
    order = catalog.order(MNIST)
    assert catalog.order(MNIST).dataset_id == order.dataset_id
    labels = folder / "mnist" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x00")
    assert catalog.order(MNIST).dataset_id != order.dataset_id
    with pytest.raises(UnreadableFileError, match="t10k-labels-idx1-ubyte: changed while it was read") as refused:
        catalog.make(order)
    assert refused.value.problems[0].loc == ["file"]
    meta = create(catalog, MNIST).meta
    assert len(str(meta.params["files_sha256"])) == 64


def test_hub_that_does_not_give_is_503(folder: Path, tmp_path: Path) -> None:
    """It is nobody's request that is wrong."""
    catalog = Catalog(MemoryStore(), Importer(folder, 60, hub=Hub("http://127.0.0.1:9", tmp_path / "cache", 60)))
    with pytest.raises(HubError) as failed:
        catalog.order(MNIST)
    assert service_error(failed.value).status == 503
