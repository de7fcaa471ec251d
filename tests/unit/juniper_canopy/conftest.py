import pytest

from juniper_canopy.state.live import LiveState
from juniper_canopy.testing import GrowingBackend
from juniper_canopy.transport.broadcaster import Broadcaster


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


@pytest.fixture
def backend() -> GrowingBackend:
    """A backend that trains when the test says so."""
    return GrowingBackend()
