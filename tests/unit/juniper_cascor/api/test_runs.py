"""What is recorded of runs, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_cascor.api import runs
from juniper_cascor.api.envelope import failure
from juniper_cascor.runs.refusals import no_such_run
from juniper_cascor.runs.store import RunStore
from juniper_common import openapi
from juniper_common.errors import ConflictError, exception_handlers
from juniper_common.wire.envelope import Failure
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.runs import RunComparison, RunDetail, RunList, RunMetrics, RunRecord, Series
from tests.unit.juniper_cascor.runs.records import record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """Three runs, the last of which trains."""
    opened = RunStore(tmp_path / "runs.sqlite3")
    ended = {"status": "COMPLETED", "ended_at": 9.0}
    opened.add([record(1, **ended, notes="first"), record(2, **ended, seed=7), record(3)])
    opened.add_metrics("r1", [("train_loss", step, 1.0, 2.0) for step in range(1, 6)])
    opened.add_metrics("r2", [("train_loss", 1, 0.5, 2.0), ("score", 1, 0.25, 2.0)])
    yield opened
    opened.close()


@pytest.fixture
def http(store: RunStore) -> Iterator[TestClient]:
    """An app of these operations alone."""

    async def delete_run(run_id: str) -> None:
        if run_id == "r3":
            problem = "it trains"
            raise ConflictError(problem, (FieldProblem(loc=["run_id"], msg=problem),))
        if not store.delete(run_id):
            raise no_such_run(run_id)

    async def settled() -> None:
        """All that happens here is recorded at once."""

    routes = openapi.routes(runs.operations(store, delete_run, settled, lambda record: record))
    app = Starlette(routes=routes, exception_handlers=exception_handlers(failure))
    with TestClient(app) as client:
        yield client


def _refused(http: TestClient, method: str, path: str, json: object = None) -> tuple[int, list[list[str | int]]]:
    """The status, and the fields that the refusal names."""
    response = http.request(method, path, json=json)
    return response.status_code, [field.loc for field in Failure.model_validate_json(response.text).error.detail]


def test_runs_are_listed(http: TestClient) -> None:
    """Newest first, with how many there are."""
    listed = RunList.model_validate(http.get("/v1/runs?limit=2").json()["data"])
    assert ([run.id for run in listed.runs], listed.total) == (["r3", "r2"], 3)


def test_runs_are_filtered(http: TestClient) -> None:
    """All that is given must hold."""
    listed = RunList.model_validate(http.get("/v1/runs?status=COMPLETED&text=first&tag=first").json()["data"])
    assert [run.id for run in listed.runs] == ["r1"]


def test_a_run_is_shown_with_all_that_happened(http: TestClient, store: RunStore) -> None:
    """As the store has it."""
    assert RunDetail.model_validate(http.get("/v1/runs/r2").json()["data"]) == store.detail("r2")


def test_a_run_is_annotated(http: TestClient, store: RunStore) -> None:
    """What is left out stays."""
    answer = http.patch("/v1/runs/r1", json={"tags": ["best", "keep"]}).json()["data"]
    assert RunRecord.model_validate(answer) == store.get("r1")
    assert (answer["notes"], answer["tags"]) == ("first", ["best", "keep"])


def test_a_run_is_deleted(http: TestClient) -> None:
    """It is not found then."""
    assert http.delete("/v1/runs/r1").json()["data"] == {"status": "deleted", "run_id": "r1"}
    assert _refused(http, "GET", "/v1/runs/r1") == (404, [["run_id"]])


def test_metrics_are_read_as_columns(http: TestClient) -> None:
    """Those that are named, after an epoch, so many."""
    answer = http.get("/v1/runs/r1/metrics?names=train_loss,score&after=2&limit=2").json()["data"]
    assert RunMetrics.model_validate(answer) == RunMetrics(
        run_id="r1",
        series={
            "train_loss": Series(step=[3, 4], value=[1.0, 1.0], time=[2.0, 2.0]),
            "score": Series(step=[], value=[], time=[]),
        },
    )


def test_all_metrics_are_read_where_none_is_named(http: TestClient) -> None:
    """All that the run has."""
    assert sorted(http.get("/v1/runs/r2/metrics").json()["data"]["series"]) == ["score", "train_loss"]


def test_runs_are_compared(http: TestClient) -> None:
    """In what they differ, and their curves."""
    answer = http.get("/v1/runs/compare?ids=r2,r1&names=train_loss&limit=2").json()["data"]
    compared = RunComparison.model_validate(answer)
    assert [run.id for run in compared.runs] == ["r2", "r1"]
    assert compared.differing["seed"] == {"r1": 2**62, "r2": 7}
    assert {run_id: series.step for run_id, series in compared.metrics["train_loss"].items()} == {
        "r1": [1, 5],
        "r2": [1],
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/runs?limit=0", "limit"),
        ("/v1/runs?limit=many", "limit"),
        ("/v1/runs?status=DONE", "status"),
        ("/v1/runs?colour=red", "colour"),
        ("/v1/runs/r1/metrics?names=", "names"),
        ("/v1/runs/r1/metrics?names=a,,b", "names"),
        ("/v1/runs/r1/metrics?after=-2", "after"),
        ("/v1/runs/r1/metrics?limit=200001", "limit"),
        ("/v1/runs/compare", "ids"),
        ("/v1/runs/compare?ids=r1", "ids"),
        ("/v1/runs/compare?ids=r1,r1", "ids"),
        ("/v1/runs/compare?ids=r1,", "ids"),
        ("/v1/runs/compare?ids=" + ",".join(map(str, range(21))), "ids"),
        ("/v1/runs/compare?ids=r1,r2&limit=1", "limit"),
    ],
)
def test_a_query_that_cannot_be_is_refused(http: TestClient, path: str, field: str) -> None:
    """The field is named."""
    assert _refused(http, "GET", path) == (422, [[field]])


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"note": "x"}, ["note"]),
        ({"notes": "x" * 10_001}, ["notes"]),
        ({"tags": ["a", ""]}, ["tags", 1]),
        ({"status": "COMPLETED"}, ["status"]),
    ],
)
def test_an_annotation_that_cannot_be_is_refused(http: TestClient, body: object, loc: list[str | int]) -> None:
    """Notes and tags are all that a person may change."""
    assert _refused(http, "PATCH", "/v1/runs/r1", body) == (422, [loc])


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/v1/runs/r9", "run_id"),
        ("PATCH", "/v1/runs/r9", "run_id"),
        ("DELETE", "/v1/runs/r9", "run_id"),
        ("GET", "/v1/runs/r9/metrics", "run_id"),
        ("GET", "/v1/runs/compare?ids=r1,r9", "ids"),
    ],
)
def test_a_run_that_is_not_there_is_not_found(http: TestClient, method: str, path: str, field: str) -> None:
    """The field that named it is told."""
    assert _refused(http, method, path) == (404, [[field]])


def test_a_run_that_trains_is_not_deleted(http: TestClient, store: RunStore) -> None:
    """Whoever deletes says why not."""
    assert _refused(http, "DELETE", "/v1/runs/r3") == (409, [["run_id"]])
    assert store.get("r3") is not None
