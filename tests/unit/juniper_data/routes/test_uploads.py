"""Files that are sent."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from juniper_common.errors import exception_handlers
from juniper_common.openapi import routes
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.errors import DataError
from juniper_data.imports.importer import Importer
from juniper_data.job_files import JobFiles
from juniper_data.jobs import Jobs
from juniper_data.refusals import answer_error, error_body
from juniper_data.routes.uploads import UPLOADS_AT_ONCE, UploadRoutes
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Quota

pytestmark = pytest.mark.anyio
URL = "/v1/datasets/upload"
CSV = b"x,y,label\n" + b"".join(b"%d,%d,%s\n" % (n, n * n, b"ab"[n % 2 :][:1]) for n in range(10))
MAX_BYTES = 10_000


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """A catalog that reads files."""
    return Catalog(MemoryStore(Quota(max_datasets=3)), Importer(tmp_path / "import", 60))


@pytest.fixture
def app(catalog: Catalog, tmp_path: Path) -> Starlette:
    """The service, whose other bodies must be much smaller than its uploads."""
    return create_app(Settings(state_dir=tmp_path, max_upload_bytes=MAX_BYTES, max_body_bytes=1_000), catalog)


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[str]]:
    """The files that lie among the uploads."""
    return lambda: [path.name for path in (tmp_path / "uploads").glob("*")]


async def test_file_becomes_a_dataset(http: httpx.AsyncClient, left: Callable[[], list[str]]) -> None:
    """As one of a generator does, with the names that the file has; nothing else is left of it."""
    answer = await http.post(URL, content=CSV, params={"name": "mine", "tags": "a, b, "})
    assert answer.status_code == 201
    meta = answer.json()["meta"]
    assert (meta["generator"], meta["feature_names"], meta["class_names"]) == ("upload", ["x", "y"], ["a", "b"])
    assert (meta["dataset_name"], meta["tags"]) == ("mine", ["a", "b"])
    artifact = await http.get(answer.json()["artifact_url"])
    with np.load(io.BytesIO(artifact.content), allow_pickle=False) as arrays:
        assert arrays["X_full"].shape == (10, 2)
    assert left() == []


async def test_same_file_is_found_again(http: httpx.AsyncClient, left: Callable[[], list[str]]) -> None:
    """However it is cut into pieces on its way."""

    async def pieces() -> AsyncIterator[bytes]:
        for byte in CSV:
            yield bytes([byte])

    first = await http.post(URL, content=CSV)
    second = await http.post(URL, content=pieces())
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["dataset_id"] == second.json()["dataset_id"]
    assert left() == []


async def test_what_is_said_of_the_file_makes_another_dataset(http: httpx.AsyncClient) -> None:
    """Its columns, its split, its seed."""
    ids = [(await http.post(URL, content=CSV, params=params)).json()["dataset_id"] for params in ({}, {"seed": "1"})]
    assert len(set(ids)) == 2


async def test_file_that_takes_long_is_a_job(http: httpx.AsyncClient, left: Callable[[], list[str]]) -> None:
    """It waits to be read; when it is, nothing is left of it."""
    answer = await http.post(URL, content=CSV, headers={"Prefer": "respond-async"})
    job = answer.json()
    assert (answer.status_code, len(left())) == (202, 1)
    while job["status"] == "running":
        await asyncio.sleep(0.01)
        job = (await http.get(job["job_url"])).json()
    assert (job["status"], left()) == ("succeeded", [])


@pytest.mark.parametrize(
    ("content", "params"),
    [(b"", {}), (b"x,label\n1,a\nz,b\n", {}), (CSV, {"label_column": "none"}), (CSV, {"format": "npz"})],
)
async def test_file_that_is_not_what_it_should_be_is_refused(
    http: httpx.AsyncClient, left: Callable[[], list[str]], content: bytes, params: dict[str, str]
) -> None:
    """With what is wrong; and it does not stay."""
    answer = await http.post(URL, content=content, params=params)
    assert (answer.status_code, bool(answer.json()["detail"][0]["msg"])) == (400, True)
    assert left() == []


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"format": "xls"}, 422),
        ({"seed": "-1"}, 422),
        ({"fomat": "csv"}, 422),
        ({"train_ratio": "nan"}, 422),
        ({"train_ratio": "0.9", "test_ratio": "0.9"}, 400),
        ({"tags": "x" * 101}, 400),
        ({"parent_dataset_id": "xor-1.0.0-0123456789abcdef"}, 400),
    ],
)
async def test_wrong_query_is_refused(
    http: httpx.AsyncClient, left: Callable[[], list[str]], params: dict[str, str], status: int
) -> None:
    """Each field by its name, and no file stays."""
    answer = await http.post(URL, content=CSV, params=params)
    assert (answer.status_code, bool(answer.json()["detail"][0]["loc"])) == (status, True)
    assert left() == []


async def test_form_is_refused_with_the_way_to_send_it(http: httpx.AsyncClient) -> None:
    """Whoever used a form is told what to type instead."""
    answer = await http.post(URL, files={"file": CSV})
    assert (answer.status_code, "--data-binary @FILE" in answer.json()["detail"]) == (415, True)


async def test_too_large_file_is_refused_before_it_is_read(http: httpx.AsyncClient) -> None:
    """By the length that it tells."""
    was_read = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal was_read
        was_read = True
        yield CSV

    answer = await http.post(URL, content=pieces(), headers={"Content-Length": str(MAX_BYTES + 1)})
    assert (answer.status_code, answer.json()["detail"][0]["loc"], was_read) == (413, ["body"], False)


async def test_too_large_file_is_refused_whatever_it_tells(
    http: httpx.AsyncClient, left: Callable[[], list[str]]
) -> None:
    """What is read is counted."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_BYTES // 100 + 1):
            yield b"x" * 100

    answer = await http.post(URL, content=pieces())
    assert (answer.status_code, left()) == (413, [])


