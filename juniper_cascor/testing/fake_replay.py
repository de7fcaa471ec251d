"""A growth that the fake service replays: the service's own player and frames, without a task that plays."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from juniper_cascor.runs.replay_frames import Frame
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_common.errors import UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import ReplayCommand, ReplayStatus


@dataclass
class FakeReplay:
    """The growth of one run, as far as it is shown."""

    run_id: str
    frames: Sequence[Frame]
    player: ReplayPlayer

    @property
    def frame(self) -> Frame:
        """What is shown."""
        return self.frames[self.player.position]

    def status(self) -> ReplayStatus:
        """Where it stands."""
        return ReplayStatus(
            run_id=self.run_id,
            position=self.player.position,
            length=self.player.length,
            hidden_units=self.frame.network.n_hidden_units,
            epoch=self.frame.epoch,
            speed=self.player.speed,
            is_playing=self.player.is_playing,
        )

    def obey(self, command: ReplayCommand) -> None:
        """Play, pause, seek, or change the speed. Raises UnprocessableError."""
        now = time.monotonic()
        match command:
            case ReplayCommand(action="play"):
                self.player = self.player.played(now)
            case ReplayCommand(action="seek", position=int(position)):
                try:
                    self.player = self.player.sought(position, now)
                except ValueError as error:
                    fields = (FieldProblem(loc=["position"], msg=str(error)),)
                    raise UnprocessableError(f"position: {error}", fields) from error
            case ReplayCommand(action="speed", speed=float(speed)):
                self.player = self.player.paced(speed, now)
            case _:
                self.player = self.player.paused()
