"""The clients of the dataset service, against the real service and the fake: both do the same in every call."""

import hashlib
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Unpack

import numpy as np
import pytest
from pydantic import JsonValue

from juniper_common.http import InvalidRequestError, NotFoundError
from juniper_common.wire.dataset_queries import DatasetFilter, ExportManifest
from juniper_common.wire.datasets import CreateDatasetRequest, CreateDatasetResponse, DatasetJob
from juniper_common.wire.profiles import Constraints
from juniper_data.client import JuniperDataClient, Notes
from tests.contract.data_world import NOON, Connect, DataWorld, ServeData
from tests.unit.juniper_data.gated_generator import Gate

SPIRAL: dict[str, JsonValue] = {"n_points": 50, "seed": 7}
NOWHERE = "xor-1.0.0-0123456789abcdef"


def _xor(client: JuniperDataClient, seed: int = 1, **notes: Unpack[Notes]) -> str:
    return client.create_dataset("xor", {"seed": seed}, **notes).dataset_id


def test_it_is_ready(data_client: JuniperDataClient) -> None:
    """It says so, and whoever waits for it goes on."""
    assert data_client.is_ready()
    data_client.wait_for_ready(1)


def test_it_tells_of_itself(data_client: JuniperDataClient) -> None:
    """How it is, what it uses, and the last of its log."""
    assert data_client.readiness().status == "ready"
    assert data_client.host().service == "juniper-data"
    page = data_client.logs(0, level="WARNING", limit=3)
    assert len(page.records) <= 3
    assert data_client.logs().next_since >= page.next_since


def test_generators_and_their_schemas(data_client: JuniperDataClient) -> None:
    """The list has each schema too."""
    generators = {generator.name: generator for generator in data_client.list_generators()}
    assert {"cmu_spirals", "csv_import", "spiral", "xor"} <= generators.keys()
    assert data_client.get_generator_schema("xor") == generators["xor"].parameter_schema


def test_a_dataset_is_made_once(data_client: JuniperDataClient) -> None:
    """It is found by its id, in the list, and by the same request."""
    created = data_client.create_dataset("spiral", SPIRAL, tags=["a"], name="mine", created_by="test", description="d")
    meta = data_client.get_dataset(created.dataset_id)
    assert meta == created.meta
    assert (meta.tags, meta.dataset_name, meta.created_by, meta.description) == (("a",), "mine", "test", "d")
    assert data_client.create_dataset("spiral", SPIRAL).meta == meta
    assert data_client.list_datasets() == [created.dataset_id]
    assert data_client.list_datasets(limit=1, offset=1) == []


def test_a_dataset_need_not_be_kept(data_client: JuniperDataClient) -> None:
    """It is described, and then gone."""
    created = data_client.create_dataset("spiral", SPIRAL, persist=False)
    assert (created.meta.n_samples, created.artifact_url) == (100, None)
    assert data_client.list_datasets() == []


def test_without_a_seed_each_request_is_another_dataset(data_client: JuniperDataClient) -> None:
    """But for those with the same key, which are one."""
    one, two = (data_client.create_dataset("xor", {"seed": None}).dataset_id for _ in range(2))
    three, four = (data_client.create_dataset("xor", {"seed": None}, idempotency_key="k").dataset_id for _ in range(2))
    assert len({one, two, three}) == 3
    assert three == four


def test_a_key_stands_for_one_request(data_client: JuniperDataClient) -> None:
    """Another one with it is refused."""
    data_client.create_dataset("xor", {"seed": None}, idempotency_key="k")
    with pytest.raises(InvalidRequestError, match="another request") as refused:
        data_client.create_dataset("spiral", {"seed": None}, idempotency_key="k")
    assert refused.value.status == 422


def test_data_that_is_not_as_demanded_is_not_kept(data_client: JuniperDataClient) -> None:
    """The constraint is named; where it holds, it is as if there was none."""
    with pytest.raises(InvalidRequestError, match=r"constraints\.min_samples") as refused:
        data_client.create_dataset("spiral", SPIRAL, constraints=Constraints(min_samples=101))
    assert refused.value.status == 400
    assert data_client.list_datasets() == []
    data_client.create_dataset("spiral", SPIRAL, constraints=Constraints(min_samples=100, min_class_share=0.5))
    assert len(data_client.list_datasets()) == 1