async def test_full_store_refuses_a_file(http: httpx.AsyncClient, left: Callable[[], list[str]]) -> None:
    """507, as it does a generator's dataset."""
    for seed in range(3):
        await http.post("/v1/datasets", json={"generator": "xor", "params": {"seed": seed}})
    assert (await http.post(URL, content=CSV)).status_code == 507
    assert left() == []


async def test_few_files_come_at_once(http: httpx.AsyncClient, left: Callable[[], list[str]]) -> None:
    """One more is told to come later; those that came first are not disturbed."""
    goes_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield CSV
        await goes_on.wait()

    coming = [asyncio.create_task(http.post(URL, content=slow())) for _ in range(UPLOADS_AT_ONCE)]
    while len(left()) < UPLOADS_AT_ONCE:
        await asyncio.sleep(0.01)
    answer = await http.post(URL, content=CSV)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
    goes_on.set()
    assert {each.status_code for each in await asyncio.gather(*coming)} <= {200, 201}
    assert (await http.post(URL, content=CSV)).status_code == 200


async def test_caller_that_leaves_midway_leaves_nothing(app: Starlette, left: Callable[[], list[str]]) -> None:
    """Half a file is none."""
    sent: list[Message] = [{"type": "http.request", "body": b"x,", "more_body": True}]

    async def receive() -> Message:
        if sent:
            return sent.pop()
        assert len(left()) == 1
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        raise AssertionError("nobody is there")

    scope = {"headers": [], "type": "http", "method": "POST", "path": URL, "query_string": b""}
    await app(scope, receive, send)
    assert left() == []


async def test_caller_that_sends_nothing_is_cut_off(
    catalog: Catalog, tmp_path: Path, left: Callable[[], list[str]]
) -> None:
    """It holds a place that others wait for."""
    files = JobFiles(tmp_path)
    uploads = UploadRoutes(catalog, Jobs(catalog, files), files, MAX_BYTES, 5, idle_s=0.01)
    app = Starlette(
        routes=routes(uploads.operations()),
        exception_handlers={**exception_handlers(error_body), DataError: answer_error},
    )

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x,"
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
        answer = await http.post(URL, content=stuck())
    assert (answer.status_code, answer.headers["connection"], left()) == (408, "close", [])
