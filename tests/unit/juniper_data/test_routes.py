import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers

from juniper_data.app import create_app
from juniper_data.artifact_response import ArtifactResponse
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.protocol import Artifact

pytestmark = pytest.mark.anyio
XOR = {"generator": "xor", "params": {"n_points_per_quadrant": 5, "seed": 1}}


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the service runs on."""
    return "asyncio"


@pytest.fixture
def app(catalog: Catalog, tmp_path: Path) -> Starlette:
    """The service on an empty store."""
    return create_app(Settings(state_dir=tmp_path / "state"), catalog)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a browser."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_create_answers_201_then_200(http: httpx.AsyncClient) -> None:
    """The first request makes the dataset, the second finds it."""
    first = await http.post("/v1/datasets", json=XOR)
    second = await http.post("/v1/datasets", json=XOR)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    answer = first.json()
    assert answer["generator"] == "xor"
    assert answer["dataset_id"] == answer["meta"]["dataset_id"]
    assert answer["artifact_url"] == f"/v1/datasets/{answer['dataset_id']}/artifact"


async def test_meta_has_every_field_of_the_contract(http: httpx.AsyncClient) -> None:
    """Published clients find the fields that they look for, and what was noted."""
    notes = {
        "tags": ["t"],
        "ttl_seconds": 5,
        "name": "n",
        "description": "d",
        "created_by": "c",
        "parent_dataset_id": "spiral-1.0.0-0123456789abcdef",
    }
    created = (await http.post("/v1/datasets", json=XOR | notes)).json()
    meta = (await http.get(f"/v1/datasets/{created['dataset_id']}")).json()
    assert meta == created["meta"]
    assert set(meta) == {
        *("dataset_id", "generator", "generator_version", "params", "n_samples", "n_features", "n_classes"),
        *("n_train", "n_test", "n_val", "class_distribution", "artifact_formats", "created_at", "checksum"),
        *("tags", "ttl_seconds", "expires_at", "last_accessed_at", "access_count", "dataset_name"),
        *("dataset_version", "description", "created_by", "parent_dataset_id", "task_type"),
    }
    assert meta["artifact_formats"] == ["npz"]
    assert {"tags": meta["tags"], "name": meta["dataset_name"]} == {"tags": ["t"], "name": "n"}
    assert meta["parent_dataset_id"] == notes["parent_dataset_id"]


async def test_unpersisted_dataset_has_no_artifact(http: httpx.AsyncClient) -> None:
    """What is not kept cannot be fetched, and is not listed."""
    answer = await http.post("/v1/datasets", json=XOR | {"persist": False})
    assert (answer.status_code, answer.json()["artifact_url"]) == (201, None)
    assert (await http.get("/v1/datasets")).json() == []


@pytest.mark.parametrize(
    ("body", "status", "locs"),
    [
        ('{"generator": "spirl"}', 400, [["generator"]]),
        ('{"generator": "../xor"}', 400, [["generator"]]),
        ('{"generator": "xor", "params": {"margin": NaN, "noise": Infinity}}', 400, None),
        ('{"generator": "xor", "params": {"noise": 1e999}}', 400, [["params", "noise"]]),
        ('{"generator": "xor", "params": {"seed": 1%s}}' % ("0" * 300), 400, [["params", "seed"]]),
        ('{"generator": "xor", "params": {"noise": -1, "foo": 1}}', 400, [["params", "noise"], ["params", "foo"]]),
        ('{"generator": "xor", "foo": 1}', 422, [["foo"]]),
        ('{"generator": "xor", "ttl_seconds": 0}', 422, [["ttl_seconds"]]),
        ('{"generator": "xor", "parent_dataset_id": "../x"}', 422, [["parent_dataset_id"]]),
        ('{"generator": "xor", "params": []}', 422, [["params"]]),
        ("", 422, [["generator"]]),
        ("[]", 422, [[]]),
        ("{", 422, [[]]),
        ('{"generator": "\\ud800"}', 422, [[]]),
        ('{"generator": "xor", "params": {"a": %s}}' % ("[" * 9000 + "]" * 9000), 422, None),
    ],
)
async def test_bad_requests_name_their_fields_and_change_nothing(
    http: httpx.AsyncClient, body: str, status: int, locs: list[list[str]] | None
) -> None:
    """Each wrong field is named, no answer is a crash, and nothing is stored."""
    answer = await http.post("/v1/datasets", content=body)
    assert answer.status_code == status
    if locs is not None:
        assert [problem["loc"] for problem in answer.json()["detail"]] == locs
    assert (await http.get("/v1/datasets")).json() == []


async def test_body_over_the_limit_is_413(http: httpx.AsyncClient) -> None:
    """A body of more than ten megabytes is not read to its end."""
    answer = await http.post("/v1/datasets", content=b" " * 10_000_001)
    (problem,) = answer.json()["detail"]
    assert (answer.status_code, problem["loc"], problem["msg"]) == (413, ["body"], "is larger than 10000000 bytes")


async def test_ids_are_listed_in_pages(http: httpx.AsyncClient) -> None:
    """Limit and offset cut the list; out of bounds is refused by name."""
    ids = sorted(
        [
            (await http.post("/v1/datasets", json={"generator": "xor", "params": {"seed": seed}})).json()["dataset_id"]
            for seed in range(3)
        ]
    )
    assert (await http.get("/v1/datasets")).json() == ids
    assert (await http.get("/v1/datasets", params={"limit": 1, "offset": 1})).json() == ids[1:2]
    for query in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"page": 1}):
        refused = await http.get("/v1/datasets", params=query)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, list(query))


async def test_artifact_is_the_npz_under_its_etag(http: httpx.AsyncClient) -> None:
    """The artifact loads without pickle, and its ETag is its checksum."""
    meta = (await http.post("/v1/datasets", json=XOR)).json()["meta"]
    answer = await http.get(f"/v1/datasets/{meta['dataset_id']}/artifact")
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{meta["checksum"]}"'
    assert hashlib.sha256(answer.content).hexdigest() == meta["checksum"]
    with np.load(io.BytesIO(answer.content), allow_pickle=False) as arrays:
        assert arrays["X_full"].shape == (20, 2)


async def test_known_artifact_is_not_sent_again(http: httpx.AsyncClient) -> None:
    """If-None-Match with the ETag gets 304 and counts no access; with another it gets the artifact."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    url = f"/v1/datasets/{dataset_id}/artifact"
    tag = (await http.get(url)).headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        answer = await http.get(url, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert (await http.get(url, headers={"If-None-Match": '"x"'})).status_code == 200
    assert (await http.get(f"/v1/datasets/{dataset_id}")).json()["access_count"] == 2


@pytest.mark.parametrize(
    ("headers", "status", "part"),
    [
        ({"Range": "bytes=0-9"}, 206, slice(0, 10)),
        ({"Range": "bytes=5-"}, 206, slice(5, None)),
        ({"Range": "bytes=-7"}, 206, slice(-7, None)),
        ({"Range": "bytes=-999999999"}, 206, slice(None)),
        ({"Range": "bytes=10-999999999"}, 206, slice(10, None)),
        ({"Range": "bytes=9-5"}, 200, slice(None)),
        ({"Range": "bytes=-"}, 200, slice(None)),
        ({"Range": "bytes=0-1,5-6"}, 200, slice(None)),
        ({"Range": "lines=1-2"}, 200, slice(None)),
        ({"Range": "bytes=999999999-"}, 416, slice(0)),
        ({"Range": "bytes=-0"}, 416, slice(0)),
        ({"Range": "bytes=0-9", "If-Range": '"another"'}, 200, slice(None)),
    ],
)
async def test_ranges(http: httpx.AsyncClient, headers: dict[str, str], status: int, part: slice) -> None:
    """One range gets its bytes, an impossible one 416, anything else the whole."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    whole = (await http.get(f"/v1/datasets/{dataset_id}/artifact")).content
    answer = await http.get(f"/v1/datasets/{dataset_id}/artifact", headers=headers)
    assert (answer.status_code, answer.content) == (status, whole[part])
    assert int(answer.headers["content-length"]) == len(answer.content)
    if status == 206:
        start, end, _ = part.indices(len(whole))
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    elif status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"


async def test_head_of_an_artifact_has_no_body(http: httpx.AsyncClient) -> None:
    """HEAD tells the size without sending it."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    answer = await http.head(f"/v1/datasets/{dataset_id}/artifact")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_preview_shows_samples(http: httpx.AsyncClient) -> None:
    """As many rows as asked for, at most as many as there are."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    preview = (await http.get(f"/v1/datasets/{dataset_id}/preview", params={"n": 3})).json()
    assert set(preview) == {"n_samples", "X_sample", "y_sample"}
    assert (preview["n_samples"], len(preview["X_sample"]), len(preview["y_sample"])) == (3, 3, 3)
    assert (await http.get(f"/v1/datasets/{dataset_id}/preview")).json()["n_samples"] == 20
    assert (await http.get(f"/v1/datasets/{dataset_id}/preview", params={"n": 0})).status_code == 422


async def test_delete_answers_204_then_404(http: httpx.AsyncClient) -> None:
    """What was deleted is not found any more, under any of its addresses."""
    url = f"/v1/datasets/{(await http.post('/v1/datasets', json=XOR)).json()['dataset_id']}"
    assert (await http.delete(url)).status_code == 204
    for path in (url, f"{url}/artifact", f"{url}/preview"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["detail"][:7]) == (404, "dataset")
    assert (await http.delete(url)).status_code == 404


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "xor-1.0.0-1234567890abcdef%0a", "%00", "x" * 5000]
)
async def test_ids_lead_nowhere_else(http: httpx.AsyncClient, name: str) -> None:
    """An id that is none, or a path, is not found."""
    for path in (f"/v1/datasets/{name}", f"/v1/datasets/{name}/artifact"):
        assert (await http.get(path)).status_code == 404
    assert (await http.delete(f"/v1/datasets/{name}")).status_code in (404, 405)


async def test_generators_are_listed_with_their_schemas(http: httpx.AsyncClient) -> None:
    """The list has the contract's fields, and each schema is the one at its own address."""
    generators = (await http.get("/v1/generators")).json()
    assert [generator["name"] for generator in generators] == ["cmu_spirals", "spiral", "xor"]
    for generator in generators:
        assert set(generator) == {"name", "version", "description", "schema", "available", "install_hint"}
        assert generator["available"]
        schema = (await http.get(f"/v1/generators/{generator['name']}/schema")).json()
        assert schema == generator["schema"]


async def test_schema_of_no_generator_is_404(http: httpx.AsyncClient) -> None:
    """An unknown generator has no schema."""
    answer = await http.get("/v1/generators/nope/schema")
    assert (answer.status_code, "cmu_spirals" in answer.json()["detail"]) == (404, True)


async def test_ready_while_the_store_takes_and_gives(http: httpx.AsyncClient) -> None:
    """Readiness names the store."""
    answer = await http.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["dependencies"]["store"]["status"]) == (200, "healthy")


