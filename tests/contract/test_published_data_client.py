"""The published client, unmodified, against the real service: its whole surface does what its documentation says."""

import hashlib
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from juniper_data_client import (
    JuniperDataClient,
    JuniperDataClientError,
    JuniperDataConfigurationError,
    JuniperDataConnectionError,
    JuniperDataContractError,
    JuniperDataNotFoundError,
    JuniperDataTimeoutError,
    JuniperDataValidationError,
    validate_npz_contract,
)

from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.memory import MemoryStore
from tests.serving import served

NOWHERE = "xor-1.0.0-0000000000000000"


@pytest.fixture
def client(data_service: str) -> Iterator[JuniperDataClient]:
    """The published client of the real service."""
    with JuniperDataClient(data_service) as client:
        assert client.wait_for_ready(timeout=30)
        yield client


def made(client: JuniperDataClient, *, seed: int | None = None, name: str | None = None) -> str:
    """Have a small dataset made, a new one where there is no seed; its id."""
    dataset_id: str = client.create_dataset("xor", {"seed": seed}, name=name)["dataset_id"]
    return dataset_id


def test_health(client: JuniperDataClient) -> None:
    """It is alive and ready."""
    assert client.health_check()["status"] == "ok"
    assert client.is_ready()


def test_generators_and_their_schemas(client: JuniperDataClient) -> None:
    """Each generator is told with its version, its description and the schema of its params."""
    generators = {generator["name"]: generator for generator in client.list_generators()}
    assert {"spiral", "xor"} <= set(generators)
    assert all({"name", "version", "description", "schema"} <= set(generator) for generator in generators.values())
    assert client.get_generator_schema("spiral") == generators["spiral"]["schema"]
    with pytest.raises(JuniperDataNotFoundError, match="nope"):
        client.get_generator_schema("nope")


def test_every_note_is_taken_and_kept(client: JuniperDataClient) -> None:
    """Every argument that it documents is in the meta, and the same request gives the same dataset."""
    parent = made(client)
    created = client.create_dataset(
        "spiral",
        {"n_points_per_spiral": 20, "seed": 7},
        persist=True,
        name="noted",
        description="a description",
        created_by="a test",
        parent_dataset_id=parent,
        tags=["a", "b"],
        ttl_seconds=3600,
    )
    meta = client.get_dataset_metadata(created["dataset_id"])
    assert created["meta"] == meta
    assert created["artifact_url"] == f"/v1/datasets/{created['dataset_id']}/artifact"
    assert (meta["dataset_name"], meta["dataset_version"], meta["description"]) == ("noted", 1, "a description")
    assert (meta["created_by"], meta["parent_dataset_id"]) == ("a test", parent)
    assert (meta["tags"], meta["ttl_seconds"]) == (["a", "b"], 3600)
    again = client.create_dataset("spiral", {"n_points_per_spiral": 20, "seed": 7})
    assert again["dataset_id"] == created["dataset_id"]


def test_what_is_not_kept_is_described(client: JuniperDataClient) -> None:
    """Without persist there is a meta, and no dataset."""
    created = client.create_dataset("xor", {"seed": 123_456}, persist=False)
    assert created["meta"]["n_samples"] == 200
    with pytest.raises(JuniperDataNotFoundError):
        client.get_dataset_metadata(created["dataset_id"])


def test_spirals_by_their_own_method(client: JuniperDataClient) -> None:
    """Its arguments, and those that it passes on, are the generator's."""
    created = client.create_spiral_dataset(
        n_spirals=3, n_points_per_spiral=20, noise=0.05, seed=3, algorithm="legacy_cascor", train_ratio=0.75, radius=5
    )
    params = created["meta"]["params"]
    assert (params["n_spirals"], params["n_points_per_spiral"], params["noise"]) == (3, 20, 0.05)
    assert (params["algorithm"], params["train_ratio"], params["radius"]) == ("legacy_cascor", 0.75, 5)
    assert created["meta"]["n_train"] == 45
    assert client.create_spiral_dataset()["meta"]["n_samples"] == 200


def test_artifact_keeps_the_contract(client: JuniperDataClient) -> None:
    """The bytes have the checksum, the arrays the shapes that the meta tells, and its own check finds nothing."""
    dataset_id = made(client, seed=5)
    meta = client.get_dataset_metadata(dataset_id)
    assert hashlib.sha256(client.download_artifact_bytes(dataset_id)).hexdigest() == meta["checksum"]
    arrays = client.download_artifact_npz(dataset_id)
    assert validate_npz_contract(arrays) == "tabular"
    assert arrays["X_train"].shape == (meta["n_train"], meta["n_features"])
    assert arrays["y_test"].shape == (meta["n_test"], meta["n_classes"])
    with pytest.raises(JuniperDataContractError):
        validate_npz_contract({**arrays, "X_train": arrays["X_train"].astype(np.float64)})


def test_preview(client: JuniperDataClient) -> None:
    """As many samples as were asked for."""
    preview = client.get_preview(made(client, seed=5), n=3)
    assert (preview["n_samples"], len(preview["X_sample"]), len(preview["y_sample"])) == (3, 3, 3)


def test_list_and_delete(client: JuniperDataClient) -> None:
    """A dataset is listed until it is deleted."""
    dataset_id = made(client)
    assert dataset_id in client.list_datasets(limit=1000)
    assert client.list_datasets(limit=1, offset=100_000) == []
    assert client.delete_dataset(dataset_id)
    assert dataset_id not in client.list_datasets(limit=1000)
    with pytest.raises(JuniperDataNotFoundError):
        client.delete_dataset(dataset_id)


