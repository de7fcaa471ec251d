"""Bad input gets a clear error and changes nothing."""

from pathlib import Path

import pytest

from tests.integration.conftest import CMU, Cascor, running

SPIRAL = {"generator": "spiral", "params": {"noise": -1, "n_points_per_spiral": 5}}
X = [[0, 0], [0, 1], [1, 0], [1, 1]]
Y = [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"dataset": {"generator": "nonsense"}}, 400, "dataset.generator"),
        ({"dataset": SPIRAL}, 400, "dataset.params.noise"),
        ({"dataset": {"generator": "spiral", "params": {"n_arms": 3}}}, 400, "dataset.params.n_arms"),
        ({"dataset": {"generator": "xor", "dataset_id": "xor-1.0.0-0123456789abcdef"}}, 404, None),
        ({"dataset": {"source": "generator"}}, 422, "dataset"),
        ({"dataset": {"dataset_id": ""}}, 422, "dataset.dataset_id"),
        ({"dataset": {"dataset_id": "../health"}}, 422, "dataset.dataset_id"),
        ({"dataset": {"source": "inline"}}, 422, "inline_data"),
        ({"dataset": {"source": "carrier pigeon"}}, 422, "dataset.source"),
        ({"dataset": CMU, "inline_data": {"train_x": X, "train_y": Y}}, 422, "inline_data"),
        ({"params": {"candidate_pool_size": 0}}, 422, "params.candidate_pool_size"),
        ({"params": {"pace": -3}}, 422, "params.pace"),
        ({"params": {"seed": -1}}, 422, "params.seed"),
        ({"params": {"color": "red"}}, 422, "params.color"),
        ({"params": {"optimizer_type": "prayer"}}, 422, "params.optimizer_type"),
        ({"epochs": 0}, 422, "epochs"),
        ({"inline_data": {"train_x": X, "train_y": [0, 0, 0, 0]}}, 422, "inline_data.train_y"),
        ({"inline_data": {"train_x": X, "train_y": [0, 1, 2, 0]}}, 422, "inline_data.train_y.2.0"),
        ({"inline_data": {"train_x": X, "train_y": [0, 1]}}, 422, "inline_data.train_y"),
        ({"inline_data": {"train_x": [], "train_y": []}}, 422, "inline_data.train_x"),
        ({"inline_data": {"train_x": [[1], [1, 2]], "train_y": [0, 1]}}, 422, "inline_data.train_x"),
        ({"inline_data": {"train_x": [[1e300], [0]], "train_y": [0, 1]}}, 422, "inline_data.train_x.0.0"),
        ({"inline_data": {"train_x": X, "train_y": Y, "val_x": X}}, 422, "inline_data.val_y"),
        ({"inline_data": {"train_x": X, "train_y": Y, "val_x": [[1]], "val_y": [1]}}, 422, "inline_data.val_x"),
    ],
)
def test_a_start_that_cannot_be(cascor: Cascor, body: dict[str, object], status: int, field: str | None) -> None:
    """Each is refused with the field named, and no run is recorded."""
    before = cascor.http.get("/v1/runs").json()["data"]
    response = cascor.http.post("/v1/training/start", json=body)
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["message"]
    if field is not None:
        assert field in [".".join(map(str, problem["loc"])) for problem in error["detail"]]
    assert cascor.http.get("/v1/runs").json()["data"] == before
    assert cascor.status().state_machine.status == "STOPPED"
    assert not cascor.status().network_loaded


def test_a_network_too_large_to_show(cascor: Cascor) -> None:
    """A topology of a billion weights would end the service."""
    response = cascor.http.post("/v1/network", json={"input_size": 100_000, "output_size": 10_000})
    assert response.status_code == 422
    assert "more than 1000000 weights" in response.json()["error"]["message"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_named_by_row_and_column(cascor: Cascor, number: str) -> None:
    """NaN and infinities do not reach the training."""
    body = '{"inline_data": {"train_x": [[0, 1], [1, NUMBER], [2, 2]], "train_y": [0, 1, 1]}}'.replace("NUMBER", number)
    response = cascor.http.post("/v1/training/start", content=body)
    assert response.status_code == 422
    (problem,) = response.json()["error"]["detail"]
    assert problem["loc"] == ["inline_data", "train_x", 1, 1]


def test_a_body_that_is_no_json(cascor: Cascor) -> None:
    """The parser's complaint comes back, not a traceback."""
    response = cascor.http.post("/v1/training/start", content=b"{")
    assert response.status_code == 422
    assert "Invalid JSON" in response.json()["error"]["message"]


def test_a_start_while_training(cascor: Cascor) -> None:
    """The second start is refused, and the first run goes on."""
    run_id = cascor.start(seed=1, pace=20)
    response = cascor.http.post("/v1/training/start", json={"dataset": CMU})
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "cannot start: training is STARTED"
    assert cascor.http.post("/v1/network", json={}).status_code == 409
    assert cascor.http.delete("/v1/network").status_code == 409
    assert cascor.http.post("/v1/training/resume").status_code == 409
    assert cascor.http.post("/v1/training/reset").status_code == 409
    assert cascor.status().run_id == run_id
    assert cascor.status().training_active


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_commands_without_a_run(cascor: Cascor, command: str) -> None:
    """There is nothing to pause, resume or stop."""
    assert cascor.http.post(f"/v1/training/{command}").status_code == 409


@pytest.mark.parametrize(
    "path", ["/v1/network", "/v1/network/topology", "/v1/metrics", "/v1/dataset", "/v1/decision-boundary", "/v1/runs/x"]
)
def test_what_is_not_there(cascor: Cascor, path: str) -> None:
    """404 with the reason, in the envelope."""
    response = cascor.http.get(path)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"


def test_data_of_another_shape_than_the_network(cascor: Cascor) -> None:
    """The error says what each has, and what to do."""
    cascor.http.post("/v1/network", json={"input_size": 3})
    response = cascor.http.post("/v1/training/start", json={"dataset": CMU})
    assert response.status_code == 422
    assert "start_fresh" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "field"), [("resolution=4", "resolution"), ("resolution=201", "resolution"), ("x_feature=2", "x_feature")]
)
def test_a_boundary_that_cannot_be(cascor: Cascor, query: str, field: str) -> None:
    """Resolution and features have bounds."""
    cascor.start(seed=1, pace=20)
    response = cascor.http.get(f"/v1/decision-boundary?{query}")
    assert response.status_code == 422
    assert response.json()["error"]["detail"][0]["loc"] == [field]


def test_a_worker_that_is_not_there(cascor: Cascor) -> None:
    """The parameter of the path is named."""
    response = cascor.http.get("/v1/workers/nobody")
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["detail"][0]["loc"] == ["worker_id"]
    assert "detail" not in response.json()


def test_rows_have_a_limit_of_their_own(tmp_path: Path) -> None:
    """They may be larger than another body, and not without end."""
    with running(tmp_path, max_body_bytes=1_000, max_inline_bytes=2_000) as small:
        rows = b'{"rows": [[' + b"1" * 1_200 + b"]]}"
        assert small.http.post("/v1/predict", content=rows).status_code != 413
        for path, size in (("/v1/network", 1_001), ("/v1/predict", 2_001), ("/v1/runs", 2_001)):
            response = small.http.post(path, content=b" " * size)
            assert response.status_code == 413
            assert response.json()["error"]["detail"][0]["loc"] == ["body"]
