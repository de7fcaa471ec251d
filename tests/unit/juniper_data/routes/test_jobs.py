"""What takes long, as callers see it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from juniper_common.wire.errors import FieldProblem
from juniper_data.catalog import Catalog
from juniper_data.errors import InvalidParametersError
from juniper_data.stores.memory import MemoryStore
from tests.unit.juniper_data.gated_generator import GATED, Gate
from tests.unit.juniper_data.stores.made import NOON

pytestmark = pytest.mark.anyio
AT_ONCE = {"Prefer": "respond-async"}


@pytest.fixture
def catalog(gate: Gate) -> Catalog:
    """A catalog of what the gate lets be made."""
    times = (NOON + timedelta(seconds=n) for n in range(10_000))
    return Catalog(MemoryStore(), generators={"gated": gate.generator()}, clock=lambda: next(times))


async def _polled(http: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """The job at its end."""
    while True:
        answer: dict[str, Any] = (await http.get(job["job_url"])).json()
        if answer["status"] != "running":
            return answer
        await asyncio.sleep(0.01)


async def test_what_takes_long_is_accepted(http: httpx.AsyncClient) -> None:
    """202 tells where to ask, and when it is worth it."""
    answer = await http.post("/v1/datasets", json=GATED, headers=AT_ONCE)
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == job["job_url"] == f"/v1/jobs/{job['job_id']}"
    assert (answer.headers["retry-after"], answer.headers["preference-applied"]) == ("1", "respond-async")
    assert (job["status"], job["dataset_id"], job["generator"]) == ("running", job["job_id"], "gated")
    asked_again = await http.get(job["job_url"])
    assert (asked_again.status_code, asked_again.json(), asked_again.headers["retry-after"]) == (200, job, "1")


async def test_same_request_gets_the_same_job(http: httpx.AsyncClient, gate: Gate) -> None:
    """Asking again is a way to poll too."""
    first, second = [(await http.post("/v1/datasets", json=GATED, headers=AT_ONCE)) for _ in range(2)]
    assert (second.status_code, second.json()) == (202, first.json())
    gate.opens.set()
    await _polled(http, first.json())
    third = await http.post("/v1/datasets", json=GATED)
    assert (third.status_code, third.json()["dataset_id"]) == (200, first.json()["job_id"])


async def test_job_that_succeeds_has_what_the_request_would_have_got(http: httpx.AsyncClient, gate: Gate) -> None:
    """And the dataset is where the job said that it would be."""
    accepted = (await http.post("/v1/datasets", json=GATED, headers=AT_ONCE)).json()
    gate.opens.set()
    job = await _polled(http, accepted)
    assert job["status"] == "succeeded"
    assert job["result"] == (await http.post("/v1/datasets", json=GATED)).json()
    assert (await http.get(accepted["artifact_url"])).status_code == 200


async def test_job_that_fails_tells_what_the_request_would_have(http: httpx.AsyncClient, gate: Gate) -> None:
    """Field by field."""
    gate.failure = InvalidParametersError((FieldProblem(loc=["params", "seed"], msg="no"),))
    accepted = (await http.post("/v1/datasets", json=GATED, headers=AT_ONCE)).json()
    gate.opens.set()
    job = await _polled(http, accepted)
    refused = await http.post("/v1/datasets", json=GATED)
    assert (job["status"], job["error_status"], refused.status_code) == ("failed", 400, 400)
    assert job["error"] == refused.json()["detail"]


async def test_mistake_in_a_generator_is_told_without_its_inside(http: httpx.AsyncClient, gate: Gate) -> None:
    """A sentence, as the request would have got."""
    gate.failure = ZeroDivisionError("division by zero")
    accepted = (await http.post("/v1/datasets", json=GATED, headers=AT_ONCE)).json()
    gate.opens.set()
    job = await _polled(http, accepted)
    refused = await http.post("/v1/datasets", json=GATED)
    assert (job["error"], refused.status_code) == (refused.json()["detail"], 500)


async def test_dataset_that_was_never_a_job_is_one_that_succeeded(http: httpx.AsyncClient, gate: Gate) -> None:
    """Jobs of before the last start are told of too."""
    gate.opens.set()
    created = (await http.post("/v1/datasets", json=GATED)).json()
    job = (await http.get(f"/v1/jobs/{created['dataset_id']}")).json()
    assert (job["status"], job["result"]) == ("succeeded", created)


@pytest.mark.parametrize("job_id", ["gated-1.0.0-0123456789abcdef", "nonsense"])
async def test_unknown_job_says_what_to_do(http: httpx.AsyncClient, job_id: str) -> None:
    """Posting again finds what is there, or makes it."""
    answer = await http.get(f"/v1/jobs/{job_id}")
    assert (answer.status_code, "post the request again" in answer.json()["detail"]) == (404, True)


async def test_too_many_are_told_when_to_come_again(http: httpx.AsyncClient) -> None:
    """503 with Retry-After."""
    for seed in range(100):
        accepted = await http.post("/v1/datasets", json={**GATED, "params": {"seed": seed}}, headers=AT_ONCE)
        assert accepted.status_code == 202
    answer = await http.post("/v1/datasets", json={**GATED, "params": {"seed": 100}})
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True)
