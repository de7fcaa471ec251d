"""What stands in the fake service's foreground: a run, a loaded network, or a growth that is replayed.

What is shown is the service's own `Stage`. It is changed as `juniper_cascor.runs.foreground` does, whose messages are
repeated here; only nothing is trained.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.history import History
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.replay_frames import Frame, told
from juniper_cascor.runs.stage import Stage
from juniper_cascor.runs.state_machine import CommandNotAllowedError
from juniper_cascor.snapshots import Snapshot
from juniper_cascor.testing import fake_datasets
from juniper_cascor.testing.fake_datasets import FakeDataset
from juniper_cascor.testing.fake_replay import FakeReplay
from juniper_cascor.testing.fake_run import FakeRun
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.training import ChangeParameters, TrainingStatus

if TYPE_CHECKING:
    from juniper_cascor.runs.replay import Replay
    from juniper_cascor.runs.session import Session

Publish = Callable[[str, BaseModel, str | None], None]
"""Tells those who watch the foreground: the message's type, its data, and the run that it is of."""


class FakeForeground:
    """What is shown to whoever names no run.

    Args:
        publish: tells the watchers.
        clock: Unix seconds.
    """

    def __init__(self, publish: Publish, clock: Callable[[], float]) -> None:
        self.stage = Stage()
        self._publish = publish
        self._clock = clock
        self._told: Frame | None = None  # of the replay, that the watchers know

    # What happens

    def show(self, run: FakeRun) -> None:
        """Show a run in place of anything else."""
        self.end_replay()
        self.stage.show(_as_session(run))

    def offer(self, run: FakeRun) -> None:
        """Show a run that begins, unless something else is shown that somebody put there."""
        self.stage.offer(_as_session(run))

    def load(self, spec: NetworkSpec, snapshot_id: str | None = None, snapshot: Snapshot | None = None) -> None:
        """Show a network that no run here has grown."""
        self.end_replay()
        self.stage.show_loaded(spec, snapshot, snapshot_id)
        self.announce()

    def unload(self) -> None:
        """Show nothing."""
        self.end_replay()
        self.stage.show()
        self.announce()

    def forget(self, run: FakeRun) -> None:
        """Show nothing of a run that was deleted."""
        if self.run is run:
            self.stage.show()
            self.announce()

    def edit(self, edit: Callable[[Network], Network]) -> Network:
        """Change the loaded network. Raises NotFoundError, ConflictError, and what the edit raises."""
        self.check_not_replaying("edit the network")
        self.check_idle("edit the network")
        if self.run is not None and not self.run.state.is_over:
            raise ConflictError(f"cannot edit the network: run {self.run.run_id} can be resumed; stop it first")
        network = edit(self.stage.loaded_network())
        self.stage.show_edited(network)
        self.announce()
        return network

    def change(self, request: ChangeParameters) -> None:
        """Change parameters. Raises NotFoundError, ConflictError, UnprocessableError."""
        self.check_not_replaying("change parameters")
        if self.run is not None and not self.run.state.is_over:
            self.run.change(request)
        else:
            spec = self.stage.loaded_spec()
            self.stage.spec = replace(spec, parameters=network_spec.changed(spec.parameters, request))

    def reset(self) -> None:
        """Forget the last run, and the network. Raises ConflictError."""
        if self.run is not None and self.run.state.is_active:
            raise ConflictError(str(CommandNotAllowedError("reset", self.run.state.status)))
        self.unload()

    def show_replay(self, replay: FakeReplay) -> None:
        """Replay a growth, from now on or from another place."""
        self.stage.replay = cast("Replay", replay)
        self.tick()
        self.announce()

    def end_replay(self) -> None:
        """Replay no more."""
        if self.stage.replay is not None:
            self.stage.replay = self._told = None
            self.announce()

    def tick(self) -> None:
        """Let time pass in a replay, and tell the watchers where it stands."""
        if self.stage.replay is None:
            return
        replay = self.replaying()
        replay.player = replay.player.advanced(time.monotonic())
        if self._told is not replay.frame:
            for kind, data in told(self._told, replay.frame, self._clock()):
                self._publish(kind, data, replay.run_id)
            self._told = replay.frame
            self.announce()

    @property
    def due_s(self) -> float | None:
        """In how many seconds a replay shows its next step; None: nothing plays."""
        due_at = self.replaying().player.due_at if self.stage.replay is not None else None
        return None if due_at is None else max(0.0, due_at - time.monotonic())

    def announce(self) -> None:
        """Tell the watchers what stands here."""
        self._publish("state", self.status(), self.run_id)

    # What may be asked

    @property
    def run(self) -> FakeRun | None:
        """The run in the foreground."""
        return cast("FakeRun | None", self.stage.session)

    @property
    def run_id(self) -> str | None:
        """The run in the foreground, or the one that is replayed."""
        return self.stage.run_id

    @property
    def history(self) -> History:
        """The epochs of the run, or of what is replayed or restored."""
        return self.stage.history

    def check_idle(self, what: str) -> None:
        """Raise ConflictError while the run in the foreground waits or trains; not where it is to be resumed."""
        if self.run is not None and self.run.state.status in ("QUEUED", "STARTED", "PAUSED"):
            raise ConflictError(f"cannot {what}: training is {self.run.state.status}")

    def check_not_replaying(self, what: str) -> None:
        """Raise ConflictError while something is replayed."""
        if self.stage.replay is not None:
            raise ConflictError(f"cannot {what} while a growth is replayed; stop the replay first: POST /v1/replay")

    def replaying(self) -> FakeReplay:
        """What is replayed. Raises NotFoundError."""
        if self.stage.replay is None:
            raise NotFoundError("nothing is replayed: POST /v1/snapshots/ID/replay shows a growth")
        return cast("FakeReplay", self.stage.replay)

    def loaded_spec(self) -> NetworkSpec:
        """The loaded network's shape and parameters. Raises NotFoundError."""
        return self.stage.loaded_spec()

    def loaded_network(self) -> Network:
        """The network as it stands. Raises NotFoundError."""
        return self.stage.loaded_network()

    @property
    def dataset(self) -> FakeDataset:
        """What the network is trained on. Raises NotFoundError."""
        if (card := self.stage.card) is not None:
            return fake_datasets.of_card(card)
        if self.run is None:
            raise NotFoundError("no run is in the foreground: start training")
        return self.run.dataset

    def status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        return self.stage.training_status()


def _as_session(run: FakeRun) -> "Session":
    """A run as the stage wants it: all that it asks of one is answered by the fake too."""
    return cast("Session", run)
