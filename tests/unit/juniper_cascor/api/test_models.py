"""Predictions and named models over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_cascor import snapshots
from juniper_cascor.api import models
from juniper_cascor.api.envelope import failure
from juniper_cascor.api.models import Grown
from juniper_cascor.engine.network import Network
from juniper_cascor.serving.batcher import Batcher
from juniper_cascor.serving.model_store import ModelStore
from juniper_cascor.serving.snapshot_networks import NamedNetwork
from juniper_cascor.snapshots import Snapshot
from juniper_common import __version__, openapi
from juniper_common.errors import NotFoundError, exception_handlers
from juniper_common.wire.envelope import Failure
from juniper_common.wire.models import ModelCard, ModelInfo, ModelList, Prediction
from tests.unit.juniper_cascor.snapshot_data import CARD, NETWORK, SNAPSHOT

RUN = str(CARD.run_id)
WIDE = Network(np.zeros(1), np.ones(1), (), (), np.zeros((51, 2)))
FIRST, SECOND = f"{RUN}.00002-000000120", f"{RUN}.00002-000000300"
ROWS = [[0.5, 1.5], [2.0, 3.0]]


@dataclass
class Service:
    """A small app of the operations, and the folders behind it."""

    http: TestClient
    snapshots: Path
    models: Path

    def data(self, method: str, path: str, body: object = None, status: int = 200) -> object:
        """What is in the envelope."""
        response = self.http.request(method, path, json=body)
        assert response.status_code == status, response.text
        return response.json()["data"]

    def problems(self, method: str, path: str, body: object, status: int) -> list[list[str | int]]:
        """The fields that a refusal names."""
        response = self.http.request(method, path, json=body)
        assert response.status_code == status, response.text
        refusal = Failure.model_validate_json(response.content)
        assert "\n" not in refusal.error.message
        return [problem.loc for problem in refusal.error.detail]

    def promote(self, **body: object) -> ModelCard:
        """Promote to `flowers`."""
        return ModelCard.model_validate(self.data("POST", "/v1/models/flowers", body, 201))

    def predict(self, path: str, rows: list[list[float]], **ids: str) -> Prediction:
        """Ask about rows."""
        return Prediction.model_validate(self.data("POST", path, {"rows": rows, **ids}))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A run with two snapshots, and one of a wide network; in the foreground is the run's network without labels."""
    for snapshot_id, epoch in ((FIRST, 120), (SECOND, 300)):
        card = CARD.model_copy(update={"epoch": epoch})
        snapshots.write(tmp_path / f"{snapshot_id}.h5", replace(SNAPSHOT, card=card))
    card = CARD.model_copy(update={"hidden_units": 0, "labels": None, "feature_names": None})
    snapshots.write(tmp_path / "wide.h5", Snapshot(card, WIDE))

    def snapshot_path(snapshot_id: str) -> Path:
        if snapshot_id not in (FIRST, SECOND, "wide"):
            raise NotFoundError(f"there is no snapshot {snapshot_id}")
        return tmp_path / f"{snapshot_id}.h5"

    def newest_snapshot_id(run_id: str) -> str:
        if run_id != RUN:
            raise NotFoundError(f"there is no run {run_id}")
        return SECOND

    grown = Grown(lambda: NamedNetwork(NETWORK, None, "foreground"), newest_snapshot_id, snapshot_path)
    operations = models.operations(ModelStore(tmp_path / "models"), Batcher(), grown)
    app = Starlette(
        routes=[
            *openapi.routes(operations),
            *openapi.document_routes("Models", __version__, operations, Failure),
        ],
        exception_handlers=exception_handlers(failure),
    )
    with TestClient(app) as http:
        yield Service(http, tmp_path, tmp_path / "models")


def test_the_foreground_answers(service: Service) -> None:
    """Without an id; with no labels known, classes are indices."""
    answer = service.predict("/v1/predict", ROWS)
    assert answer.predictions == answer.class_indices == NETWORK.predict(ROWS).tolist()
    assert answer.scores == NETWORK.outputs(ROWS).tolist()
    assert (answer.model, answer.task, answer.hidden_units) == ("foreground", "classification", 2)


