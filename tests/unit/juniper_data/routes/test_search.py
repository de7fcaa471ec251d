from datetime import timedelta
from typing import Any

import httpx
import pytest

from juniper_data.catalog import Catalog
from juniper_data.stores.memory import MemoryStore
from juniper_data.stores.protocol import Quota
from tests.unit.juniper_data.stores.made import NOON

pytestmark = pytest.mark.anyio
NOWHERE = "xor-1.0.0-0000000000000000"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON


@pytest.fixture
def clock() -> Clock:
    """It is noon."""
    return Clock()


@pytest.fixture
def catalog(clock: Clock) -> Catalog:
    """A catalog with an empty store."""
    return Catalog(MemoryStore(Quota(max_datasets=1000)), clock=lambda: clock.now)


async def made(http: httpx.AsyncClient, seed: int, **notes: object) -> str:
    """A dataset of 20 samples; its id."""
    params = {"n_points_per_quadrant": 5, "seed": seed}
    answer = await http.post("/v1/datasets", json={"generator": "xor", "params": params, **notes})
    assert answer.status_code in (200, 201)
    dataset_id: str = answer.json()["dataset_id"]
    return dataset_id


async def found(http: httpx.AsyncClient, **query: str | int) -> list[str]:
    """The ids that fit."""
    answer = await http.get("/v1/datasets/filter", params=query)
    assert answer.status_code == 200
    return [meta["dataset_id"] for meta in answer.json()["datasets"]]


async def test_filter_finds_what_fits(http: httpx.AsyncClient, clock: Clock) -> None:
    """Each field of the query counts."""
    one = await made(http, 1, tags=["a", "b"], name="n")
    clock.now += timedelta(hours=1)
    two = await made(http, 2, tags=["b"], parent_dataset_id=one)
    other = (await http.post("/v1/datasets", json={"generator": "spiral", "params": {"seed": 1}})).json()["dataset_id"]
    between = (NOON + timedelta(minutes=1)).isoformat()
    assert set(await found(http)) == {one, two, other}
    assert set(await found(http, generator="xor")) == {one, two}
    assert set(await found(http, tags="a,b")) == {one, two}
    assert await found(http, tags="a,b", tags_match="all") == [one]
    assert await found(http, created_before=between) == [one]
    assert set(await found(http, created_after=between)) == {two, other}
    assert await found(http, min_samples=21) == [other]
    assert set(await found(http, max_samples=20)) == {one, two}
    assert await found(http, dataset_name="n") == [one]
    assert await found(http, dataset_name="n", dataset_version=2) == []
    assert await found(http, parent_dataset_id=one) == [two]


async def test_filter_leaves_out_what_expired(http: httpx.AsyncClient, clock: Clock) -> None:
    """It is found where it is asked for."""
    dataset_id = await made(http, 1, ttl_seconds=10)
    clock.now += timedelta(seconds=11)
    assert await found(http) == []
    assert await found(http, include_expired="true") == [dataset_id]


async def test_pages_go_on_at_the_cursor(http: httpx.AsyncClient, clock: Clock) -> None:
    """Page after page, newest first, each dataset once; the last has no next."""
    ids = []
    for seed in range(5):
        ids.append(await made(http, seed))
        clock.now += timedelta(seconds=1)
    seen, query = [], {"limit": "2"}
    while True:
        page = (await http.get("/v1/datasets/filter", params=query)).json()
        assert (page["total"], page["limit"]) == (5, 2)
        seen += [meta["dataset_id"] for meta in page["datasets"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cursor": "no cursor"}, 400),
        ({"limit": "1001"}, 422),
        ({"created_after": "noon"}, 422),
        ({"created_before": "0.5"}, 422),
        ({"created_after": "2026-01-01T12:00:00"}, 422),
        ({"tags_match": "some"}, 422),
        ({"nonsense": "1"}, 422),
    ],
)
async def test_refused_queries_name_their_fields(http: httpx.AsyncClient, query: dict[str, str], status: int) -> None:
    """The answer says which field."""
    answer = await http.get("/v1/datasets/filter", params=query)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (status, list(query))


async def test_stats_count(http: httpx.AsyncClient, clock: Clock) -> None:
    """By generator and by tag, with the times, the sizes and the quota."""
    one = await made(http, 1, tags=["a"], ttl_seconds=1)
    clock.now += timedelta(hours=1)
    await made(http, 2, tags=["a", "b"])
    size = (await http.get(f"/v1/datasets/{one}")).json()["size_bytes"]
    stats: dict[str, Any] = (await http.get("/v1/datasets/stats")).json()
    assert (stats["total_datasets"], stats["total_samples"], stats["total_bytes"]) == (2, 40, 2 * size)
    assert (stats["by_generator"], stats["by_tag"]) == ({"xor": 2}, {"a": 2, "b": 1})
    assert (stats["oldest_created_at"], stats["newest_created_at"]) == ("2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z")
    assert (stats["expired_count"], stats["max_datasets"], stats["max_bytes"]) == (1, 1000, None)


async def test_stats_of_nothing(http: httpx.AsyncClient) -> None:
    """An empty store has no oldest."""
    stats = (await http.get("/v1/datasets/stats")).json()
    assert (stats["total_datasets"], stats["oldest_created_at"], stats["by_tag"]) == (0, None, {})


async def test_versions_and_latest(http: httpx.AsyncClient) -> None:
    """The datasets of a name in the order of their versions, and the last of them."""
    ids = [await made(http, seed, name="n") for seed in range(3)]
    told = (await http.get("/v1/datasets/versions", params={"name": "n"})).json()
    assert [(meta["dataset_id"], meta["dataset_version"]) for meta in told["versions"]] == list(
        zip(ids, (1, 2, 3), strict=True)
    )
    assert (told["dataset_name"], told["total"], told["latest_version"]) == ("n", 3, 3)
    latest = (await http.get("/v1/datasets/latest", params={"name": "n"})).json()
    assert (latest["dataset_id"], latest["dataset_version"]) == (ids[2], 3)


async def test_name_that_nobody_gave(http: httpx.AsyncClient) -> None:
    """It has no versions, and no latest."""
    told = (await http.get("/v1/datasets/versions", params={"name": "n"})).json()
    assert told == {"dataset_name": "n", "versions": [], "total": 0, "latest_version": None}
    answer = await http.get("/v1/datasets/latest", params={"name": "n"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "no dataset has the name 'n'")
    for path in ("versions", "latest"):
        refused = await http.get(f"/v1/datasets/{path}")
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["name"])


async def test_lineage(http: httpx.AsyncClient) -> None:
    """The ancestors, nearest first, and the children."""
    one = await made(http, 1)
    two = await made(http, 2, parent_dataset_id=one)
    three = await made(http, 3, parent_dataset_id=two)
    assert (await http.get(f"/v1/datasets/{three}/lineage")).json() == {
        "dataset_id": three,
        "ancestors": [two, one],
        "children": [],
    }
    assert (await http.get(f"/v1/datasets/{one}/lineage")).json()["children"] == [two]
    assert (await http.get(f"/v1/datasets/{NOWHERE}/lineage")).status_code == 404
