import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from juniper_canopy.state.live import LiveState
from juniper_canopy.testing import GrowingBackend
from juniper_canopy.transport import follower as follower_module
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_canopy.transport.follower import Follower
from juniper_common.http import UnreachableError
from juniper_common.wire.training import DecisionBoundary, StartTraining, TrainingStatus

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def following(backend: GrowingBackend, live: LiveState, broadcaster: Broadcaster) -> AsyncIterator[list[str]]:
    """A follower at work; the list grows with each report."""
    reports: list[str] = []
    follower = Follower(backend, live, broadcaster, lambda: reports.append("report"))
    tasks = [asyncio.create_task(follower.follow()), asyncio.create_task(follower.picture())]
    try:
        yield reports
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures without the wait."""
    monkeypatch.setattr(follower_module, "BOUNDARY_PERIOD_S", 0.01)


async def test_a_new_connection_fetches_what_was_before(
    backend: GrowingBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """A dashboard that starts in the middle of a run shows all of it."""
    await backend.start(StartTraining())
    backend.advance(30)
    backend.forget_untold()
    async with following(backend, live, broadcaster) as reports:
        backend.connect(resumed=False)
        await until(lambda: bool(reports))

    assert live.run is not None
    assert live.run.columns.epoch.tolist() == list(range(1, 31))
    assert [unit.epoch for unit in live.run.installations] == [24]
    assert live.topology is not None
    assert live.status is not None and live.status.state_machine.status == "STARTED"


async def test_a_resumed_connection_fetches_nothing(
    backend: GrowingBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """What was missed has come with the stream."""
    await backend.start(StartTraining())
    backend.advance(5)
    backend.forget_untold()
    async with following(backend, live, broadcaster) as reports:
        backend.connect(resumed=True)
        await until(lambda: bool(reports))

    assert live.run is None
    assert live.link_up


async def test_nobody_looks_nothing_is_computed(
    backend: GrowingBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """Without a browser the training service is asked for no boundary."""
    await backend.start(StartTraining())
    async with following(backend, live, broadcaster) as reports:
        backend.connect()
        await until(lambda: bool(reports))
        await asyncio.sleep(0.1)

    assert live.boundary is None


async def test_the_boundary_follows_the_network(
    backend: GrowingBackend, live: LiveState, broadcaster: Broadcaster
) -> None:
    """It is drawn when somebody looks, and again after a unit was installed."""
    broadcaster.join()
    await backend.start(StartTraining())
    async with following(backend, live, broadcaster):
        backend.connect()
        await until(lambda: live.boundary is not None and live.dataset is not None)
        backend.advance(30)
        await until(lambda: live.boundary is not None and live.boundary.units == 1)


class Unwell(GrowingBackend):
    """Answers no question at first."""

    answers = False

    async def status(self) -> TrainingStatus:
        """Not now."""
        if not self.answers:
            raise UnreachableError("refused")
        return await super().status()

    async def decision_boundary(self, resolution: int) -> DecisionBoundary | None:
        """Not now."""
        if not self.answers:
            raise UnreachableError("refused")
        return await super().decision_boundary(resolution)


async def test_an_unanswered_question_is_asked_again(live: LiveState, broadcaster: Broadcaster) -> None:
    """A service that does not answer ends nothing; what is missing comes when it does."""
    backend = Unwell()
    broadcaster.join()
    await backend.start(StartTraining())
    async with following(backend, live, broadcaster) as reports:
        backend.connect()
        await until(lambda: bool(reports))
        await asyncio.sleep(0.05)
        assert live.boundary is None
        backend.answers = True
        await until(lambda: live.boundary is not None and live.status is not None)
