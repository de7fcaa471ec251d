"""What the dashboard holds while something else than a training is shown: a restored network, a replay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from juniper_canopy.backend.service import ServiceBackend
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_canopy.transport.follower import Follower
from juniper_cascor.testing import AsyncFakeCascorClient, FakeCascorService, FakeCascorTrainingStream
from juniper_common.wire.snapshots import ReplayRequest, SnapshotInfo
from juniper_data.client import AsyncJuniperDataClient

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cascor(live: LiveState, broadcaster: Broadcaster) -> AsyncIterator[AsyncFakeCascorClient]:
    """A client of a service in which a recorded run has ended, which a dashboard follows."""
    service = FakeCascorService("xor_converged")
    client = AsyncFakeCascorClient(service=service)
    backend = ServiceBackend(
        client, AsyncJuniperDataClient("http://data.test"), FakeCascorTrainingStream(service=service)
    )
    task = asyncio.create_task(Follower(backend, live, broadcaster, lambda: None).follow())
    await until(lambda: live.run is not None and live.topology is not None)
    yield client
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await backend.close()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop work until it is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def oldest(cascor: AsyncFakeCascorClient) -> SnapshotInfo:
    """The run's first snapshot."""
    return (await cascor.snapshots()).snapshots[-1]


def epochs(live: LiveState) -> int:
    """How far the curve goes that is held."""
    return live.run.last_epoch if live.run is not None else -1


def units(live: LiveState) -> int:
    """Of the network that is held."""
    return len(live.topology.hidden_units) if live.topology is not None else -1


def installed(live: LiveState) -> list[int]:
    """The units of which it is known when they came."""
    return [unit.index for unit in live.run.installations] if live.run is not None else []


async def test_a_restored_network_is_shown_with_its_curve(cascor: AsyncFakeCascorClient, live: LiveState) -> None:
    """No message brings either: the service has no run in the foreground then."""
    snapshot = await oldest(cascor)
    await cascor.restore_snapshot(snapshot.id)

    await until(lambda: units(live) == snapshot.hidden_units)
    await until(lambda: epochs(live) == snapshot.epoch)
    assert live.run_id is None
    assert installed(live) == list(range(snapshot.hidden_units or 0))


async def test_another_restored_network_takes_its_place(cascor: AsyncFakeCascorClient, live: LiveState) -> None:
    """Also back, from a longer curve to a shorter one; and a reset leaves nothing."""
    newest = (await cascor.snapshots()).snapshots[0]
    await cascor.restore_snapshot(newest.id)
    await until(lambda: epochs(live) == newest.epoch)
    snapshot = await oldest(cascor)
    await cascor.restore_snapshot(snapshot.id)
    await until(lambda: epochs(live) == snapshot.epoch)

    await cascor.command("reset")
    await until(lambda: live.topology is None and epochs(live) == -1)


async def test_a_replay_is_shown_and_ends(cascor: AsyncFakeCascorClient, live: LiveState) -> None:
    """At its start the run's beginning is held, in the middle what came by then, and after it the run as it was."""
    before = epochs(live), units(live)
    snapshot = await oldest(cascor)
    await cascor.replay_snapshot(snapshot.id, ReplayRequest(paused=True))
    await until(lambda: (epochs(live), units(live)) == (snapshot.epoch, snapshot.hidden_units))
    assert installed(live) == list(range(snapshot.hidden_units or 0))

    step = await cascor.control_replay("seek", position=1)
    await until(lambda: (epochs(live), units(live)) == (step.epoch, step.hidden_units))
    assert installed(live) == list(range(step.hidden_units))
    await cascor.control_replay("seek", position=0)
    await until(lambda: (epochs(live), units(live)) == (snapshot.epoch, snapshot.hidden_units))

    await cascor.control_replay("stop")
    await until(lambda: (epochs(live), units(live)) == before)
