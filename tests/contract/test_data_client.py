"""The clients of the dataset service against the real service."""

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from juniper_common.http import InvalidRequestError, NotFoundError
from juniper_data.client import AsyncJuniperDataClient, ChecksumError, JuniperDataClient


@pytest.fixture
def client(data_service: str) -> Iterator[JuniperDataClient]:
    """A client of the real service."""
    with JuniperDataClient(data_service) as client:
        client.wait_for_ready(5)
        yield client


def test_create_get_and_list(client: JuniperDataClient) -> None:
    """A created dataset is found by its id, and is created once."""
    created = client.create_dataset("spiral", {"n_points": 50, "seed": 7}, tags=["a"], name="mine", created_by="test")
    assert client.get_dataset(created.dataset_id) == created.meta
    assert (created.meta.tags, created.meta.dataset_name) == (("a",), "mine")
    assert client.create_dataset("spiral", {"n_points": 50, "seed": 7}).dataset_id == created.dataset_id
    assert created.dataset_id in client.list_datasets()
    assert client.list_datasets(limit=1, offset=1000) == []


def test_generators_and_schemas(client: JuniperDataClient) -> None:
    """The client reads the list and each schema."""
    generators = {generator.name: generator for generator in client.list_generators()}
    assert set(generators) == {"cmu_spirals", "spiral", "xor"}
    assert client.get_generator_schema("xor") == generators["xor"].parameter_schema


def test_download_puts_a_verified_npz(client: JuniperDataClient, tmp_path: Path) -> None:
    """The file that appears is the artifact, and nothing else lies beside it."""
    meta = client.create_dataset("cmu_spirals").meta
    path = tmp_path / "data.npz"
    assert client.download_artifact(meta.dataset_id, path, checksum=meta.checksum) == meta.checksum
    assert client.download_artifact(meta.dataset_id, path) == meta.checksum
    assert hashlib.sha256(path.read_bytes()).hexdigest() == meta.checksum
    assert list(tmp_path.iterdir()) == [path]
    with np.load(path, allow_pickle=False) as arrays:
        assert (arrays["X_train"].shape, arrays["X_test"].shape) == ((194, 2), (0, 2))


def test_download_of_something_else_keeps_nothing(client: JuniperDataClient, tmp_path: Path) -> None:
    """An artifact that is not the expected one leaves no file."""
    dataset_id = client.create_dataset("xor").dataset_id
    with pytest.raises(ChecksumError):
        client.download_artifact(dataset_id, tmp_path / "data.npz", checksum="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_preview_and_delete(client: JuniperDataClient) -> None:
    """A dataset shows its first samples until it is deleted."""
    dataset_id = client.create_dataset("xor", {"seed": None}).dataset_id
    assert client.preview(dataset_id, 2).n_samples == 2
    client.delete_dataset(dataset_id)
    with pytest.raises(NotFoundError):
        client.preview(dataset_id)


def test_refusals_name_the_fields(client: JuniperDataClient) -> None:
    """The service's reasons reach the caller."""
    with pytest.raises(InvalidRequestError, match=r"params\.noise: Input should be less than or equal to 2"):
        client.create_dataset("spiral", {"noise": 3})
    with pytest.raises(InvalidRequestError, match="cmu_spirals, spiral, xor"):
        client.create_dataset("spirl")


def test_ids_do_not_leave_their_path(client: JuniperDataClient) -> None:
    """An id with slashes asks for no other address."""
    with pytest.raises(NotFoundError):
        client.get_dataset("../health")


def test_async_client_does_the_same(data_service: str, tmp_path: Path) -> None:
    """Each call works on an event loop too."""

    async def use() -> None:
        async with AsyncJuniperDataClient(data_service) as client:
            await client.wait_for_ready(5)
            assert len(await client.list_generators()) == 3
            assert "margin" in str(await client.get_generator_schema("xor"))
            created = await client.create_dataset("xor", {"seed": 99}, description="d")
            assert await client.get_dataset(created.dataset_id) == created.meta
            assert created.dataset_id in await client.list_datasets()
            assert (await client.preview(created.dataset_id, 1)).n_samples == 1
            path = tmp_path / "data.npz"
            checksum = await client.download_artifact(created.dataset_id, path, checksum=created.meta.checksum)
            assert checksum == hashlib.sha256(path.read_bytes()).hexdigest()
            await client.delete_dataset(created.dataset_id)
            with pytest.raises(NotFoundError):
                await client.get_dataset(created.dataset_id)

    asyncio.run(use())
