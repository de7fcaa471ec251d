"""Every control works on the recordings."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

import pytest

from juniper_canopy.backend.demo import PACE, DemoBackend
from juniper_canopy.backend.updates import Alive, Connected, Grown, Installed, Measured, Reported, Scored, Update
from juniper_common.wire.runs import StartRuns
from juniper_common.wire.snapshots import ReplayRequest, ResumeSnapshot, RetrainSnapshot
from juniper_common.wire.training import ChangeParameters, DatasetSource, RunParameters, StartTraining, Status

pytestmark = pytest.mark.anyio

QUICK = RunParameters(pace=None)
FRESH = StartTraining(params=QUICK, start_fresh=True)


@pytest.fixture
async def demo() -> AsyncIterator[DemoBackend]:
    """A demo that nobody follows yet."""
    backend = DemoBackend()
    yield backend
    await backend.close()


async def heard(updates: AsyncGenerator[Update, None], is_last: Callable[[Update], bool]) -> list[Update]:
    """The updates up to one."""
    told: list[Update] = []
    async with asyncio.timeout(20):
        while not told or not is_last(told[-1]):
            told.append(await anext(updates))
    return told


def is_reported(status: Status) -> Callable[[Update], bool]:
    """Whether an update reports this state."""
    return lambda update: isinstance(update, Reported) and update.status.state_machine.status == status


async def follow(updates: AsyncGenerator[Update, None]) -> None:
    """Hear updates for as long as the test runs."""
    async with aclosing(updates):
        async for _ in updates:
            pass


@pytest.fixture
async def followed(demo: DemoBackend) -> AsyncIterator[DemoBackend]:
    """The demo with its updates heard, and nothing under way."""
    following = asyncio.create_task(follow(demo.updates()))
    while (await demo.cascor.status()).run_id is None:
        await asyncio.sleep(0.005)
    await demo.cascor.command("stop")
    yield demo
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def until_status(demo: DemoBackend, status: Status) -> None:
    """Wait until the demo reports it."""
    async with asyncio.timeout(20):
        while (await demo.cascor.status()).state_machine.status != status:
            await asyncio.sleep(0.01)


async def test_it_opens_with_a_growth(demo: DemoBackend) -> None:
    """A run is under way at its pace, and its first unit comes before one's eyes."""
    async with aclosing(demo.updates()) as updates:
        told = await heard(updates, lambda update: isinstance(update, Measured))
        assert told[0] == Connected(resumed=False)
        assert (await demo.cascor.status()).pace == PACE
        await demo.cascor.change(ChangeParameters(pace=None))
        told = await heard(updates, is_reported("COMPLETED"))

    assert {Reported, Measured, Scored, Installed, Grown} <= {type(update) for update in told}


async def test_a_paused_run_is_known_to_be_alive(demo: DemoBackend) -> None:
    """It stands still, and its trainer's heart beats."""
    async with aclosing(demo.updates()) as updates:
        await heard(updates, lambda update: isinstance(update, Measured))
        await demo.cascor.command("pause")
        paused = await demo.cascor.status()
        told = await heard(updates, lambda update: isinstance(update, Alive))
        assert is_reported("PAUSED")(told[-2])
        assert (await demo.cascor.status()).monitor == paused.monitor
        await demo.cascor.command("resume")
        await heard(updates, lambda update: isinstance(update, Measured))


async def test_time_without_a_run_is_not_trained_after(followed: DemoBackend) -> None:
    """A run that starts after a long idle time begins at its first epoch."""
    await asyncio.sleep(0.3)
    await followed.cascor.start(StartTraining(params=RunParameters(pace=1000), start_fresh=True))

    assert (await followed.cascor.status()).monitor.current_epoch < 100


async def test_a_run_starts_on_any_dataset(followed: DemoBackend) -> None:
    """Whatever the page can choose: it says what was trained on in truth, the data of the recording."""
    made = await followed.data.create_dataset("moon", {"seed": 3})
    sources = [
        DatasetSource(generator="circles", params={}),
        DatasetSource(dataset_id=made.dataset_id),
        DatasetSource(generator="xor", params={"seed": 7}),
    ]
    trained_on = []
    for source in sources:
        await followed.cascor.start(StartTraining(dataset=source, params=QUICK, start_fresh=True))
        trained_on.append((await followed.cascor.status()).dataset_id)
        await followed.cascor.command("stop")

    kept = {meta.dataset_id for meta in (await followed.data.filter_datasets()).datasets}
    assert set(trained_on) < kept
    assert [name.partition("-")[0] for name in trained_on if name] == ["spiral", "spiral", "xor"]


