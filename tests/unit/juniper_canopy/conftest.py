from collections.abc import Iterator

import pytest

from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_data.testing import FakeDataService
from tests.unit.juniper_canopy.fake_backend import FakeBackend


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


@pytest.fixture
def anyio_backend() -> str:
    """The loop that the service runs on."""
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until the test moves it."""
    return Clock()


@pytest.fixture
def live(clock: Clock) -> LiveState:
    """A live state that knows nothing yet."""
    return LiveState(clock)


@pytest.fixture
def broadcaster(live: LiveState) -> Broadcaster:
    """A broadcaster with no browsers."""
    return Broadcaster(live)


@pytest.fixture(scope="session")
def data_service() -> Iterator[FakeDataService]:
    """A dataset service that all share."""
    with FakeDataService() as service:
        yield service


@pytest.fixture
def backend(data_service: FakeDataService) -> FakeBackend:
    """A backend that trains when the test says so."""
    return FakeBackend(data_service)
