"""Networks that answer, and named models, in the running service."""

import json
import time
from collections.abc import Mapping

import pytest

from juniper_cascor.runs import retention
from tests.integration.conftest import Cascor
from tests.integration.growth import answered, ask, at_once, fields, grown, ids, refused, tell

ROWS = [[0.5, 0.5], [-3.0, 2.0], [6.0, -1.0]]


def counted(cascor: Cascor, name: str) -> float:
    """A counter at /metrics."""
    lines = cascor.http.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def promoted(cascor: Cascor, name: str, **body: object) -> dict[str, object]:
    """The card of a new version."""
    card: dict[str, object] = tell(cascor, f"models/{name}", body, 201)
    return card


def test_a_network_answers_while_it_trains(cascor: Cascor) -> None:
    """As it stands, as its newest snapshot, and as an earlier one."""
    run_id = cascor.start(seed=1, pace=1_000)
    cascor.wait_for_epoch(900)
    now = tell(cascor, "predict", {"rows": ROWS})
    assert (now["model"], len(now["predictions"])) == (run_id, 3)
    first = ids(cascor, run_id)[0]
    newest = tell(cascor, "predict", {"rows": ROWS, "run_id": run_id})
    earlier = tell(cascor, "predict", {"rows": ROWS, "snapshot_id": first})
    assert newest["hidden_units"] >= earlier["hidden_units"] == 1
    assert (newest["model"].partition(".")[0], earlier["model"]) == (run_id, first)
    assert cascor.status().training_active


def test_a_damaged_newest_snapshot_is_passed_over(cascor: Cascor) -> None:
    """The one before it answers for the run, and is promoted."""
    run_id = grown(cascor)
    *_, before, last = ids(cascor, run_id)
    path = cascor.state_dir / "snapshots" / run_id / f"{last.removeprefix(f'{run_id}.')}.h5"
    path.write_bytes(path.read_bytes()[:-1])
    assert tell(cascor, "predict", {"rows": ROWS, "run_id": run_id})["model"] == before
    assert promoted(cascor, "passing", run_id=run_id)["snapshot_id"] == before


def test_a_model_outlives_its_run(cascor: Cascor) -> None:
    """Promoted of a run, it answers as that did when everything of the run is deleted."""
    run_id = grown(cascor)
    expected = tell(cascor, "predict", {"rows": ROWS})["scores"]
    card = promoted(cascor, "outliving", run_id=run_id, notes="of a run")
    assert (card["run_id"], card["outcome"], card["notes"]) == (run_id, "solved", "of a run")
    assert card["dataset_id"] == ask(cascor, f"runs/{run_id}")["dataset_id"]
    answered(cascor.http.delete(f"/v1/runs/{run_id}"))
    assert ask(cascor, f"snapshots?run_id={run_id}")["total"] == 0
    answer = tell(cascor, "models/outliving/predict", {"rows": ROWS})
    assert (answer["scores"], answer["model"]) == (expected, "outliving/1")


def test_a_model_outlives_the_expiry_of_its_run(cascor: Cascor) -> None:
    """What is kept no longer is the run and its snapshots."""
    run_id = grown(cascor, max_hidden_units=1)
    promoted(cascor, "expiring", run_id=run_id)
    ask(cascor, f"runs/{run_id}")  # its end is recorded by then
    life, in_a_week = cascor.service.life, time.time() + 7 * 86_400
    swept = retention.sweep(
        life.store, life.snapshots, life.datasets.folder, keep_runs=None, keep_days=1, now=in_a_week
    )
    assert run_id in swept.runs
    assert tell(cascor, "models/expiring/predict", {"rows": ROWS})["hidden_units"] == 1


def test_a_model_is_rolled_back_and_deleted(cascor: Cascor) -> None:
    """Each promotion is a version, the one before answers again, and then there is none."""
    first, *_, last = ids(cascor, grown(cascor))
    assert promoted(cascor, "turning", snapshot_id=first)["version"] == 1
    before = tell(cascor, "models/turning/predict", {"rows": ROWS})["scores"]
    assert promoted(cascor, "turning", snapshot_id=last)["version"] == 2
    assert tell(cascor, "models/turning/predict", {"rows": ROWS})["scores"] != before
    assert tell(cascor, "models/turning/rollback")["version"] == 1
    assert tell(cascor, "models/turning/predict", {"rows": ROWS})["scores"] == before
    assert "no version before 1" in refused(cascor.http.post("/v1/models/turning/rollback"), 409)
    assert ask(cascor, "models/turning/versions/2")["is_current"] is False
    answered(cascor.http.delete("/v1/models/turning"))
    refused(cascor.http.get("/v1/models/turning"), 404)
    refused(cascor.http.post("/v1/models/turning/predict", json={"rows": ROWS}), 404)


