"""Recordings until the training service comes, and never again after."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import pytest

from juniper_canopy.backend import fallback, stream
from juniper_canopy.backend.create import create_backend
from juniper_canopy.backend.demo import DemoBackend
from juniper_canopy.backend.fallback import FallbackBackend
from juniper_canopy.backend.protocol import Mode
from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.backend.updates import Connected, Disconnected, Update
from juniper_canopy.settings import CanopySettings
from juniper_data.testing import FakeDataService
from tests.unit.juniper_canopy.fake_backend import FakeBackend

pytestmark = pytest.mark.anyio


class FakeDemo(FakeBackend):
    """A demo that tells when it is closed."""

    mode: Mode = "demo"  # type: ignore[assignment] # a service's is always the other
    is_closed = False

    async def close(self) -> None:
        """Let go."""
        self.is_closed = True
        await super().close()


@pytest.fixture
def demo(data_service: FakeDataService) -> FakeDemo:
    """What is shown while the service is away."""
    return FakeDemo(data_service)


@pytest.fixture
def switching(backend: FakeBackend, demo: FakeDemo) -> FallbackBackend:
    """A backend of both."""
    return FallbackBackend(backend, lambda: demo)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes and retries without the wait."""
    monkeypatch.setattr(fallback, "PROBE_PERIOD_S", 0.01)
    monkeypatch.setattr(stream, "FIRST_WAIT_S", 0.01)


async def until(updates: AsyncGenerator[Update, None], last: type[Update]) -> Update:
    """The next update of a kind."""
    async with asyncio.timeout(10):
        async for update in updates:
            if isinstance(update, last):
                return update
    raise AssertionError("the updates ended")


async def test_a_service_that_answers_is_shown(switching: FallbackBackend, backend: FakeBackend) -> None:
    """No demo is ever opened."""
    async with aclosing(switching.updates()) as updates:
        assert await anext(updates) == Connected(resumed=False)
        assert (switching.mode, switching.cascor, switching.data) == ("service", backend.cascor, backend.data)
    await switching.close()


async def test_a_service_that_is_away_is_waited_for(
    switching: FallbackBackend, backend: FakeBackend, demo: FakeDemo, caplog: pytest.LogCaptureFixture
) -> None:
    """The demo is shown and said to be; when the service comes it takes over by itself, and the demo is let go."""
    caplog.set_level(logging.INFO)
    backend.way.is_cut = True
    async with aclosing(switching.updates()) as updates:
        assert await anext(updates) == Connected(resumed=False)
        assert (switching.mode, switching.cascor) == ("demo", demo.cascor)

        backend.way.is_cut = False
        assert await until(updates, Connected) == Connected(resumed=False)
        assert (switching.mode, switching.cascor) == ("service", backend.cascor)
        assert demo.is_closed
    await switching.close()
    said = [record.message for record in caplog.records if record.name == fallback.__name__]
    assert ["does not answer" in said[0], "answers" in said[1]] == [True, True]


async def test_a_service_that_goes_away_is_not_replaced(
    switching: FallbackBackend, backend: FakeBackend, demo: FakeDemo
) -> None:
    """In the midst of a run the page says that the connection is lost, and heals."""
    async with aclosing(switching.updates()) as updates:
        await until(updates, Connected)
        backend.way.is_cut = True
        backend.service.drop_connections()
        await until(updates, Disconnected)
        assert switching.mode == "service"
        await until(updates, Connected)
    assert not demo.is_closed
    await switching.close()


async def test_a_demo_ends_with_the_dashboard(switching: FallbackBackend, backend: FakeBackend, demo: FakeDemo) -> None:
    """Whoever stops to listen lets go of it."""
    backend.way.is_cut = True
    async with aclosing(switching.updates()) as updates:
        await anext(updates)
        listening = asyncio.ensure_future(anext(updates))
        await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.wait((listening,))
    await switching.close()

    assert demo.is_closed


async def test_health_tells_of_the_services_while_the_demo_is_shown(
    switching: FallbackBackend, backend: FakeBackend
) -> None:
    """They are what the operator asks for."""
    assert switching.probes().keys() == backend.probes().keys()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"environment": "production"}, ServiceBackend),
        ({"environment": "dev"}, FallbackBackend),
        ({"environment": "dev", "demo_mode": True}, DemoBackend),
        ({"environment": "demo", "cascor_url": None}, DemoBackend),
    ],
    ids=["production", "dev", "asked for", "no address"],
)
async def test_the_settings_choose(given: Mapping[str, object], kind: type) -> None:
    """Recordings where they are asked for or nothing else is there; in production the services alone."""
    backend = create_backend(CanopySettings.model_validate(given))
    await backend.close()

    assert type(backend) is kind
