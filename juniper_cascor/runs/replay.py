"""The replay of a run's growth from its snapshots, to everyone who watches: play, pause, seek, speed.

Its position counts the run's numbered snapshots that read well, and a step leads from one to the next.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from juniper_cascor.runs import snapshot_folder
from juniper_cascor.runs.replay_frames import Frame, Frames, told
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_cascor.runs.snapshot_files import file_of_id, id_of
from juniper_common.errors import ConflictError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import ReplayCommand, ReplayRequest, ReplayStatus

Publish = Callable[[str, BaseModel, str], None]
"""Sends a message to every watcher: its kind, its data, and the run that it is of."""

log = logging.getLogger(__name__)


class Replay:
    """The growth of one run, shown step by step. `open` it first; what it shows then is its `frame`.

    Args:
        run_id: whose growth it is.
        frames: its snapshots.
        player: where it begins.
        publish: tells the watchers what a training would.
        on_change: called when the status is another, the position included.
        clock: monotonic seconds.
        sleep: waits for so many seconds of that clock.
        wall_clock: Unix seconds.
    """

    def __init__(
        self,
        run_id: str,
        frames: Frames,
        player: ReplayPlayer,
        *,
        publish: Publish,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.run_id = run_id
        self.is_over = False
        """It was stopped, or closed."""
        self._frames = frames
        self._player = player
        self._publish = publish
        self._on_change = on_change
        self._clock = clock
        self._sleep = sleep
        self._wall_clock = wall_clock
        self._frame: Frame | None = None
        self._lock = asyncio.Lock()
        self._playing: asyncio.Task[None] | None = None

    @property
    def frame(self) -> Frame:
        """What is shown: the network and the metric rows at the position."""
        if self._frame is None:
            raise RuntimeError("the replay is not open")
        return self._frame

    def status(self) -> ReplayStatus:
        """Where it stands."""
        return ReplayStatus(
            run_id=self.run_id,
            position=self._player.position,
            length=self._player.length,
            hidden_units=self.frame.network.n_hidden_units,
            epoch=self.frame.epoch,
            speed=self._player.speed,
            is_playing=self._player.is_playing,
        )

    async def open(self, *, paused: bool) -> ReplayStatus:
        """Show where it begins, and play from there. Raises ConflictError where no snapshot reads well."""
        async with self._lock:
            await self._show()
            if not (paused or self._player.is_at_end):
                self._player = self._player.played(self._clock())
                self._on_change()
            self._go_on()
        return self.status()

    async def control(self, command: ReplayCommand) -> ReplayStatus:
        """Obey. Raises ConflictError after the end, UnprocessableError for a position that is not there."""
        async with self._lock:
            if self.is_over:
                raise ConflictError("the replay was stopped")
            player = _obeyed(self._player, command, self._clock())
            await self._halt()
            self._player = player
            self.is_over = command.action == "stop"
            try:
                await self._show()
            finally:
                self._go_on()
        return self.status()

    async def close(self) -> None:
        """Show no more, and tell nobody."""
        async with self._lock:
            self.is_over = True
            self._player = self._player.paused()
            await self._halt()

    async def _halt(self) -> None:
        """End the task that plays. The lock is held, so it is between two steps."""
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
            self._playing = None

    def _go_on(self) -> None:
        if self._player.is_playing:
            self._playing = asyncio.create_task(self._play(), name=f"replay of {self.run_id}")

    async def _play(self) -> None:
        while (due_at := self._player.due_at) is not None:
            await self._sleep(max(0.0, due_at - self._clock()))
            async with self._lock:
                self._player = self._player.advanced(self._clock())
                await self._show()

    async def _show(self) -> None:
        """Tell the watchers what stands at the position, and that it does; what does not read well is passed over."""
        before = self._frame
        after = await self._load()
        if before is None or after.snapshot_id != before.snapshot_id:
            messages = await asyncio.to_thread(told, before, after, self._wall_clock())
            self._frame = after
            for kind, data in messages:
                self._publish(kind, data, self.run_id)
        self._on_change()

    async def _load(self) -> Frame:
        while (frame := await asyncio.to_thread(self._frames.at, self._player.position)) is None:
            if self._player.length == 1:
                if self._frame is None:
                    raise ConflictError(f"no snapshot of run {self.run_id} reads well")
                self._player = self._player.paused()
                return self._frame  # All files are gone by now: what is shown stays.
            self._frames.drop(self._player.position)
            self._player = self._player.without(self._player.position)
        return frame


def prepared(
    folder: Path, snapshot_id: str, request: ReplayRequest, *, publish: Publish, on_change: Callable[[], None]
) -> Replay:
    """The replay of the run that the snapshot is of, to be opened. It looks into the folder: not for the event loop.

    Raises:
        NotFoundError: there is no such snapshot.
        ConflictError: it is none of a run's.
    """
    file = file_of_id(folder, snapshot_id)
    ids = _ids(folder, file.run_id) if file.run_id else []
    if file.run_id is None or snapshot_id not in ids:
        message = f"{snapshot_id} is none of the snapshots that a run took as it grew"
        raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),))
    position = 0 if request.from_start else ids.index(snapshot_id)
    player = ReplayPlayer(len(ids), position, request.speed)
    return Replay(file.run_id, Frames(folder, ids), player, publish=publish, on_change=on_change)


def _ids(folder: Path, run_id: str) -> Sequence[str]:
    return [id_of(f"{run_id}/{path.name}") for path in snapshot_folder.history(folder, run_id)]


def _obeyed(player: ReplayPlayer, command: ReplayCommand, now: float) -> ReplayPlayer:
    match command:
        case ReplayCommand(action="play"):
            return player.played(now)
        case ReplayCommand(action="seek", position=int(position)):
            return _sought(player, position, now)
        case ReplayCommand(action="speed", speed=float(speed)):
            return player.paced(speed, now)
        case _:
            return player.paused()


def _sought(player: ReplayPlayer, position: int, now: float) -> ReplayPlayer:
    try:
        return player.sought(position, now)
    except ValueError as error:
        raise UnprocessableError(f"position: {error}", (FieldProblem(loc=["position"], msg=str(error)),)) from error
