"""The replay of a growth, over real files, in a time of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from juniper_cascor.runs.replay import Replay, prepared
from juniper_cascor.runs.replay_frames import Frames
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_common.errors import ConflictError, NotFoundError, UnprocessableError
from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest, ReplayStatus

from .growth_data import IDS, RUN, write_growth

pytestmark = pytest.mark.anyio

PATIENCE_S = 60.0


@pytest.fixture
def anyio_backend() -> str:
    """The service's own event loop."""
    return "asyncio"


class Time:
    """A clock that goes when it is told to, and those who wait for it."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, duration_s: float) -> None:
        """Wait until it went on by so much."""
        if duration_s <= 0:
            return
        awake = asyncio.Event()
        self._sleepers.append((self.now + duration_s, awake))
        await awake.wait()

    def pass_by(self, duration_s: float) -> None:
        """Go on."""
        self.now += duration_s
        for due_at, awake in self._sleepers:
            if due_at <= self.now:
                awake.set()


class Stage:
    """A replay of the run with three units, its time, and what its watchers hear."""

    def __init__(self, folder: Path, ids: list[str]) -> None:
        self.time = Time()
        self.heard: list[tuple[str, str]] = []
        self._statuses: asyncio.Queue[ReplayStatus] = asyncio.Queue()
        self.replay = Replay(
            RUN,
            Frames(folder, ids),
            ReplayPlayer(len(ids)),
            publish=self._publish,
            on_change=lambda: self._statuses.put_nowait(self.replay.status()),
            clock=self.time.clock,
            sleep=self.time.sleep,
            wall_clock=self.time.clock,
        )

    def _publish(self, kind: str, _: BaseModel, run_id: str) -> None:
        self.heard.append((kind, run_id))

    def kinds(self) -> list[str]:
        """What was heard since the last time."""
        heard, self.heard = self.heard, []
        return [kind for kind, _ in heard]

    async def changed(self) -> ReplayStatus:
        """The next change of status."""
        return await asyncio.wait_for(self._statuses.get(), PATIENCE_S)

    async def settled(self) -> ReplayStatus:
        """The last change so far."""
        status = await self.changed()
        while not self._statuses.empty():
            status = self._statuses.get_nowait()
        return status

    async def told(self, action: str, **fields: object) -> ReplayStatus:
        """Command it."""
        status = await self.replay.control(ReplayCommand.model_validate({"action": action, **fields}))
        assert await self.settled() == status
        return status


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The replay, not yet open."""
    write_growth(tmp_path)
    made = Stage(tmp_path, IDS)
    yield made
    await made.replay.close()


async def test_it_begins_by_showing_the_first_snapshot(stage: Stage) -> None:
    """And waits, when it is to be paused."""
    status = await stage.replay.open(paused=True)
    expected = {"run_id": RUN, "position": 0, "length": 3, "hidden_units": 1, "epoch": 100, "speed": 1.0}
    assert status.model_dump() == {**expected, "is_playing": False}
    assert stage.heard == [("metrics", RUN), ("cascade_add", RUN), ("topology", RUN)]
    assert stage.replay.frame.network.n_hidden_units == 1


async def test_it_plays_to_the_end(stage: Stage) -> None:
    """A step a second, then it pauses."""
    await stage.replay.open(paused=False)
    await stage.settled()
    stage.kinds()
    stage.time.pass_by(1.0)
    status = await stage.changed()
    assert (status.position, status.hidden_units, status.is_playing) == (1, 2, True)
    assert stage.kinds() == ["metrics", "cascade_add", "topology"]
    stage.time.pass_by(1.0)
    status = await stage.changed()
    assert (status.position, status.epoch, status.is_playing) == (2, 300, False)


async def test_paused_it_stays(stage: Stage) -> None:
    """However much time goes by; then it plays on."""
    await stage.replay.open(paused=False)
    await stage.settled()
    assert not (await stage.told("pause")).is_playing
    stage.time.pass_by(50.0)
    assert (await stage.told("play")).position == 0
    stage.time.pass_by(1.0)
    assert (await stage.changed()).position == 1


async def test_it_leaps_forward_and_back(stage: Stage) -> None:
    """Back, everything is told from the beginning."""
    await stage.replay.open(paused=True)
    await stage.settled()
    stage.kinds()
    assert (await stage.told("seek", position=2)).hidden_units == 3
    assert stage.kinds() == ["metrics", "cascade_add", "cascade_add", "topology"]
    assert (await stage.told("seek", position=0)).hidden_units == 1
    assert stage.kinds() == ["metrics", "cascade_add", "topology"]
    assert len(stage.replay.frame.rows) == 100


async def test_its_speed_can_change(stage: Stage) -> None:
    """At once."""
    await stage.replay.open(paused=False)
    await stage.settled()
    assert (await stage.told("speed", speed=8.0)).speed == 8.0
    stage.time.pass_by(0.125)
    assert (await stage.changed()).position == 1