def test_fifty_clients_are_answered_together(cascor: Cascor) -> None:
    """Each gets its own answer, the same as alone, in fewer products than there are clients."""
    promoted(cascor, "shared", run_id=grown(cascor))
    points = [[i / 10, -i / 7] for i in range(50)]
    alone = [tell(cascor, "models/shared/predict", {"rows": [point]})["scores"][0] for point in points]
    before = counted(cascor, "juniper_cascor_prediction_batches_total")
    answers = at_once(cascor, [("models/shared/predict", {"rows": [point]}) for point in points])
    assert [answered(response)["scores"][0] for response in answers] == alone
    assert counted(cascor, "juniper_cascor_prediction_batches_total") - before < 50


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ("[]", "rows"),
        ("[[]]", "rows.0"),
        ("[[1, 2], [1]]", "rows.1"),
        ("[[1, 2, 3]]", "rows.0"),
        ("[[1, NaN]]", "rows.0.1"),
        ("[[1, -Infinity]]", "rows.0.1"),
        ("[[1, 1e999]]", "rows.0.1"),
        ('[[1, "2"]]', "rows.0.1"),
        ("[[1, true]]", "rows.0.1"),
        ("[[1, null]]", "rows.0.1"),
        ("[[1, [2]]]", "rows.0.1"),
        ('[[1, {"a": 2}]]', "rows.0.1"),
        ("[1, 2]", "rows.0"),
        ('"rows"', "rows"),
        ("null", "rows"),
        ("[" + "[1,2]," * 100_000 + "[1,2]]", "rows"),
        ("[" + "[1,2]," * 50_000 + '[1,"x"]]', "rows.50000.1"),
        ("[" * 100 + "1" + "]" * 100, "rows.0.0"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_rows_that_cannot_be(cascor: Cascor, rows: str, field: str) -> None:
    """The place is named, of the network in the foreground and of a model alike."""
    if not cascor.http.get("/v1/models/hostile").is_success:
        promoted(cascor, "hostile", run_id=grown(cascor))
    tell(cascor, "network", {}, 201)
    for path in ("/v1/predict", "/v1/models/hostile/predict"):
        assert fields(cascor.http.post(path, content=f'{{"rows": {rows}}}'))[0] == field


@pytest.mark.parametrize("content", ["", "{", "[]", "1", '{"rows": [[1, 2]', '{"rows": [[1,2]], "colour": 1}', "\0"])
def test_a_body_that_is_no_question(cascor: Cascor, content: str) -> None:
    """It is refused, in one answer."""
    tell(cascor, "network", {}, 201)
    refused(cascor.http.post("/v1/predict", content=content), 422)


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({"run_id": "nobody"}, "run_id", 404),
        ({"run_id": "../../../etc"}, "run_id", 404),
        ({"run_id": "a\0b"}, "run_id", 404),
        ({"run_id": "é" * 200}, "run_id", 404),
        ({"run_id": "x" * 201}, "run_id", 422),
        ({"run_id": ""}, "run_id", 422),
        ({"run_id": ".."}, "run_id", 404),
        ({"snapshot_id": "~..~2F..~2Fruns.sqlite3"}, "snapshot_id", 404),
        ({"snapshot_id": "nobody.00001-000000001"}, "snapshot_id", 404),
        ({"snapshot_id": "\n"}, "snapshot_id", 404),
        ({"snapshot_id": 5}, "snapshot_id", 422),
        ({"snapshot_id": "a", "run_id": "b"}, "snapshot_id", 422),
    ],
    ids=str,
)
def test_ids_that_are_none(cascor: Cascor, body: Mapping[str, object], field: str, status: int) -> None:
    """Named, of a prediction and of a promotion."""
    assert fields(cascor.http.post("/v1/predict", json={"rows": ROWS, **body}), status) == [field]
    assert fields(cascor.http.post("/v1/models/name", json=body), status) == [field]


@pytest.mark.parametrize(
    "name", ["%2e%2e", "..%2f..%2fx", "%00", "A", ".hidden", "-x", "x" * 65, "x" * 5_000, "é", "a%0a"]
)
def test_names_that_are_none(cascor: Cascor, name: str) -> None:
    """No model is made, nothing is written outside of the folder, and nothing is found."""
    snapshot_id = ids(cascor, grown(cascor, max_hidden_units=1))[0]
    before = sorted(path for path in cascor.state_dir.rglob("*") if path.suffix != ".sqlite3")
    response = cascor.http.post(f"/v1/models/{name}", json={"snapshot_id": snapshot_id})
    assert response.status_code in (404, 422)
    for path in (f"/v1/models/{name}", f"/v1/models/{name}/versions/1"):
        refused(cascor.http.get(path), 404)
    refused(cascor.http.post(f"/v1/models/{name}/predict", json={"rows": ROWS}), 404)
    refused(cascor.http.post(f"/v1/models/{name}/rollback"), 404)
    refused(cascor.http.delete(f"/v1/models/{name}"), 404)
    assert sorted(path for path in cascor.state_dir.rglob("*") if path.suffix != ".sqlite3") == before


def test_an_answer_is_json(cascor: Cascor) -> None:
    """In the service's envelope, without a NaN, however large the inputs are."""
    grown(cascor)
    response = cascor.http.post("/v1/predict", json={"rows": [[1e308, -1e308], [1e-300, 0]]})
    scores = json.loads(response.text, parse_constant=pytest.fail)["data"]["scores"]
    assert all(0 <= score <= 1 for row in scores for score in row)