@pytest.mark.parametrize(("field", "value", "name"), [("run_id", RUN, SECOND), ("snapshot_id", FIRST, FIRST)])
def test_a_run_or_a_snapshot_answers(service: Service, field: str, value: str, name: str) -> None:
    """By its id, in the labels that it was trained on."""
    answer = service.predict("/v1/predict", ROWS, **{field: value})
    assert answer.model == name
    assert set(answer.predictions) <= set(CARD.labels or [])


def test_a_promoted_snapshot_answers_under_its_name(service: Service) -> None:
    """With the version that answered, and its labels."""
    card = service.promote(snapshot_id=FIRST, notes="good")
    assert (card.version, card.snapshot_id, card.run_id, card.notes, card.epoch) == (1, FIRST, RUN, "good", 120)
    answer = service.predict("/v1/models/flowers/predict", ROWS)
    assert answer.model == "flowers/1"
    assert answer.class_indices == NETWORK.predict(ROWS).tolist()
    assert answer.predictions == [(CARD.labels or [])[i] for i in NETWORK.predict(ROWS)]


def test_a_run_s_newest_snapshot_is_promoted_and_rolled_back(service: Service) -> None:
    """The version before answers again, with its own card; there is none before that."""
    service.promote(snapshot_id=FIRST)
    assert service.promote(run_id=RUN).snapshot_id == SECOND
    assert service.predict("/v1/models/flowers/predict", ROWS).model == "flowers/2"
    card = ModelCard.model_validate(service.data("POST", "/v1/models/flowers/rollback"))
    assert (card.version, card.epoch, card.is_current) == (1, 120, True)
    assert service.predict("/v1/models/flowers/predict", ROWS).model == "flowers/1"
    assert service.http.post("/v1/models/flowers/rollback").status_code == 409


def test_models_are_listed_with_their_versions(service: Service) -> None:
    """Each with the card of the version that answers; any other version has a card of its own."""
    assert service.data("GET", "/v1/models") == {"models": []}
    service.promote(snapshot_id=FIRST)
    service.promote(snapshot_id=SECOND)
    info = ModelInfo.model_validate(service.data("GET", "/v1/models/flowers"))
    assert ModelList.model_validate(service.data("GET", "/v1/models")).models == [info]
    assert info.card is not None
    assert (info.card.epoch, [version.version for version in info.versions]) == (300, [2, 1])
    card = ModelCard.model_validate(service.data("GET", "/v1/models/flowers/versions/1"))
    assert (card.epoch, card.is_current) == (120, False)


@pytest.mark.parametrize("version", ["0", "2", "-1", "x", "²", "1" * 5_000])
def test_versions_that_are_not_there(service: Service, version: str) -> None:
    """Other numbers, and what is none."""
    service.promote(snapshot_id=FIRST)
    assert service.http.get(f"/v1/models/flowers/versions/{version}").status_code == 404


def test_a_deleted_model_does_not_answer(service: Service) -> None:
    """The snapshots that it was made of stay."""
    service.promote(snapshot_id=FIRST)
    assert service.data("DELETE", "/v1/models/flowers") == {"status": "deleted", "name": "flowers"}
    assert service.http.post("/v1/models/flowers/predict", json={"rows": ROWS}).status_code == 404
    assert service.http.delete("/v1/models/flowers").status_code == 404
    assert service.promote(snapshot_id=FIRST).version == 1


def test_a_damaged_model_is_named(service: Service) -> None:
    """It answers that it cannot, the list says why, and a rollback puts the version before in its place."""
    service.promote(snapshot_id=FIRST)
    service.promote(snapshot_id=SECOND)
    (service.models / "flowers" / "00002.h5").write_bytes(b"damaged")
    refusal = service.http.post("/v1/models/flowers/predict", json={"rows": ROWS})
    assert refusal.status_code == 503
    assert "flowers/00002.h5 is damaged" in refusal.json()["error"]["message"]
    (info,) = ModelList.model_validate(service.data("GET", "/v1/models")).models
    assert info.problem is not None
    assert "00002.h5" in info.problem
    service.data("POST", "/v1/models/flowers/rollback")
    assert service.predict("/v1/models/flowers/predict", ROWS).model == "flowers/1"


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/models/flowers/predict"])
@pytest.mark.parametrize(
    ("rows", "loc"),
    [
        ([], ["rows"]),
        ([[1, 2], [1, 2, 3]], ["rows", 1]),
        ([[1, 2], []], ["rows", 1]),
        ([[1, 2], [1, "2"]], ["rows", 1, 1]),
        ([[1, 2], [None, 2]], ["rows", 1, 0]),
        ([1, 2], ["rows", 0]),
        (None, ["rows"]),
    ],
)
def test_wrong_rows_are_named(service: Service, path: str, rows: object, loc: list[str | int]) -> None:
    """By row and column."""
    service.promote(snapshot_id=FIRST)
    assert service.problems("POST", path, {"rows": rows}, 422) == [loc]


