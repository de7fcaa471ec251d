import pytest

from juniper_canopy.backend.updates import Alive, Connected, Disconnected, Measured, Reported
from juniper_canopy.state.live import HISTORY_ROWS, LiveState
from juniper_canopy.transport.frames import encode_frame
from juniper_common.wire.training import MetricsMessage, Points
from tests.unit.juniper_canopy.fake_backend import SPIRALS, FakeBackend

pytestmark = pytest.mark.anyio


class SetClock:
    """What these tests need of the clock."""

    now_s: float


async def test_other_messages_do_not_make_data_young(live: LiveState, backend: FakeBackend, clock: SetClock) -> None:
    """With the trainer dead, state messages and a new connection go on; the age of data grows all the same."""
    live.apply(Alive("run-1"))
    clock.now_s += 10

    live.apply(Connected(resumed=True))
    live.apply(Reported(await backend.cascor.status()))
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


async def test_a_new_run_never_mixes_with_the_last(live: LiveState, backend: FakeBackend) -> None:
    """The second run begins at epoch 1 in columns of its own."""
    await backend.heard()
    await backend.cascor.start(SPIRALS)
    backend.advance(80)
    await backend.cascor.command("stop")
    await backend.cascor.start(SPIRALS)
    backend.advance(3)
    for update in await backend.heard():
        live.apply(update)

    assert live.run is not None
    assert live.run.columns.epoch.tolist() == [1, 2, 3]
    assert live.run.installations == []


async def test_what_is_taken_is_what_is_new(live: LiveState, backend: FakeBackend) -> None:
    """Points are told once; only a new run tells all of them."""
    await backend.heard()
    await backend.cascor.start(SPIRALS)
    backend.advance(3)
    for update in await backend.heard():
        live.apply(update)
    first = live.take()
    backend.advance(2)
    for update in await backend.heard():
        live.apply(update)
    second = live.take()

    assert first.reset and first.points is not None and first.points.epoch.tolist() == [1, 2, 3]
    assert not second.reset and second.points is not None and second.points.epoch.tolist() == [4, 5]
    assert not live.take()


async def test_a_new_run_forgets_the_last_network(live: LiveState, backend: FakeBackend) -> None:
    """No boundary and no topology of another run stands beside the new curves."""
    await backend.heard()
    await backend.cascor.start(SPIRALS)
    backend.advance(80)
    for update in await backend.heard():
        live.apply(update)
    await backend.cascor.command("stop")
    await backend.cascor.start(SPIRALS)
    for update in await backend.heard():
        live.apply(update)

    assert live.topology is None
    assert live.candidates is None


async def test_without_a_run_nothing_is_shown(live: LiveState, backend: FakeBackend) -> None:
    """After a reset the page is as empty as the training service."""
    await backend.heard()
    await backend.cascor.start(SPIRALS)
    backend.advance(80)
    await backend.cascor.command("stop")
    await backend.cascor.command("reset")
    for update in await backend.heard():
        live.apply(update)

    everything = live.everything()
    assert live.run_id is None
    assert everything.reset and everything.points is None and everything.installations == []
    assert live.dataset is None


async def test_only_the_last_runs_are_kept(live: LiveState, backend: FakeBackend) -> None:
    """Memory is bounded however many runs there were."""
    await backend.heard()
    for _ in range(10):
        await backend.cascor.start(SPIRALS)
        backend.advance(1)
        await backend.cascor.command("stop")
    for update in await backend.heard():
        live.apply(update)

    assert live.runs_held == 4


async def test_nothing_of_recordings_is_kept_beside_real_services(live: LiveState, backend: FakeBackend) -> None:
    """Where another backend takes over, the page is empty until it has told something."""
    await backend.heard()
    await backend.cascor.start(SPIRALS)
    backend.advance(80)
    for update in await backend.heard():
        live.apply(update)
    live.take()
    live.turn_to("demo")

    assert (live.mode, live.run_id, live.status, live.runs_held, live.data_age_s()) == ("demo", None, None, 0, None)
    assert live.take().reset


async def test_the_same_services_keep_what_they_told(live: LiveState) -> None:
    """Nothing is told anew."""
    live.turn_to("service")

    assert not live.has_news


async def test_eight_hours_of_points_fill_no_server(live: LiveState) -> None:
    """576,000 epochs in messages of 200, taken tick by tick: rows, and the bytes of a page's history, stay bounded."""
    per_message, total = 200, 8 * 3600 * 20
    live.show_run("long")
    rows_held, bytes_told = [], []
    for seq in range(total // per_message):
        live.apply(Measured("long", seq, message(seq * per_message + 1, per_message)))
        assert len(live.take().points or ()) <= HISTORY_ROWS
        if seq % 240 == 0:
            assert live.run is not None
            rows_held.append(len(live.run))
            bytes_told.append(len(encode_frame("history", seq, live.everything(), live)))

    assert live.run is not None
    assert live.run.last_epoch == total
    assert live.run.columns.epoch[0] == 1
    assert max(rows_held) <= live.run.capacity
    assert max(bytes_told) < 200_000


def message(first: int, count: int) -> MetricsMessage:
    """So many epochs with a falling loss."""
    epochs = list(range(first, first + count))
    losses = [1 / epoch for epoch in epochs]
    shares = [1 - loss for loss in losses]
    points = Points(
        epoch=epochs,
        train_loss=losses,
        val_loss=losses,
        train_accuracy=shares,
        val_accuracy=shares,
        hidden_units=[epoch // 5000 for epoch in epochs],
    )
    newest = {"train_loss": losses[-1], "val_loss": losses[-1], "loss": losses[-1], "validation_loss": losses[-1]}
    shown = {name.replace("loss", "accuracy"): 1 - loss for name, loss in newest.items()}
    return MetricsMessage(
        epoch=epochs[-1],
        hidden_units=points.hidden_units[-1],
        phase="output",
        learning_rate=0.01,
        score=None,
        timestamp=float(epochs[-1]),
        points=points,
        **newest,
        **shown,
    )