async def test_it_says_which_datasets_are_trained_on(followed: DemoBackend) -> None:
    """Those of the recordings, and no other."""
    trained_on = (await followed.cascor.status()).dataset_id
    assert trained_on is not None
    assert followed.trains_on(trained_on)
    made = await followed.data.create_dataset("moon", {"seed": 3})
    assert not followed.trains_on(made.dataset_id)


async def test_runs_wait_for_each_other(followed: DemoBackend) -> None:
    """Those that are queued begin one after another by themselves."""
    queued = await followed.cascor.post_runs(StartRuns(params=QUICK, sweep={"seed": [1, 2]}))
    ids = [run.id for run in queued.runs]
    async with asyncio.timeout(20):
        while (await followed.cascor.run(ids[1])).status != "COMPLETED":
            await asyncio.sleep(0.01)

    assert (await followed.cascor.run(ids[0])).status == "COMPLETED"
    assert set((await followed.cascor.compare_runs(ids)).metrics["train_loss"]) == set(ids)


async def test_there_are_runs_to_compare_at_once(followed: DemoBackend) -> None:
    """Two that are over, with their snapshots."""
    over = (await followed.cascor.runs(status="COMPLETED")).runs

    assert len(over) >= 2
    assert (await followed.cascor.snapshots(run_id=over[0].id)).total > 2


async def test_a_snapshot_is_restored_and_trained_on(followed: DemoBackend) -> None:
    """Its network is shown; its training goes on to the end; another grows on from it."""
    await followed.cascor.start(FRESH)
    await until_status(followed, "COMPLETED")
    (taken, *_) = [one for one in (await followed.cascor.snapshots(limit=50)).snapshots if one.can_resume]

    assert (await followed.cascor.restore_snapshot(taken.id)).hidden_units == taken.hidden_units
    await until_status(followed, "RESUME_READY")
    await followed.cascor.command("resume")
    await until_status(followed, "COMPLETED")
    await followed.cascor.resume_snapshot(taken.id, ResumeSnapshot(params=ChangeParameters(pace=None)))
    await until_status(followed, "COMPLETED")
    await followed.cascor.retrain_snapshot(taken.id, RetrainSnapshot(params=QUICK))
    await until_status(followed, "COMPLETED")


async def test_a_growth_is_replayed(followed: DemoBackend) -> None:
    """Its steps come by themselves, also to those who only watch."""
    over = (await followed.cascor.runs(status="COMPLETED")).runs[0]
    (snapshot, *_) = (await followed.cascor.snapshots(run_id=over.id)).snapshots
    replay = await followed.cascor.replay_snapshot(snapshot.id, ReplayRequest(from_start=True, speed=50))
    async with asyncio.timeout(20):
        while (await followed.cascor.replay()).position < replay.length - 1:
            await asyncio.sleep(0.01)
    await followed.cascor.control_replay("stop")

    assert (await followed.cascor.status()).state_machine.status == "STOPPED"


async def test_datasets_are_made_for_real(followed: DemoBackend) -> None:
    """Generators, previews and uploads are the data service's own."""
    assert len(await followed.data.list_generators()) > 5
    rows = "a,b,label\n" + "".join(f"{k},{-k},{k % 2}\n" for k in range(10))
    uploaded = await followed.data.upload(io.BytesIO(rows.encode()))
    assert (await followed.data.get_dataset(uploaded.dataset_id)).n_samples == 10
    assert (await followed.data.preview(uploaded.dataset_id)).n_samples > 0


def test_the_dashboard_of_a_real_host_loads_no_recordings() -> None:
    """The page's process pays for what it shows."""
    code = "import sys, juniper_canopy.app, juniper_canopy.backend.create; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "juniper_canopy.backend.create" in ended.stdout.split()
    assert [name for name in ended.stdout.split() if name.startswith("juniper") and "testing" in name] == []