async def test_from_the_end_it_plays_anew(stage: Stage) -> None:
    """The watchers draw from the beginning."""
    await stage.replay.open(paused=True)
    await stage.settled()
    await stage.told("seek", position=2)
    stage.kinds()
    status = await stage.told("play")
    assert (status.position, status.is_playing) == (0, True)
    assert stage.kinds() == ["metrics", "cascade_add", "topology"]


async def test_a_position_that_is_not_there_is_refused(stage: Stage) -> None:
    """It plays on, as if it had not been told."""
    await stage.replay.open(paused=False)
    await stage.settled()
    with pytest.raises(UnprocessableError, match="from 0 to 2") as refused:
        await stage.replay.control(ReplayCommand(action="seek", position=3))
    assert refused.value.fields[0].loc == ["position"]
    stage.time.pass_by(1.0)
    assert (await stage.changed()).position == 1


async def test_stopped_it_is_over(stage: Stage) -> None:
    """It obeys no more."""
    await stage.replay.open(paused=False)
    await stage.settled()
    assert not (await stage.told("stop")).is_playing
    assert stage.replay.is_over
    with pytest.raises(ConflictError, match="was stopped"):
        await stage.replay.control(ReplayCommand(action="play"))


async def test_closed_it_tells_nobody(stage: Stage) -> None:
    """Whatever time goes by."""
    await stage.replay.open(paused=False)
    stage.kinds()
    await stage.replay.close()
    stage.time.pass_by(99.0)
    await asyncio.sleep(0)
    assert stage.kinds() == []
    assert stage.replay.is_over


async def test_a_damaged_snapshot_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The step leads to the one behind it, and the length tells how many are left."""
    damaged = write_growth(tmp_path)[1]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    stage = Stage(tmp_path, IDS)
    await stage.replay.open(paused=False)
    await stage.settled()
    stage.time.pass_by(1.0)
    status = await stage.changed()
    assert (status.position, status.length, status.hidden_units, status.is_playing) == (1, 2, 3, False)
    assert IDS[1] in caplog.text


async def test_what_is_shown_stays_when_the_rest_is_gone(tmp_path: Path) -> None:
    """Someone deletes the run's snapshots while they are replayed."""
    paths = write_growth(tmp_path)
    stage = Stage(tmp_path, IDS)
    await stage.replay.open(paused=False)
    await stage.settled()
    for path in paths:
        path.unlink()
    stage.time.pass_by(1.0)
    status = await stage.changed()
    assert (status.position, status.length, status.hidden_units, status.is_playing) == (0, 1, 1, False)


async def test_without_a_whole_snapshot_there_is_nothing_to_show(tmp_path: Path) -> None:
    """It says so when it begins."""
    for path in write_growth(tmp_path):
        path.write_bytes(b"")
    with pytest.raises(ConflictError, match="reads well"):
        await Stage(tmp_path, IDS).replay.open(paused=False)


def begun(folder: Path, snapshot_id: str, *, from_start: bool = True) -> Replay:
    """As the service prepares it."""
    request = ReplayRequest(from_start=from_start, speed=2.0)
    return prepared(folder, snapshot_id, request, publish=lambda *_: None, on_change=lambda: None)


@pytest.mark.parametrize(("from_start", "position"), [(True, 0), (False, 1)])
async def test_it_begins_where_it_is_asked_to(tmp_path: Path, from_start: bool, position: int) -> None:
    """With the run's first snapshot, or with the one that is named."""
    write_growth(tmp_path)
    replay = begun(tmp_path, IDS[1], from_start=from_start)
    status = await replay.open(paused=True)
    assert (status.position, status.length, status.speed) == (position, 3, 2.0)


async def test_asked_to_begin_at_the_end_it_stays_there(tmp_path: Path) -> None:
    """It does not play what was not asked for."""
    write_growth(tmp_path)
    status = await begun(tmp_path, IDS[2], from_start=False).open(paused=False)
    assert (status.position, status.is_playing) == (2, False)


async def test_only_a_runs_own_snapshots_are_replayed(tmp_path: Path) -> None:
    """A file of another name is part of no growth."""
    path = write_growth(tmp_path)[0]
    for other in ("net.h5", f"{RUN}/net.h5"):
        (tmp_path / other).write_bytes(path.read_bytes())
    for snapshot_id in ("~net.h5", f"~{RUN}~2Fnet.h5"):
        with pytest.raises(ConflictError, match="none of the snapshots") as refused:
            begun(tmp_path, snapshot_id)
        assert refused.value.fields[0].loc == ["snapshot_id"]
    with pytest.raises(NotFoundError):
        begun(tmp_path, "nothing")