def test_numbers_that_are_none_are_named(service: Service) -> None:
    """JSON has no NaN, but many write it."""
    response = service.http.post("/v1/predict", content=b'{"rows": [[1, 2], [NaN, 1]]}')
    assert response.status_code == 422
    assert response.json()["error"]["detail"][0]["loc"] == ["rows", 1, 0]


@pytest.mark.parametrize(
    ("body", "status", "loc"),
    [
        ({"run_id": RUN, "snapshot_id": FIRST}, 422, "snapshot_id"),
        ({"run_id": "none"}, 404, "run_id"),
        ({"snapshot_id": "none"}, 404, "snapshot_id"),
        ({"snapshot_id": ""}, 422, "snapshot_id"),
        ({"snapshot_id": FIRST, "more": 1}, 422, "more"),
    ],
)
def test_ids_that_cannot_be_are_named(service: Service, body: dict[str, object], status: int, loc: str) -> None:
    """By their fields, alike where a network is asked and where one is promoted."""
    assert service.problems("POST", "/v1/predict", {"rows": ROWS, **body}, status) == [[loc]]
    assert service.problems("POST", "/v1/models/flowers", body, status) == [[loc]]


def test_a_snapshot_that_cannot_be_read_is_named(service: Service) -> None:
    """One that is damaged, and one that is removed after it was found."""
    (service.snapshots / f"{FIRST}.h5").write_bytes(b"damaged")
    response = service.http.post("/v1/predict", json={"rows": ROWS, "snapshot_id": FIRST})
    assert response.status_code == 503
    assert f"snapshot {FIRST} cannot answer" in response.json()["error"]["message"]
    (service.snapshots / f"{SECOND}.h5").unlink()
    for path, body in (("/v1/predict", {"rows": ROWS, "run_id": RUN}), ("/v1/models/flowers", {"run_id": RUN})):
        assert service.problems("POST", path, body, 404) == [["run_id"]]


def test_a_promotion_names_one_of_two(service: Service) -> None:
    """Neither is refused as well."""
    assert service.problems("POST", "/v1/models/flowers", {}, 422) == [["snapshot_id"]]


def test_a_name_that_is_none_is_refused(service: Service) -> None:
    """Whatever path it might be meant to make."""
    for name in ("Flowers", ".flowers", "%2e%2e", "a%00"):
        assert service.problems("POST", f"/v1/models/{name}", {"snapshot_id": FIRST}, 422) == [["name"]]
        assert service.http.get(f"/v1/models/{name}").status_code == 404


def test_a_damaged_snapshot_is_not_promoted(service: Service) -> None:
    """The name goes on not to exist."""
    (service.snapshots / f"{FIRST}.h5").write_bytes(b"damaged")
    response = service.http.post("/v1/models/flowers", json={"snapshot_id": FIRST})
    assert response.status_code == 409
    assert FIRST in response.json()["error"]["message"]
    assert service.http.get("/v1/models/flowers").status_code == 404


def test_many_rows_are_answered(service: Service) -> None:
    """Read, computed and written in pieces, with the bits that the network says to all at once."""
    rows = np.random.default_rng(0).normal(size=(20_000, 2))
    answer = service.predict("/v1/predict", rows.tolist())
    np.testing.assert_array_equal(answer.scores, NETWORK.outputs(rows))


def test_an_answer_that_is_too_large_is_refused(service: Service) -> None:
    """Many rows and many outputs are more than a caller means; it is told how many rows may be asked at once."""
    body = {"rows": [[1]] * 100_000, "snapshot_id": "wide"}
    assert service.problems("POST", "/v1/predict", body, 422) == [["rows"]]


def test_the_document_has_every_operation(service: Service) -> None:
    """The limits of rows stand in it."""
    document = service.http.get("/openapi.json").json()
    assert len(document["paths"]) == 6
    assert document["components"]["schemas"]["PredictRequest"]["properties"]["rows"]["maxItems"] == 100_000
