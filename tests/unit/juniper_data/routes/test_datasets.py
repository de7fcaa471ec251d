import hashlib
import io
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.unit.juniper_data.stores.made import NOON

pytestmark = pytest.mark.anyio
XOR = {"generator": "xor", "params": {"n_points_per_quadrant": 5, "seed": 1}}


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
    parent = (await http.post("/v1/datasets", json={"generator": "cmu_spirals"})).json()["dataset_id"]
    notes = {
        "tags": ["t"],
        "ttl_seconds": 5,
        "name": "n",
        "description": "d",
        "created_by": "c",
        "parent_dataset_id": parent,
    }
    created = (await http.post("/v1/datasets", json=XOR | notes)).json()
    meta = (await http.get(f"/v1/datasets/{created['dataset_id']}")).json()
    assert meta == created["meta"]
    assert set(meta) == {
        *("dataset_id", "generator", "generator_version", "params", "n_samples", "n_features", "n_classes"),
        *("n_train", "n_test", "n_val", "class_distribution", "artifact_formats", "created_at", "checksum"),
        *("tags", "ttl_seconds", "expires_at", "last_accessed_at", "access_count", "dataset_name"),
        *("dataset_version", "description", "created_by", "parent_dataset_id", "task_type"),
        *("size_bytes", "feature_names", "class_names", "profile", "split_distributions"),
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
        ('{"generator": "xor", "parent_dataset_id": "xor-1.0.0-0000000000000000"}', 400, [["parent_dataset_id"]]),
        ('{"generator": "xor", "constraints": {"min_samples": 1000}}', 400, [["constraints", "min_samples"]]),
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
    for query in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"offset": 2**63}, {"page": 1}):
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
    assert (await http.get(f"/v1/datasets/{dataset_id}/preview", params={"spread": True})).json()["n_samples"] == 20
    assert (await http.get(f"/v1/datasets/{dataset_id}/preview", params={"n": 0})).status_code == 422


async def test_delete_answers_204_then_404(http: httpx.AsyncClient) -> None:
    """What was deleted is not found any more, under any of its addresses."""
    url = f"/v1/datasets/{(await http.post('/v1/datasets', json=XOR)).json()['dataset_id']}"
    assert (await http.delete(url)).status_code == 204
    for path in (url, f"{url}/artifact", f"{url}/preview", f"{url}/profile", f"{url}/access"):
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


async def test_damage_is_told(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """A damaged artifact is an error of the service that says what to do, never other bytes."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    next((tmp_path / "state").rglob("*.npz")).write_bytes(b"other")
    answer = await http.get(f"/v1/datasets/{dataset_id}/artifact")
    assert (answer.status_code, "delete it" in answer.json()["detail"]) == (500, True)


async def test_damage_is_logged(http: httpx.AsyncClient, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The operator learns of it as an error."""
    dataset_id = (await http.post("/v1/datasets", json=XOR)).json()["dataset_id"]
    next((tmp_path / "state").rglob("*.npz")).write_bytes(b"other")
    await http.get(f"/v1/datasets/{dataset_id}/artifact")
    assert [record.levelname for record in caplog.records if "is damaged" in record.message] == ["ERROR"]


async def test_profile_is_that_of_the_meta(http: httpx.AsyncClient) -> None:
    """The figures have an address of their own."""
    meta = (await http.post("/v1/datasets", json=XOR)).json()["meta"]
    profile = (await http.get(f"/v1/datasets/{meta['dataset_id']}/profile")).json()
    assert profile == meta["profile"]
    assert [feature["max"] <= 1 for feature in profile["features"]] == [True, True]


async def test_access_is_told_without_being_one(http: httpx.AsyncClient) -> None:
    """Readings of the artifact count, looks at their number do not."""
    url = f"/v1/datasets/{(await http.post('/v1/datasets', json=XOR)).json()['dataset_id']}"
    never = {"dataset_id": url.rpartition("/")[2], "access_count": 0, "last_accessed_at": None}
    assert [(await http.get(f"{url}/access")).json() for _ in range(2)] == [never, never]
    await http.get(f"{url}/artifact")
    access = (await http.get(f"{url}/access")).json()
    assert (access["access_count"], access["last_accessed_at"]) == (1, NOON.isoformat().replace("+00:00", "Z"))


async def test_trailing_slash_is_another_address(http: httpx.AsyncClient) -> None:
    """Nobody is sent elsewhere."""
    assert (await http.get("/v1/datasets/")).status_code == 404


async def test_key_makes_nothing_twice_even_without_a_seed(http: httpx.AsyncClient) -> None:
    """Whoever does not know whether a request was heard sends it again."""
    unseeded = {"generator": "xor", "params": {"seed": None}}
    headers = {"Idempotency-Key": "k-1"}
    first, second = [await http.post("/v1/datasets", json=unseeded, headers=headers) for _ in range(2)]
    other = await http.post("/v1/datasets", json=unseeded, headers={"Idempotency-Key": "k-2"})
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["dataset_id"] == second.json()["dataset_id"] != other.json()["dataset_id"]


async def test_key_stands_for_one_request(http: httpx.AsyncClient) -> None:
    """Another body with it is a mistake of the caller, who is told which key it was."""
    await http.post("/v1/datasets", json=XOR, headers={"Idempotency-Key": "k"})
    answer = await http.post("/v1/datasets", json={"generator": "spiral"}, headers={"Idempotency-Key": "k"})
    (problem,) = answer.json()["detail"]
    assert (answer.status_code, problem["loc"]) == (422, ["Idempotency-Key"])
    assert "'k'" in problem["msg"]


async def test_key_is_the_callers_own(http: httpx.AsyncClient) -> None:
    """Two callers may take the same one."""
    for caller in ("a", "b"):
        headers = {"Idempotency-Key": "k", "X-API-Key": caller}
        body = {"generator": "xor", "params": {"seed": ord(caller)}}
        assert (await http.post("/v1/datasets", json=body, headers=headers)).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "\t"])
async def test_key_is_visible_ascii(http: httpx.AsyncClient, key: str) -> None:
    """Anything else is refused, named as the header."""
    answer = await http.post("/v1/datasets", json=XOR, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["Idempotency-Key"])
    assert (await http.get("/v1/datasets")).json() == []


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [("wait=30", "wait=30"), ("respond-async, wait=7", "respond-async, wait=7"), ("wait=999", "wait=60")],
)
async def test_preferences_that_were_heard_are_told(http: httpx.AsyncClient, prefer: str, applied: str) -> None:
    """How long the caller wants to wait is its own choice, within bounds."""
    answer = await http.post("/v1/datasets", json=XOR, headers={"Prefer": prefer})
    assert (answer.status_code, answer.headers["preference-applied"]) == (201, applied)


async def test_no_preference_is_told_where_none_was_heard(http: httpx.AsyncClient) -> None:
    """What is not known is passed over."""
    answer = await http.post("/v1/datasets", json=XOR, headers={"Prefer": "handling=lenient"})
    assert (answer.status_code, "preference-applied" in answer.headers) == (201, False)
