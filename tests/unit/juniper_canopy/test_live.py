import pytest

from juniper_canopy.backend.updates import Alive, Connected, Disconnected, Reported, Update
from juniper_canopy.state.live import LiveState
from juniper_canopy.testing import GrowingBackend
from juniper_common.wire.training import StartTraining

pytestmark = pytest.mark.anyio


class SetClock:
    """What these tests need of the clock."""

    now_s: float


async def told(backend: GrowingBackend) -> list[Update]:
    """Everything that the backend has told so far."""
    stream = aiter(backend.updates())
    return [await anext(stream) for _ in range(backend.untold)]


async def test_other_messages_do_not_make_data_young(live: LiveState, backend: GrowingBackend, clock: SetClock) -> None:
    """With the trainer dead, state messages and a new connection go on; the age of data grows all the same."""
    live.apply(Alive("run-1"))
    clock.now_s += 10

    live.apply(Connected(resumed=True))
    live.apply(Reported(await backend.status()))
    live.apply(Disconnected("gone"))

    assert live.data_age_s() == 10


async def test_a_heartbeat_makes_data_young(live: LiveState, clock: SetClock) -> None:
    """A paused trainer measures nothing and is alive."""
    live.apply(Alive("run-1"))
    clock.now_s += 10
    live.apply(Alive("run-1"))

    assert live.data_age_s() == 0


async def test_there_is_no_age_before_the_first_word(live: LiveState) -> None:
    """What was never heard has no age."""
    assert live.data_age_s() is None


async def test_a_new_run_never_mixes_with_the_last(live: LiveState, backend: GrowingBackend) -> None:
    """The second run begins at epoch 1 in columns of its own."""
    await backend.start(StartTraining())
    backend.advance(40)
    await backend.stop()
    await backend.start(StartTraining())
    backend.advance(3)
    for update in await told(backend):
        live.apply(update)

    assert live.run is not None
    assert live.run.columns.epoch.tolist() == [1, 2, 3]
    assert live.run.installations == []


async def test_what_is_taken_is_what_is_new(live: LiveState, backend: GrowingBackend) -> None:
    """Points are told once; only a new run tells all of them."""
    await backend.start(StartTraining())
    backend.advance(3)
    for update in await told(backend):
        live.apply(update)
    first = live.take()
    backend.advance(2)
    for update in await told(backend):
        live.apply(update)
    second = live.take()

    assert first.reset and first.points is not None and first.points.epoch.tolist() == [1, 2, 3]
    assert not second.reset and second.points is not None and second.points.epoch.tolist() == [4, 5]
    assert not live.take()


async def test_a_new_run_forgets_the_last_network(live: LiveState, backend: GrowingBackend) -> None:
    """No boundary and no topology of another run stands beside the new curves."""
    await backend.start(StartTraining())
    backend.advance(30)
    for update in await told(backend):
        live.apply(update)
    await backend.stop()
    await backend.start(StartTraining())
    for update in await told(backend):
        live.apply(update)

    assert live.topology is None
    assert live.candidates is None


async def test_without_a_run_nothing_is_shown(live: LiveState, backend: GrowingBackend) -> None:
    """After a reset the page is as empty as the training service."""
    await backend.start(StartTraining())
    backend.advance(30)
    await backend.stop()
    await backend.reset()
    for update in await told(backend):
        live.apply(update)

    everything = live.everything()
    assert live.run_id is None
    assert everything.reset and everything.points is None and everything.installations == []
    assert live.dataset is None


async def test_only_the_last_runs_are_kept(live: LiveState, backend: GrowingBackend) -> None:
    """Memory is bounded however many runs there were."""
    for _ in range(10):
        await backend.start(StartTraining())
        backend.advance(1)
        await backend.stop()
    for update in await told(backend):
        live.apply(update)

    assert live.runs_held == 4
