"""What the dataset service refuses, as its clients see it, of the real service and of the fake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from juniper_common.http import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    ServerError,
    UnreachableError,
)
from juniper_common.wire.dataset_queries import DatasetFilter
from juniper_data.client import ChecksumError, JuniperDataClient
from tests.contract.data_world import Connect, DataWorld, ServeData

NOWHERE = "xor-1.0.0-0123456789abcdef"


def test_wrong_fields_are_named(data_client: JuniperDataClient) -> None:
    """Each with what is wrong with it."""
    with pytest.raises(InvalidRequestError, match=r"params\.noise: Input should be less than or equal to 2") as refused:
        data_client.create_dataset("spiral", {"noise": 3, "n_spirals": 1})
    assert refused.value.status == 400
    assert isinstance(refused.value.detail, list)
    assert len(refused.value.detail) == 2


def test_an_unknown_generator_is_told_which_there_are(data_client: JuniperDataClient) -> None:
    """As something is wrong with the request, not as something that is not there."""
    with pytest.raises(InvalidRequestError, match="spiral") as refused:
        data_client.create_dataset("spirl")
    assert refused.value.status == 400


def test_a_cursor_of_nobody_is_refused(data_client: JuniperDataClient) -> None:
    """It is named."""
    with pytest.raises(InvalidRequestError, match="cursor"):
        data_client.filter_datasets(DatasetFilter(cursor="here"))


@pytest.mark.parametrize("dataset_id", [NOWHERE, "xor", "../health"])
def test_what_is_not_there(
    data_client: JuniperDataClient, dataset_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not found, whatever is asked of it; an id with slashes is no other address, and no file is left."""
    monkeypatch.chdir(tmp_path)
    calls: list[Callable[[], object]] = [
        lambda: data_client.get_dataset(dataset_id),
        lambda: data_client.profile(dataset_id),
        lambda: data_client.access(dataset_id),
        lambda: data_client.lineage(dataset_id),
        lambda: data_client.preview(dataset_id),
        lambda: data_client.change_tags(dataset_id, add=["a"]),
        lambda: data_client.delete_dataset(dataset_id),
        lambda: data_client.load(dataset_id),
        lambda: data_client.job(dataset_id),
        lambda: data_client.batch_export([dataset_id], Path("never")),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            call()
    assert list(tmp_path.iterdir()) == []


def test_no_schema_of_no_generator(data_client: JuniperDataClient) -> None:
    """Here the generator is what is not there."""
    with pytest.raises(NotFoundError, match="spirl"):
        data_client.get_generator_schema("spirl")


def test_without_a_key_nothing_is_answered(serve_data: ServeData, connect: Connect) -> None:
    """Whether none or a wrong one is shown; health is open."""
    world = serve_data(api_keys=["right"])
    for key in (None, "wrong"):
        client = connect(world, key)
        assert client.is_ready()
        with pytest.raises(AuthenticationError) as refused:
            client.stats()
        assert refused.value.status == 401
    assert connect(world, "right").stats().total_datasets == 0


def test_a_full_store_takes_no_more(serve_data: ServeData, connect: Connect) -> None:
    """What is there is still found."""
    client = connect(serve_data(max_datasets=1))
    client.create_dataset("xor")
    with pytest.raises(ServerError) as refused:
        client.create_dataset("spiral")
    assert refused.value.status == 507
    assert client.create_dataset("xor").meta.generator == "xor"


def test_a_damaged_artifact_is_never_served(
    data_world: DataWorld, data_client: JuniperDataClient, tmp_path: Path
) -> None:
    """It is said to be damaged, and no file appears."""
    dataset_id = data_client.create_dataset("xor").dataset_id
    data_world.damage(dataset_id)
    for call in (
        lambda: data_client.download_artifact(dataset_id, tmp_path / "data.npz"),
        lambda: data_client.load(dataset_id),
        lambda: data_client.preview(dataset_id),
    ):
        with pytest.raises(ServerError, match="damaged") as refused:
            call()
        assert refused.value.status == 500
    assert list(tmp_path.iterdir()) == []


def test_something_else_than_was_expected_is_not_kept(data_client: JuniperDataClient, tmp_path: Path) -> None:
    """An artifact with another checksum leaves no file."""
    dataset_id = data_client.create_dataset("xor").dataset_id
    with pytest.raises(ChecksumError):
        data_client.download_artifact(dataset_id, tmp_path / "data.npz", checksum="0" * 64)
    with pytest.raises(ChecksumError):
        data_client.load(dataset_id, checksum="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_nobody_answers(data_world: DataWorld, data_client: JuniperDataClient, tmp_path: Path) -> None:
    """It is another error than any that the service tells."""
    data_client.stats()
    data_world.go()
    with pytest.raises(UnreachableError):
        data_client.stats()
    with pytest.raises(UnreachableError):
        data_client.download_artifact(NOWHERE, tmp_path / "data.npz")
    assert not data_client.is_ready()
    assert list(tmp_path.iterdir()) == []
