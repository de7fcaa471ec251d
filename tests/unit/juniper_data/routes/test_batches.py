import logging
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
import httpx
import pytest
from pydantic import JsonValue

from juniper_data.catalog import Catalog
from juniper_data.generators.xor import XOR
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Quota
from tests.unit.juniper_data.gated_generator import GATED, Gate
from tests.unit.juniper_data.stores.made import NOON

pytestmark = pytest.mark.anyio
NOWHERE = "xor-1.0.0-0000000000000000"


@pytest.fixture
def catalog(gate: Gate) -> Catalog:
    """A catalog with an empty store that takes ten datasets; at each look at the clock a second has gone by."""
    seconds = count()  # which, unlike a generator, takes calls from several threads
    store = MemoryStore(Quota(max_datasets=10))
    return Catalog(
        store, generators={"xor": XOR, "gated": gate.generator()}, clock=lambda: NOON + timedelta(seconds=next(seconds))
    )


def xor(seed: int | None, **notes: JsonValue) -> dict[str, JsonValue]:
    """A request for a small dataset."""
    return {"generator": "xor", "params": {"n_points_per_quadrant": 5, "seed": seed}, **notes}


async def created(http: httpx.AsyncClient, *items: JsonValue, **headers: str) -> dict[str, Any]:
    """What a batch is answered with."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await http.post("/v1/datasets/batch-create", json={"datasets": items}, headers=named)
    assert answer.status_code in (200, 201, 202)
    body: dict[str, Any] = answer.json()
    return body


async def ids_of(http: httpx.AsyncClient, n: int) -> list[str]:
    """The ids of that many new datasets."""
    return [item["dataset_id"] for item in (await created(http, *map(xor, range(n))))["results"]]


async def tags_of(http: httpx.AsyncClient, dataset_id: str) -> list[str]:
    """A dataset's tags."""
    tags: list[str] = (await http.get(f"/v1/datasets/{dataset_id}")).json()["tags"]
    return tags


async def test_each_item_is_answered_by_itself(http: httpx.AsyncClient) -> None:
    """What is refused, in whatever way, fails alone and names its fields."""
    await http.post("/v1/datasets", json=xor(1))
    answer = await created(
        http, xor(1), {"generator": "nope"}, xor(2, ttl_seconds=0, foo=1), 5, {"generator": "xor", "params": {"x": 1}}
    )
    totals = {name: answer[f"total_{name}"] for name in ("created", "existing", "pending", "failed")}
    assert totals == {"created": 1, "existing": 1, "pending": 0, "failed": 4}
    there, unknown, malformed, number, refused = answer["results"]
    assert [item["index"] for item in answer["results"]] == list(range(5))
    assert (there["outcome"], there["success"], there["generator"]) == ("existing", True, "xor")
    alone = (await http.post("/v1/datasets", json=xor(1))).json()
    assert there["result"] == alone | {"meta": alone["meta"] | {"profile": None}}
    assert there["artifact_url"] == there["result"]["artifact_url"]
    assert [(item["success"], item["outcome"]) for item in answer["results"][1:]] == [(False, "failed")] * 4
    assert (unknown["generator"], [problem["loc"] for problem in unknown["problems"]]) == ("nope", [["generator"]])
    assert [problem["loc"] for problem in malformed["problems"]] == [["ttl_seconds"], ["foo"]]
    assert [problem["loc"] for problem in number["problems"]] == [[]]
    assert ([problem["loc"] for problem in refused["problems"]], "params.x" in refused["error"]) == (
        [["params", "x"]],
        True,
    )


async def test_status_tells_whether_anything_is_new(http: httpx.AsyncClient) -> None:
    """201 where at least one dataset is, else 200."""
    batch = {"datasets": [xor(1), xor(2)]}
    assert (await http.post("/v1/datasets/batch-create", json=batch)).status_code == 201
    again = await http.post("/v1/datasets/batch-create", json=batch)
    assert (again.status_code, again.json()["total_created"], again.json()["total_existing"]) == (200, 2, 2)
    assert (await http.post("/v1/datasets/batch-create", json={"datasets": [1]})).status_code == 200


async def test_items_may_build_on_each_other(http: httpx.AsyncClient) -> None:
    """The same set twice is made once, versions follow the order, and one may be the parent of a later one."""
    parent = (await http.post("/v1/datasets", json=xor(1) | {"persist": False})).json()["dataset_id"]
    answer = await created(http, xor(1, name="n"), xor(1), xor(2, name="n", parent_dataset_id=parent))
    assert [item["outcome"] for item in answer["results"]] == ["created", "existing", "created"]
    assert [item["result"]["meta"]["dataset_version"] for item in answer["results"]] == [1, 1, 2]