def test_versions_of_a_name(client: JuniperDataClient) -> None:
    """Each new dataset of a name is its next version."""
    first, second = made(client, name="versioned"), made(client, name="versioned")
    told = client.list_versions("versioned")
    assert (told["dataset_name"], told["total"], told["latest_version"]) == ("versioned", 2, 2)
    assert [(meta["dataset_id"], meta["dataset_version"]) for meta in told["versions"]] == [(first, 1), (second, 2)]
    assert client.get_latest("versioned")["dataset_id"] == second
    assert client.list_versions("never given")["versions"] == []
    with pytest.raises(JuniperDataNotFoundError, match="never given"):
        client.get_latest("never given")


def test_batch_create(client: JuniperDataClient) -> None:
    """Each item is answered by itself."""
    answer = client.batch_create(
        [
            {"generator": "xor", "params": {"seed": 11}, "tags": ["batch"], "ttl_seconds": 60, "persist": True},
            {"generator": "nope", "params": {}},
            {"generator": "xor", "params": {"noise": -1}},
        ]
    )
    assert (answer["total_created"], answer["total_failed"]) == (1, 2)
    kept, unknown, refused = answer["results"]
    assert (kept["index"], kept["success"], kept["generator"]) == (0, True, "xor")
    assert kept["artifact_url"] == f"/v1/datasets/{kept['dataset_id']}/artifact"
    assert client.get_dataset_metadata(kept["dataset_id"])["tags"] == ["batch"]
    assert (unknown["success"], unknown["generator"], "nope" in unknown["error"]) == (False, "nope", True)
    assert (refused["success"], "params.noise" in refused["error"]) == (False, True)


def test_batch_tags_and_delete(client: JuniperDataClient) -> None:
    """What is not there is told apart from what was done."""
    one, two = made(client), made(client)
    tagged = client.batch_update_tags([one, two, NOWHERE], add_tags=["x", "y"])
    assert tagged["updated"] == [one, two]
    assert (tagged["not_found"], tagged["total_updated"]) == ([NOWHERE], 2)
    client.batch_update_tags([one], remove_tags=["x"])
    assert [client.get_dataset_metadata(each)["tags"] for each in (one, two)] == [["y"], ["x", "y"]]
    deleted = client.batch_delete([one, two, NOWHERE])
    assert deleted["deleted"] == [one, two]
    assert (deleted["not_found"], deleted["total_deleted"]) == ([NOWHERE], 2)


def test_batch_export(client: JuniperDataClient) -> None:
    """The zip holds the very artifacts, and tells what is missing."""
    one, two = made(client), made(client)
    with zipfile.ZipFile(io.BytesIO(client.batch_export([one, NOWHERE, two]))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{one}.npz", f"{two}.npz", "manifest.json"]
        assert archive.read(f"{one}.npz") == client.download_artifact_bytes(one)
        assert json.loads(archive.read("manifest.json"))["not_found"] == [NOWHERE]
    with pytest.raises(JuniperDataNotFoundError):
        client.batch_export([NOWHERE])


def test_refusals_are_its_errors(client: JuniperDataClient) -> None:
    """What the service refuses is told with the status and each field."""
    with pytest.raises(JuniperDataValidationError, match=r"params\.noise") as refused:
        client.create_dataset("spiral", {"noise": 3})
    assert (refused.value.status_code, refused.value.detail[0]["loc"]) == (400, ["params", "noise"])
    with pytest.raises(JuniperDataValidationError, match="datasets") as too_many:
        client.batch_create([{"generator": "xor", "params": {}}] * 51)
    assert (too_many.value.status_code, too_many.value.detail[0]["loc"]) == (422, ["datasets"])
    with pytest.raises(JuniperDataNotFoundError) as missing:
        client.get_preview(NOWHERE)
    assert missing.value.status_code == 404


def test_no_service_is_an_error_of_its_own() -> None:
    """Nobody there, nobody who answers, and no address at all."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with JuniperDataClient(address, retries=0, timeout=1) as client, pytest.raises(JuniperDataTimeoutError):
            client.create_dataset("xor", {})
    with JuniperDataClient(address, retries=0) as client:
        assert not client.is_ready()
        with pytest.raises(JuniperDataConnectionError):
            client.health_check()
    with pytest.raises(JuniperDataConfigurationError):
        JuniperDataClient("http://")


def test_its_key_opens_the_service(tmp_path: Path) -> None:
    """With keys set it comes in with one of them alone; its hook is told of each call."""
    settings = Settings.model_validate({"state_dir": tmp_path, "api_keys": "secret"})
    told: list[tuple[str, int | None]] = []
    with served(create_app(settings, Catalog(MemoryStore()))) as url:
        with JuniperDataClient(url, on_request=lambda method, _, status, *__: told.append((method, status))) as without:
            with pytest.raises(JuniperDataClientError, match="Missing API key") as refused:
                without.list_datasets()
            assert refused.value.status_code == 401
        with JuniperDataClient(url, api_key="secret") as client:
            assert client.list_datasets() == []
    assert told == [("GET", 401)]


def test_nothing_is_left_out() -> None:
    """Each public method of the client is called above; `close` by the end of each `with`."""
    source = Path(__file__).read_text(encoding="utf-8")
    methods = {name for name in vars(JuniperDataClient) if not name.startswith("_")} - {"close"}
    assert {name for name in methods if f".{name}(" not in source} == set()
