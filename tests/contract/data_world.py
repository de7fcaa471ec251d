"""The dataset service as its clients see it: the real one, or the fake; for threads, or for an event loop."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from juniper_data.app import create_app
from juniper_data.catalog import Catalog, utc_now
from juniper_data.client import AsyncJuniperDataClient, JuniperDataClient
from juniper_data.generators import AnyGenerator
from juniper_data.imports.importer import Importer
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore
from juniper_data.testing import AsyncFakeDataClient, FakeDataClient, FakeDataService
from tests.serving import served

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class DataWorld(Protocol):
    """One service, and the ways to it."""

    @property
    def import_folder(self) -> Path:
        """Where csv_import finds its files."""
        ...

    def client(self, api_key: str | None = None) -> JuniperDataClient:
        """A client for threads."""
        ...

    def async_client(self, api_key: str | None = None) -> AsyncJuniperDataClient:
        """A client for an event loop."""
        ...

    def advance(self, time: timedelta) -> None:
        """Let time pass."""
        ...

    def damage(self, dataset_id: str) -> None:
        """Change a byte of an artifact, behind the service's back."""
        ...

    def go(self) -> None:
        """Answer nobody any more."""
        ...


ServeData = Callable[..., DataWorld]
"""Starts a service; its keywords are FakeDataService's."""

Connect = Callable[..., JuniperDataClient]
"""A client of a world, with or without an API key."""


class _RealWorld:
    def __init__(self, root: Path, told: dict[str, Any]) -> None:
        api_keys = tuple(map(SecretStr, told.pop("api_keys", ())))
        generators = told.pop("generators", None)
        settings = Settings(state_dir=root, api_keys=api_keys, **told)
        self.import_folder = settings.import_folder
        self._root = root
        self._now = NOON
        self._served = ExitStack()
        self._url = self._served.enter_context(data_served(settings, generators=generators, clock=lambda: self._now))

    def client(self, api_key: str | None = None) -> JuniperDataClient:
        return JuniperDataClient(self._url, api_key=api_key, attempts=1)

    def async_client(self, api_key: str | None = None) -> AsyncJuniperDataClient:
        return AsyncJuniperDataClient(self._url, api_key=api_key, attempts=1)

    def advance(self, time: timedelta) -> None:
        self._now += time

    def damage(self, dataset_id: str) -> None:
        (path,) = (self._root / "artifacts").glob(f"*/{dataset_id}.*")
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    def go(self) -> None:
        self._served.close()


class _FakeWorld:
    def __init__(self, service: FakeDataService) -> None:
        self.import_folder = service.import_folder
        self._service = service

    def client(self, api_key: str | None = None) -> JuniperDataClient:
        return FakeDataClient(service=self._service, api_key=api_key)

    def async_client(self, api_key: str | None = None) -> AsyncJuniperDataClient:
        return AsyncFakeDataClient(service=self._service, api_key=api_key)

    def advance(self, time: timedelta) -> None:
        self._service.advance(time)

    def damage(self, dataset_id: str) -> None:
        self._service.damage(dataset_id)

    def go(self) -> None:
        self._service.is_reachable = False


@contextmanager
def data_served(
    settings: Settings,
    *,
    generators: Mapping[str, AnyGenerator] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[str]:
    """The real service on a free port; its address."""
    settings.import_folder.mkdir()
    with closing(FileSystemStore(settings.state_dir, settings.quota)) as store:
        importer = Importer(settings.import_folder, settings.import_timeout_s)
        catalog = Catalog(store, importer, generators=generators, clock=clock)
        with served(create_app(settings, catalog)) as url:
            yield url


@contextmanager
def real_data_world(root: Path, **told: Any) -> Iterator[DataWorld]:
    """The real service on a free port, with its data below `root`."""
    world = _RealWorld(root, told)
    try:
        yield world
    finally:
        world.go()


@contextmanager
def fake_data_world(**told: Any) -> Iterator[DataWorld]:
    """The fake."""
    with FakeDataService(now=NOON, **told) as service:
        yield _FakeWorld(service)