def test_a_job_is_told_and_waited_for(serve_data: ServeData, connect: Connect) -> None:
    """To whoever does not wait; what is there already needs none."""
    gate = Gate()
    client = connect(serve_data(generators={"gated": gate.generator()}))
    job = client.create_dataset("gated", wait=False)
    assert isinstance(job, DatasetJob)
    assert client.job(job.job_id).status == "running"
    with pytest.raises(TimeoutError):
        client.wait_for(job, timeout_s=0.1)
    gate.opens.set()
    made = client.wait_for(job, timeout_s=30)
    assert (made.dataset_id, made.meta.n_samples) == (job.dataset_id, 10)
    assert client.job(job.job_id).status == "succeeded"
    assert isinstance(client.create_dataset("gated", wait=False), CreateDatasetResponse)


def test_a_job_fails_as_the_call_would(serve_data: ServeData, connect: Connect) -> None:
    """With the same error."""
    gate = Gate()
    client = connect(serve_data(generators={"gated": gate.generator()}))
    job = client.create_dataset("gated", constraints=Constraints(min_samples=11), wait=False)
    assert isinstance(job, DatasetJob)
    gate.opens.set()
    with pytest.raises(InvalidRequestError, match=r"constraints\.min_samples"):
        client.wait_for(job, timeout_s=30)


def test_whoever_waits_does_not_see_the_job(serve_data: ServeData, connect: Connect) -> None:
    """Of a service that makes nobody wait."""
    client = connect(serve_data(wait_s=0.0))
    assert client.create_dataset("spiral", SPIRAL).meta.n_samples == 100


def test_what_has_expired_is_found_only_where_asked_for(data_world: DataWorld, data_client: JuniperDataClient) -> None:
    """It is there until it is cleaned up."""
    kept = data_client.create_dataset("xor").dataset_id
    meta = data_client.create_dataset("spiral", SPIRAL, ttl_seconds=60).meta
    assert (meta.created_at, meta.expires_at) == (NOON, NOON + timedelta(seconds=60))
    data_world.advance(timedelta(seconds=60))
    assert [found.dataset_id for found in data_client.filter_datasets().datasets] == [kept]
    assert data_client.filter_datasets(DatasetFilter(include_expired=True)).total == 2
    assert data_client.stats().expired_count == 1
    assert data_client.cleanup_expired().deleted == (meta.dataset_id,)
    assert data_client.list_datasets() == [kept]


def test_a_name_has_versions(data_client: JuniperDataClient) -> None:
    """A dataset more is a version more; the newest is the latest."""
    first, second = (data_client.create_dataset("xor", {"seed": seed}, name="x").meta for seed in (1, 2))
    assert (first.dataset_version, second.dataset_version) == (1, 2)
    versions = data_client.versions("x")
    assert [meta.dataset_id for meta in versions.versions] == [first.dataset_id, second.dataset_id]
    assert (versions.total, versions.latest_version) == (2, 2)
    assert data_client.latest("x").dataset_id == second.dataset_id
    found = data_client.filter_datasets(DatasetFilter(dataset_name="x", dataset_version=1))
    assert [meta.dataset_id for meta in found.datasets] == [first.dataset_id]
    assert data_client.versions("y").versions == ()
    with pytest.raises(NotFoundError):
        data_client.latest("y")


def test_datasets_are_found_by_what_is_said_of_them(data_world: DataWorld, data_client: JuniperDataClient) -> None:
    """All that is given must hold."""
    old = _xor(data_client, 1, tags=["a"])
    data_world.advance(timedelta(hours=1))
    new = _xor(data_client, 2, tags=["a", "b"])
    spiral = data_client.create_dataset("spiral", SPIRAL).dataset_id

    def found(query: DatasetFilter) -> set[str]:
        return {meta.dataset_id for meta in data_client.filter_datasets(query).datasets}

    assert found(DatasetFilter(generator="xor")) == {old, new}
    assert found(DatasetFilter(tags="a,b")) == {old, new}
    assert found(DatasetFilter(tags="a,b", tags_match="all")) == {new}
    assert found(DatasetFilter(created_after=NOON + timedelta(minutes=1), generator="xor")) == {new}
    assert found(DatasetFilter(created_before=NOON + timedelta(minutes=1))) == {old}
    assert found(DatasetFilter(min_samples=1, max_samples=100)) == {spiral}