async def test_not_ready_without_a_store(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """When the store cannot be written, readiness says so, and a create is refused as unavailable."""
    (tmp_path / "state" / "scratch").rmdir()
    answer = await http.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    refused = await http.post("/v1/datasets", json=XOR)
    assert (refused.status_code, "cannot store" in refused.json()["detail"]) == (503, True)


async def test_damage_is_told(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """A damaged artifact is an error of the service that says what to do, never other bytes."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    (tmp_path / "state" / "datasets" / dataset_id / "artifact.npz").write_bytes(b"other")
    answer = await http.get(f"/v1/datasets/{dataset_id}/artifact")
    assert (answer.status_code, "delete it" in answer.json()["detail"]) == (500, True)


async def test_artifact_that_shrinks_meanwhile_ends_the_connection() -> None:
    """A length that was promised and cannot be kept is never passed off as the whole."""
    response = ArtifactResponse(Artifact(io.BytesIO(b"abc"), 10, "0"), "x.npz", Headers())
    transport = httpx.ASGITransport(response)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        with pytest.raises(EOFError, match="7 bytes early"):
            await client.get("/")


async def test_document_tells_every_route(http: httpx.AsyncClient) -> None:
    """The OpenAPI document has the routes of the contract that work, and no other."""
    document = (await http.get("/openapi.json")).json()
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/metrics", "get"),
        ("/v1/health", "get"),
        ("/v1/health/live", "get"),
        ("/v1/health/ready", "get"),
        ("/v1/metrics/prometheus", "get"),
        ("/v1/host", "get"),
        ("/v1/logs", "get"),
        ("/v1/generators", "get"),
        ("/v1/generators/{name}/schema", "get"),
        ("/v1/datasets", "get"),
        ("/v1/datasets", "post"),
        ("/v1/datasets/{dataset_id}", "get"),
        ("/v1/datasets/{dataset_id}", "delete"),
        ("/v1/datasets/{dataset_id}/artifact", "get"),
        ("/v1/datasets/{dataset_id}/preview", "get"),
    }
