"""Who wrote what, as the log tells it."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from tests.log_context import told_by

XOR = {"generator": "xor", "params": {"n_points_per_quadrant": 5, "seed": 1}}
Connect = Callable[..., TestClient]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """A client of a service with these settings."""

    def make(**settings: object) -> TestClient:
        known = Settings.model_validate({"state_dir": tmp_path, **settings})
        app = create_app(known, Catalog(MemoryStore()))
        return TestClient(app, base_url="http://127.0.0.1", client=("192.0.2.7", 5))

    return make


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines so far, each taken once."""
    caplog.set_level(logging.INFO)

    def take() -> list[str]:
        lines = [record.getMessage() for record in caplog.records if record.name == "juniper_data.audit"]
        caplog.clear()
        return lines

    return take


def test_each_write_is_one_line(connect: Connect, told: Callable[[], list[str]]) -> None:
    """What was done to which dataset, by whom, from where, and what came of it."""
    http = connect()
    dataset_id = http.post("/v1/datasets", json=XOR).json()["dataset_id"]
    http.post("/v1/datasets", json=XOR)
    http.delete(f"/v1/datasets/{dataset_id}")
    http.delete(f"/v1/datasets/{dataset_id}")
    who = "who=anonymous from=192.0.2.7"
    assert told() == [
        f"create_dataset status=201 datasets={dataset_id} source=xor {who}",
        f"create_dataset status=200 datasets={dataset_id} source=xor {who}",
        f"delete_dataset status=204 datasets={dataset_id} source=- {who}",
        f"delete_dataset status=404 datasets={dataset_id} source=- {who}",
    ]


def test_reads_are_no_writes(connect: Connect, told: Callable[[], list[str]]) -> None:
    """Of them there would be too many lines."""
    http = connect()
    http.get("/v1/datasets")
    http.get("/v1/datasets/xor-1.0.0-0123456789abcdef/artifact")
    assert told() == []


def test_key_is_told_by_its_checksum(
    connect: Connect, told: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """Who holds it can be found; who reads the log cannot use it."""
    http = connect(api_keys=("secret-1", "secret-2"))
    caplog.set_level(logging.DEBUG)
    http.post("/v1/datasets", json=XOR, headers={"X-API-Key": "secret-2"})
    assert "secret" not in caplog.text
    (line,) = told()
    assert f"who=key:{hashlib.sha256(b'secret-2').hexdigest()[:8]} " in line


@pytest.mark.parametrize("key", [{}, {"X-API-Key": "wrong"}])
def test_who_is_refused_for_its_key_is_told_too(
    connect: Connect, told: Callable[[], list[str]], key: dict[str, str]
) -> None:
    """As anybody: the key it shows is none."""
    connect(api_keys=("secret",)).post("/v1/datasets", json=XOR, headers=key)
    assert told() == ["POST:/v1/datasets status=401 datasets=- source=- who=anonymous from=192.0.2.7"]


def test_body_that_is_refused_is_told_too(connect: Connect, told: Callable[[], list[str]]) -> None:
    """Somebody tried."""
    connect().post("/v1/datasets", content=b"{")
    (line,) = told()
    assert line.startswith("create_dataset status=422 ")


@pytest.mark.parametrize("name", ["x\ny", "x status=201 who=key:0", "x\u2028y", "x" * 64])
def test_line_cannot_be_forged(connect: Connect, told: Callable[[], list[str]], name: str) -> None:
    """A name that a caller chose neither ends the line nor passes for a field."""
    connect().post("/v1/datasets", json={"generator": name})
    (line,) = told()
    assert line.isascii()
    assert len(line.split()) == 6
    assert "\n" not in line


def test_path_that_is_none_of_the_services_is_quoted(connect: Connect, told: Callable[[], list[str]]) -> None:
    """A decoded line break in it too."""
    connect().post("/v1/datasets/a%0Ab%20c")
    (line,) = told()
    assert line.startswith("POST:/v1/datasets/a%0Ab%20c status=40")


def test_a_line_belongs_to_its_dataset(connect: Connect) -> None:
    """One that is only being made, too; the next request on the same connection does not belong to it."""
    with told_by("juniper_data.audit") as told:
        http = connect()
        dataset_id = http.post("/v1/datasets", json=XOR).json()["dataset_id"]
        http.delete(f"/v1/datasets/{dataset_id}")
        http.post("/v1/datasets", json={"generator": "none"})
    assert [line.dataset for line in told] == [dataset_id, dataset_id, None]