def test_pages_are_fetched_as_they_are_wanted(data_world: DataWorld, data_client: JuniperDataClient) -> None:
    """Each once, newest first."""
    made = []
    for seed in range(5):
        made.append(_xor(data_client, seed))
        data_world.advance(timedelta(seconds=1))
    page = data_client.filter_datasets(DatasetFilter(limit=2))
    assert ([meta.dataset_id for meta in page.datasets], page.total) == ([made[4], made[3]], 5)
    assert page.next_cursor
    metas = data_client.iterate_datasets(DatasetFilter(limit=2))
    assert [meta.dataset_id for meta in metas] == made[::-1]


def test_the_store_in_figures(data_client: JuniperDataClient) -> None:
    """By generator and by tag."""
    metas = [
        data_client.create_dataset("spiral", SPIRAL, tags=["a"]).meta,
        data_client.create_dataset("xor", tags=["a", "b"]).meta,
    ]
    stats = data_client.stats()
    assert (stats.total_datasets, stats.by_generator) == (2, {"spiral": 1, "xor": 1})
    assert stats.by_tag == {"a": 2, "b": 1}
    assert stats.total_samples == sum(meta.n_samples for meta in metas)
    assert stats.total_bytes == sum(meta.size_bytes for meta in metas)


def test_what_the_data_is_like(data_client: JuniperDataClient) -> None:
    """In the meta, and by itself."""
    meta = data_client.create_dataset("spiral", SPIRAL).meta
    profile = data_client.profile(meta.dataset_id)
    assert profile == meta.profile
    assert (len(profile.features), profile.class_balance) == (2, {"0": 0.5, "1": 0.5})


def test_readings_are_counted(data_client: JuniperDataClient, tmp_path: Path) -> None:
    """A download, a load and a preview are one each; a look at the meta is none."""
    dataset_id = _xor(data_client)
    assert data_client.access(dataset_id).access_count == 0
    data_client.download_artifact(dataset_id, tmp_path / "x.npz")
    data_client.load(dataset_id)
    data_client.preview(dataset_id)
    access = data_client.access(dataset_id)
    assert (access.access_count, access.last_accessed_at) == (3, NOON)


def test_where_a_dataset_comes_from(data_client: JuniperDataClient) -> None:
    """Both ways."""
    parent = _xor(data_client, 1)
    child = _xor(data_client, 2, parent_dataset_id=parent)
    assert data_client.lineage(parent).children == (child,)
    assert data_client.lineage(child).ancestors == (parent,)


def test_a_preview_is_the_beginning(data_client: JuniperDataClient) -> None:
    """Of the whole set."""
    dataset_id = _xor(data_client)
    preview = data_client.preview(dataset_id, 3)
    arrays = data_client.load(dataset_id)
    assert preview.n_samples == 3
    assert np.array_equal(np.array(preview.X_sample, np.float32), arrays["X_full"][:3])
    assert np.array_equal(np.array(preview.y_sample, np.float32), arrays["y_full"][:3])


def test_a_preview_can_be_of_all_of_the_set(data_client: JuniperDataClient) -> None:
    """Evenly of each class."""
    dataset_id = data_client.create_dataset("spiral", {**SPIRAL, "shuffle": False}).dataset_id
    assert np.sum(data_client.preview(dataset_id, 10, spread=True).y_sample, axis=0).tolist() == [5, 5]


def test_a_generator_is_previewed(data_client: JuniperDataClient) -> None:
    """As what it makes, which is not kept."""
    preview = data_client.preview_generator("spiral", SPIRAL, n=10)
    assert (preview.n_samples, len(preview.X_sample), preview.params["seed"]) == (100, 10, 7)
    assert data_client.list_datasets() == []
    made = data_client.create_dataset("spiral", SPIRAL).meta
    assert (preview.profile, preview.class_distribution) == (made.profile, made.class_distribution)
    with pytest.raises(InvalidRequestError, match=r"params\.noise"):
        data_client.preview_generator("spiral", {"noise": 3})
    with pytest.raises(NotFoundError):
        data_client.preview_generator("spirl")


