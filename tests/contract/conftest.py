import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from juniper_cascor.app import create_service
from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.settings import CascorSettings
from juniper_data.app import create_app
from juniper_data.catalog import Catalog
from juniper_data.settings import Settings
from juniper_data.stores.file_system import FileSystemStore
from tests.contract.cascor_world import FakeWorld, RealWorld, World, at_rest, awaited
from tests.serving import served


@pytest.fixture(scope="session")
def data_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real dataset service on a free port; its address."""
    root = tmp_path_factory.mktemp("data")
    with served(create_app(Settings(state_dir=root), Catalog(FileSystemStore(root)))) as url:
        yield url


@pytest.fixture(scope="session")
def cascor_service(data_service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real training service on a free port, with a real trainer that has compiled its loops; its address."""
    settings = CascorSettings(state_dir=tmp_path_factory.mktemp("cascor"), data_url=data_service)
    with served(create_service(settings).app) as url:
        while not httpx.get(f"{url}/v1/health/ready").json()["details"]["trainer_warm"]:
            time.sleep(0.1)
        yield url


@pytest.fixture
def anyio_backend() -> str:
    """The streams are asyncio's."""
    return "asyncio"


@pytest.fixture(params=["real", "fake"])
def world(request: pytest.FixtureRequest) -> World:
    """A training service; it is real, or the fake."""
    return FakeWorld() if request.param == "fake" else RealWorld(request.getfixturevalue("cascor_service"))


@pytest.fixture(params=["threads", "event loop"])
def client(world: World, request: pytest.FixtureRequest) -> Iterator[JuniperCascorClient]:
    """One of its clients, with nothing running."""
    way: AbstractContextManager[JuniperCascorClient] = (
        world.client() if request.param == "threads" else awaited(world.async_client)
    )
    with way as client:
        at_rest(client)
        yield client