async def test_whole_numbers_may_be_written_with_a_point(http: httpx.AsyncClient) -> None:
    """As in the body of a single request, and as there text is no number."""
    answer = await created(http, xor(1, ttl_seconds=60.0), xor(2, ttl_seconds="60"))
    assert [item["success"] for item in answer["results"]] == [True, False]
    assert answer["results"][0]["result"]["meta"]["ttl_seconds"] == 60


async def test_full_store_fails_the_rest_alone(http: httpx.AsyncClient) -> None:
    """What found room is kept; the others say why they are not."""
    answer = await created(http, *map(xor, range(12)))
    assert [item["success"] for item in answer["results"]] == [True] * 10 + [False] * 2
    assert answer["results"][-1]["error"]
    assert len((await http.get("/v1/datasets")).json()) == 10


async def test_unkept_item_has_no_artifact(http: httpx.AsyncClient) -> None:
    """It is described, and not there afterwards."""
    answer = await created(http, xor(1, persist=False))
    assert (answer["results"][0]["artifact_url"], answer["results"][0]["outcome"]) == (None, "created")
    assert (await http.get("/v1/datasets")).json() == []


async def test_what_takes_long_is_told_as_jobs(http: httpx.AsyncClient, gate: Gate) -> None:
    """Items that are not made in the time that the caller gives the batch are made later, each under its address."""
    await created(http, xor(1))
    batch = {"datasets": [xor(1), *(GATED | {"params": {"seed": seed}} for seed in range(2))]}
    answer = await http.post("/v1/datasets/batch-create", json=batch, headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=0")
    totals = {name: answer.json()[f"total_{name}"] for name in ("created", "existing", "pending", "failed")}
    assert totals == {"created": 3, "existing": 1, "pending": 2, "failed": 0}
    gate.opens.set()
    for item in answer.json()["results"][1:]:
        assert (item["success"], item["outcome"], item["result"]) == (True, "pending", None)
        assert item["job_url"] == f"/v1/jobs/{item['dataset_id']}"
        while (job := (await http.get(item["job_url"])).json())["status"] == "running":
            await anyio.sleep(0.01)
        assert (job["status"], job["dataset_id"]) == ("succeeded", item["dataset_id"])
        assert (await http.get(item["artifact_url"])).status_code == 200


async def test_what_is_not_kept_is_not_made_later(http: httpx.AsyncClient) -> None:
    """It has no address to be asked for at, and fails alone where the time is up."""
    answer = await created(http, xor(1, persist=False), xor(2), Prefer="respond-async")
    unkept, kept = answer["results"]
    assert (unkept["success"], "by itself" in unkept["error"]) == (False, True)
    assert kept["success"]


async def test_same_key_makes_nothing_twice(http: httpx.AsyncClient) -> None:
    """Items without a seed are the same sets again; another item in a place is refused alone."""
    first, again = [await created(http, xor(None), xor(None), Idempotency_Key="k") for _ in range(2)]
    ids = [item["dataset_id"] for item in first["results"]]
    assert len(set(ids)) == 2
    assert [(item["dataset_id"], item["outcome"]) for item in again["results"]] == [(each, "existing") for each in ids]
    other = await created(http, xor(None), xor(7), Idempotency_Key="k")
    assert [item["success"] for item in other["results"]] == [True, False]
    assert "Idempotency-Key 'k'" in other["results"][1]["error"]


async def test_writes_are_audited(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """A line tells of each dataset that was touched, and of none that was not."""
    caplog.set_level(logging.INFO, "juniper_data.audit")
    one, two = await ids_of(http, 2)
    ids = [one, NOWHERE, two]
    await http.patch(f"/v1/datasets/{one}/tags", json={"add_tags": ["a"]})
    await http.patch("/v1/datasets/batch-tags", json={"dataset_ids": ids})
    await http.post("/v1/datasets/batch-delete", json={"dataset_ids": ids})
    await created(http, xor(1, ttl_seconds=1))
    await http.post("/v1/datasets/cleanup-expired")
    told = [
        record.getMessage().split(" source=")[0] for record in caplog.records if record.name == "juniper_data.audit"
    ]
    assert told == [
        f"batch_create status=201 datasets={one},{two}",
        f"change_tags status=200 datasets={one}",
        f"batch_tags status=200 datasets={one},{two}",
        f"batch_delete status=200 datasets={one},{two}",
        f"batch_create status=201 datasets={two}",
        f"cleanup_expired status=200 datasets={two}",
    ]


@pytest.mark.parametrize(
    ("method", "path", "field", "most"),
    [
        ("POST", "batch-create", "datasets", 50),
        ("POST", "batch-delete", "dataset_ids", 100),
        ("PATCH", "batch-tags", "dataset_ids", 100),
        ("POST", "batch-export", "dataset_ids", 50),
    ],
)
async def test_batches_have_a_size(http: httpx.AsyncClient, method: str, path: str, field: str, most: int) -> None:
    """None and too many are refused by name, and nothing is done."""
    for n in (0, most + 1):
        answer = await http.request(method, f"/v1/datasets/{path}", json={field: ["x"] * n})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, [field])
    assert (await http.get("/v1/datasets")).json() == []


async def test_batch_delete(http: httpx.AsyncClient) -> None:
    """One that is named twice counts once; what was not there, an impossible id included, is told apart."""
    one, two, three = await ids_of(http, 3)
    answer = await http.post("/v1/datasets/batch-delete", json={"dataset_ids": [one, one, two, NOWHERE, "../x"]})
    assert answer.json() == {"deleted": [one, two], "not_found": [NOWHERE, "../x"], "total_deleted": 2}
    assert (await http.get("/v1/datasets")).json() == [three]


async def test_batch_tags(http: httpx.AsyncClient) -> None:
    """Tags go, then tags come, at each that is there."""
    one, two = await ids_of(http, 2)
    await http.patch(f"/v1/datasets/{one}/tags", json={"add_tags": ["old", "kept"]})
    body = {"dataset_ids": [one, two, one, NOWHERE], "add_tags": ["new"], "remove_tags": ["old"]}
    answer = (await http.patch("/v1/datasets/batch-tags", json=body)).json()
    assert answer == {"updated": [one, two], "not_found": [NOWHERE], "failed": [], "total_updated": 2}
    assert (await tags_of(http, one), await tags_of(http, two)) == (["kept", "new"], ["new"])


async def test_one_with_too_many_tags_fails_alone(http: httpx.AsyncClient) -> None:
    """It keeps its tags, the others get theirs, and the answer says why."""
    one, two = await ids_of(http, 2)
    many = [str(n) for n in range(100)]
    await http.patch(f"/v1/datasets/{one}/tags", json={"add_tags": many})
    answer = await http.patch("/v1/datasets/batch-tags", json={"dataset_ids": [one, two], "add_tags": ["new"]})
    assert answer.json()["updated"] == [two]
    (failure,) = answer.json()["failed"]
    assert (failure["dataset_id"], "tags" in failure["error"]) == (one, True)
    assert (await tags_of(http, one), await tags_of(http, two)) == (many, ["new"])


async def test_tags_of_one_dataset(http: httpx.AsyncClient) -> None:
    """The answer is the new meta; too many tags are refused by name."""
    (one,) = await ids_of(http, 1)
    answer = await http.patch(f"/v1/datasets/{one}/tags", json={"add_tags": ["a", "b", "a"]})
    assert (answer.status_code, answer.json()["tags"]) == (200, ["a", "b"])
    assert answer.json() == (await http.get(f"/v1/datasets/{one}")).json()
    removed = await http.patch(f"/v1/datasets/{one}/tags", json={"remove_tags": ["a", "c"]})
    assert removed.json()["tags"] == ["b"]
    refused = await http.patch(f"/v1/datasets/{one}/tags", json={"add_tags": [str(n) for n in range(100)]})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (400, ["add_tags"])
    assert (await http.patch(f"/v1/datasets/{NOWHERE}/tags", json={"add_tags": ["a"]})).status_code == 404


async def test_cleanup_removes_what_expired(http: httpx.AsyncClient) -> None:
    """The ids that are gone are told; a second time there are none."""
    answer = await created(http, xor(1, ttl_seconds=1), xor(2))
    expired, kept = (item["dataset_id"] for item in answer["results"])
    told = (await http.post("/v1/datasets/cleanup-expired")).json()
    assert told == {"deleted": [expired], "total_deleted": 1}
    assert (await http.post("/v1/datasets/cleanup-expired")).json() == {"deleted": [], "total_deleted": 0}
    assert (await http.get("/v1/datasets")).json() == [kept]