def test_tags_come_and_go(data_client: JuniperDataClient) -> None:
    """First they go."""
    dataset_id = _xor(data_client, tags=["a", "b"])
    assert data_client.change_tags(dataset_id, add=["c"], remove=["a"]).tags == ("b", "c")
    other = _xor(data_client, 2)
    changed = data_client.batch_tags([dataset_id, other, NOWHERE], add=["d"], remove=["b"])
    assert (changed.updated, changed.not_found) == ((dataset_id, other), (NOWHERE,))
    assert (data_client.get_dataset(dataset_id).tags, data_client.get_dataset(other).tags) == (("c", "d"), ("d",))


def test_datasets_are_deleted(data_client: JuniperDataClient) -> None:
    """One, or several at once."""
    one, two, three = (_xor(data_client, seed) for seed in range(3))
    data_client.delete_dataset(one)
    deleted = data_client.batch_delete([one, two, three])
    assert (deleted.deleted, deleted.not_found, deleted.total_deleted) == ((two, three), (one,), 2)
    assert data_client.list_datasets() == []


def test_one_bad_request_does_not_fail_the_others(data_client: JuniperDataClient) -> None:
    """Each is answered by itself."""
    requests = [
        CreateDatasetRequest(generator="xor"),
        CreateDatasetRequest(generator="spirl"),
        CreateDatasetRequest(generator="spiral", params={"noise": 3}),
    ]
    created = data_client.batch_create(requests)
    assert [item.success for item in created.results] == [True, False, False]
    assert (created.total_created, created.total_failed) == (1, 2)
    assert [problem.path for problem in created.results[2].problems] == ["params.noise"]
    assert data_client.list_datasets() == [created.results[0].dataset_id]


def test_a_batch_with_a_key_is_one_request(data_client: JuniperDataClient) -> None:
    """Asked for again it makes nothing, whatever seeds were drawn."""
    requests = [CreateDatasetRequest(generator="xor", params={"seed": None})] * 2
    first, again = (data_client.batch_create(requests, idempotency_key="k") for _ in range(2))
    assert (first.total_created, first.total_existing, again.total_existing) == (2, 0, 2)
    assert [item.dataset_id for item in first.results] == [item.dataset_id for item in again.results]
    assert len(data_client.list_datasets()) == 2


def test_an_export_is_a_zip(data_client: JuniperDataClient, tmp_path: Path) -> None:
    """Of each NPZ that is there, and of what is said of them."""
    metas = [data_client.get_dataset(_xor(data_client, seed)) for seed in (1, 2)]
    path = tmp_path / "export.zip"
    data_client.batch_export([*(meta.dataset_id for meta in metas), NOWHERE], path)
    with zipfile.ZipFile(path) as archive:
        manifest = ExportManifest.model_validate_json(archive.read("manifest.json"))
        for meta in metas:
            assert hashlib.sha256(archive.read(f"{meta.dataset_id}.npz")).hexdigest() == meta.checksum
    assert {meta.dataset_id for meta in manifest.datasets} == {meta.dataset_id for meta in metas}
    assert manifest.not_found == (NOWHERE,)
    assert list(tmp_path.iterdir()) == [path]


def test_a_download_is_a_verified_npz(data_client: JuniperDataClient, tmp_path: Path) -> None:
    """The file that appears is the artifact, and nothing else lies beside it."""
    meta = data_client.create_dataset("cmu_spirals").meta
    path = tmp_path / "data.npz"
    assert data_client.download_artifact(meta.dataset_id, path, checksum=meta.checksum) == meta.checksum
    assert data_client.download_artifact(meta.dataset_id, path) == meta.checksum
    assert hashlib.sha256(path.read_bytes()).hexdigest() == meta.checksum
    assert list(tmp_path.iterdir()) == [path]


def test_a_dataset_is_loaded_without_a_file(data_client: JuniperDataClient) -> None:
    """As arrays in memory, each split under its name."""
    meta = data_client.create_dataset("spiral", {**SPIRAL, "test_ratio": 0.1, "val_ratio": 0.1}).meta
    arrays = data_client.load(meta.dataset_id, checksum=meta.checksum)
    assert {name: array.shape for name, array in arrays.items()} == {
        "X_train": (80, 2),
        "y_train": (80, 2),
        "X_test": (10, 2),
        "y_test": (10, 2),
        "X_val": (10, 2),
        "y_val": (10, 2),
        "X_full": (100, 2),
        "y_full": (100, 2),
    }
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
