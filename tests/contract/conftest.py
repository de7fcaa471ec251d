import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import httpx
import pytest

from juniper_cascor.app import create_service
from juniper_cascor.client import JuniperCascorClient
from juniper_cascor.settings import CascorSettings
from juniper_data.client import JuniperDataClient
from juniper_data.settings import Settings
from tests.contract.awaiting import awaited
from tests.contract.cascor_world import FakeWorld, RealWorld, World, at_rest
from tests.contract.data_world import Connect, DataWorld, ServeData, data_served, fake_data_world, real_data_world
from tests.serving import served


@pytest.fixture(scope="session")
def data_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real dataset service on a free port; its address."""
    with data_served(Settings(state_dir=tmp_path_factory.mktemp("data"))) as url:
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
        world.client() if request.param == "threads" else awaited(world.async_client, JuniperCascorClient)
    )
    with way as client:
        at_rest(client)
        yield client


@pytest.fixture(params=["real", "fake"])
def serve_data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeData]:
    """Starts a dataset service; it is real, or the fake."""
    with ExitStack() as stack:

        def serve(**told: Any) -> DataWorld:
            if request.param == "fake":
                return stack.enter_context(fake_data_world(**told))
            return stack.enter_context(real_data_world(tmp_path_factory.mktemp("data"), **told))

        yield serve


@pytest.fixture(params=["threads", "event loop"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes a client of a dataset service, for threads or for an event loop."""
    with ExitStack() as stack:

        def connected(world: DataWorld, api_key: str | None = None) -> JuniperDataClient:
            way: AbstractContextManager[JuniperDataClient] = (
                world.client(api_key)
                if request.param == "threads"
                else awaited(lambda: world.async_client(api_key), JuniperDataClient)
            )
            return stack.enter_context(way)

        yield connected


@pytest.fixture
def data_world(serve_data: ServeData) -> DataWorld:
    """An empty dataset service, where it is noon."""
    return serve_data()


@pytest.fixture
def data_client(data_world: DataWorld, connect: Connect) -> JuniperDataClient:
    """One of its clients."""
    return connect(data_world)
