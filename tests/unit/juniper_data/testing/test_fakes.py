"""What a test can do to the service behind a fake, and what the fake leaves behind: nothing."""

import asyncio
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import stamina

from juniper_common.http import InvalidRequestError, NotFoundError, RateLimitedError, ServerError, UnreachableError
from juniper_data.errors import DatasetNotFoundError
from juniper_data.testing import AsyncFakeDataClient, FakeDataClient, FakeDataService
from tests.unit.juniper_data.stores.made import NOON


def test_the_next_calls_fail_as_told() -> None:
    """So many, and then all is as before; nothing was done of what they asked."""
    with FakeDataClient() as fake:
        fake.fail_next(2, 500)
        fake.fail_next(status=429)
        for kind in (ServerError, ServerError, RateLimitedError):
            with pytest.raises(kind, match="told to fail"):
                fake.create_dataset("xor")
        assert fake.list_datasets() == []


def test_retries_can_be_tried() -> None:
    """A client with several attempts gets over failures as the real one does."""
    with stamina.set_testing(True, attempts=3, cap=True), FakeDataClient(attempts=3) as fake:
        fake.fail_next(2)
        assert fake.stats().total_datasets == 0


def test_a_fake_can_be_out_of_reach() -> None:
    """And come back with all that it had."""
    with FakeDataClient() as fake:
        dataset_id = fake.create_dataset("xor").dataset_id
        fake.is_reachable = False
        with pytest.raises(UnreachableError, match=r"http://data\.test"):
            fake.get_dataset(dataset_id)
        assert not fake.is_ready()
        fake.is_reachable = True
        assert fake.get_dataset(dataset_id).dataset_id == dataset_id


def test_time_stands_until_it_is_let_pass() -> None:
    """So that what expires does so when a test wants it to."""
    with FakeDataService(now=NOON) as service, FakeDataClient(service=service) as fake:
        assert fake.create_dataset("xor", ttl_seconds=60).meta.created_at == NOON
        assert fake.cleanup_expired().total_deleted == 0
        fake.advance(timedelta(minutes=1))
        assert fake.cleanup_expired().total_deleted == 1


def test_time_goes_on_where_none_is_set() -> None:
    """It is the host's."""
    before = datetime.now(UTC)
    with FakeDataClient() as fake:
        assert before <= fake.create_dataset("xor").meta.created_at <= datetime.now(UTC)


def test_only_what_is_there_can_be_damaged() -> None:
    """The test is told so."""
    with FakeDataClient() as fake, pytest.raises(DatasetNotFoundError):
        fake.damage("xor-1.0.0-0123456789abcdef")


def test_several_clients_share_a_service() -> None:
    """From threads and event loops; it stays when one of them is closed."""

    async def found() -> list[str]:
        async with AsyncFakeDataClient(service=service) as fake:
            return await fake.list_datasets()

    with FakeDataService() as service:
        with FakeDataClient(service=service) as fake:
            dataset_id = fake.create_dataset("xor").dataset_id
        assert asyncio.run(found()) == [dataset_id]


def test_calls_may_come_at_once() -> None:
    """On one event loop; the service makes each dataset once."""

    async def made() -> set[str]:
        async with AsyncFakeDataClient() as fake:
            created = await asyncio.gather(*(fake.create_dataset("spiral") for _ in range(10)))
            assert await fake.list_datasets() == [created[0].dataset_id]
            return {each.dataset_id for each in created}

    assert len(asyncio.run(made())) == 1


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no thread; and whoever asks afterwards hears that nobody is there."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    with FakeDataClient() as fake:
        fake.create_dataset("xor")
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
    assert {thread for thread in threading.enumerate() if thread.name == "fake service"} <= threads
    with FakeDataService() as service:
        client = FakeDataClient(service=service)
    with pytest.raises(UnreachableError):
        client.stats()
    service.close()


def test_no_socket_and_no_process_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """To make a dataset and to load it."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a fake is alone in its process")

    with FakeDataClient() as fake:
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "bind", refuse)
        monkeypatch.setattr(subprocess, "Popen", refuse)
        assert len(fake.load(fake.create_dataset("xor").dataset_id)) == 6


def test_the_environment_is_for_real_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer's shell says changes no test."""
    monkeypatch.setenv("JUNIPER_DATA_API_KEYS", "secret")
    monkeypatch.setenv("JUNIPER_DATA_MAX_DATASETS", "nonsense")
    with FakeDataClient() as fake:
        fake.create_dataset("xor")


def test_what_the_service_refuses_the_fake_refuses() -> None:
    """It is the service."""
    with FakeDataClient() as fake:
        with pytest.raises(InvalidRequestError, match=r"params\.noise"):
            fake.create_dataset("spiral", {"noise": -1})
        with pytest.raises(NotFoundError):
            fake.get_dataset("xor-1.0.0-0123456789abcdef")


def test_an_app_that_cannot_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test hears of it at once, and does not wait for ever."""

    async def take_up(_: object) -> None:
        raise OSError("no such disk")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("juniper_data.jobs.Jobs.take_up", take_up)
    with pytest.raises(OSError, match="no such disk"):
        FakeDataClient()
