import io
import json
import time
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

import httpx
import pytest

from juniper_common.wire.datasets import CreateDatasetRequest
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Artifact, Quota
from tests.serving import served
from tests.unit.juniper_data.creating import create

NOWHERE = "xor-1.0.0-0000000000000000"
ENDLESS_BYTES = 1 << 40


class Endless(io.IOBase):
    """A terabyte of which nothing is on the disk."""

    def read(self, size: int) -> bytes:
        """Some more."""
        return bytes(size)


class EndlessStore(MemoryStore):
    """Its artifacts are longer than anybody reads."""

    def __init__(self) -> None:
        super().__init__(Quota())
        self.opened: list[Endless] = []

    def open_artifact(self, dataset_id: str) -> Artifact:
        """One of them."""
        self.opened.append(Endless())
        return Artifact(cast("BinaryIO", self.opened[-1]), ENDLESS_BYTES, self.meta(dataset_id).checksum)


@pytest.fixture
def catalog() -> Catalog:
    """A catalog with an empty store."""
    return Catalog(MemoryStore())


def made(catalog: Catalog, seed: int) -> str:
    """A dataset's id."""
    return create(catalog, CreateDatasetRequest(generator="xor", params={"seed": seed})).meta.dataset_id


@pytest.mark.anyio
async def test_export_is_a_zip(http: httpx.AsyncClient, catalog: Catalog) -> None:
    """Each artifact once, and what is missing in the manifest."""
    one, two = made(catalog, 1), made(catalog, 2)
    answer = await http.post("/v1/datasets/batch-export", json={"dataset_ids": [NOWHERE, one, two, one]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="datasets.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{one}.npz", f"{two}.npz", "manifest.json"]
        assert json.loads(archive.read("manifest.json"))["not_found"] == [NOWHERE]
        artifact = await http.get(f"/v1/datasets/{one}/artifact")
        assert archive.read(f"{one}.npz") == artifact.content


@pytest.mark.anyio
async def test_export_of_nothing_is_404(http: httpx.AsyncClient) -> None:
    """Where none is there, no empty zip is sent."""
    answer = await http.post("/v1/datasets/batch-export", json={"dataset_ids": [NOWHERE, "no id"]})
    assert (answer.status_code, answer.json()["detail"]) == (404, "none of these datasets was found")


def test_caller_who_leaves_midway_leaves_nothing_open(tmp_path: Path) -> None:
    """The service notices, and closes the artifact that it was sending."""
    store = EndlessStore()
    catalog = Catalog(store)
    app = create_app(Settings(state_dir=tmp_path), catalog)
    with served(app) as url:
        asked = {"dataset_ids": [made(catalog, 1), made(catalog, 2)]}
        with httpx.stream("POST", f"{url}/v1/datasets/batch-export", json=asked) as answer:
            pieces = answer.iter_bytes()  # Held: where it ends, the connection does.
            next(pieces)
            assert [file.closed for file in store.opened] == [False]
        while not store.opened[0].closed:
            time.sleep(0.01)
    assert len(store.opened) == 1
