"""What stands in the fake service's foreground: a run, a loaded network, or a growth that is replayed.

It decides as `juniper_cascor.runs.foreground` does, whose messages it repeats; only nothing is trained.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import network_spec, views
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.replay_player import ReplayPlayer
from juniper_cascor.runs.state_machine import CommandNotAllowedError
from juniper_cascor.snapshots import Card
from juniper_cascor.testing.fake_run import FakeRun, metrics_message
from juniper_cascor.testing.fake_snapshots import KeptSnapshot
from juniper_common.errors import ConflictError, NotFoundError, UnprocessableError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.snapshots import ReplayCommand, ReplayStatus
from juniper_common.wire.training import (
    ChangeParameters,
    MetricRow,
    Monitor,
    StateMachine,
    Status,
    TrainingState,
    TrainingStatus,
)

Publish = Callable[[str, BaseModel, str | None], None]
"""Tells those who watch the foreground: the message's type, its data, and the run that it is of."""


@dataclass
class FakeReplay:
    """A growth that is shown."""

    run_id: str
    steps: list[KeptSnapshot]
    player: ReplayPlayer

    @property
    def shown(self) -> KeptSnapshot:
        """The snapshot at the position."""
        return self.steps[self.player.position]

    def status(self) -> ReplayStatus:
        """Where it stands."""
        return ReplayStatus(
            run_id=self.run_id,
            position=self.player.position,
            length=self.player.length,
            hidden_units=self.shown.network.n_hidden_units,
            epoch=self.shown.card.epoch,
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


@dataclass
class FakeForeground:
    """What is shown to whoever names no run."""

    publish: Publish
    clock: Callable[[], float]
    run: FakeRun | None = None
    spec: NetworkSpec | None = None  # of a network that no run here has grown
    network: Network | None = None  # restored or edited
    restored: KeptSnapshot | None = None
    replay: FakeReplay | None = None
    _told: int | None = field(default=None, init=False)  # the position of the replay that the watchers know

    # What happens

    def show(self, run: FakeRun | None = None) -> None:
        """Show a run, or nothing."""
        self.run = run
        self.spec = self.network = self.restored = None

    def offer(self, run: FakeRun) -> None:
        """Show a run that begins, unless something else is shown that somebody put there."""
        is_free = self.run is None and self.spec is None
        has_ended = self.run is not None and self.run.state.is_over and self.network is None
        if (is_free or has_ended) and self.replay is None:
            self.show(run)

    def load(self, spec: NetworkSpec | None, restored: KeptSnapshot | None = None) -> None:
        """Show a network that no run here has grown."""
        self.show()
        self.spec, self.restored = spec, restored
        self.network = restored.network if restored else None
        self.announce()

    def edit(self, edit: Callable[[Network], Network]) -> Network:
        """Change the loaded network. Raises NotFoundError, ConflictError, and what the edit raises."""
        self.check_idle("edit the network")
        self.network = edit(self.loaded_network())
        self.restored = None
        self.announce()
        return self.network

    def change(self, request: ChangeParameters) -> None:
        """Change parameters. Raises NotFoundError, UnprocessableError."""
        spec = self.loaded_spec()
        if self.run is not None and self.run.state.is_active:
            self.run.change(request)
        else:
            self.spec = replace(spec, parameters=network_spec.changed(spec.parameters, request))

    def reset(self) -> None:
        """Forget the last run, and the network. Raises ConflictError."""
        if self.is_busy and self.status_name not in ("RESUME_READY", "QUEUED"):
            raise ConflictError(str(CommandNotAllowedError("reset", self.status_name)))
        self.load(None)

    def show_replay(self, replay: FakeReplay | None) -> None:
        """Replay a growth, or no more."""
        self.replay, self._told = replay, None
        self.tick()
        self.announce()

    def tick(self) -> None:
        """Let time pass in a replay, and tell the watchers where it stands."""
        if self.replay is None:
            return
        self.replay.player = self.replay.player.advanced(time.monotonic())
        if self._told != self.replay.player.position:
            self._told = self.replay.player.position
            shown = self.replay.shown
            if shown.rows:
                self.publish("metrics", metrics_message(shown.rows), self.replay.run_id)
            self.publish("topology", views.topology(shown.network), self.replay.run_id)

    def announce(self) -> None:
        """Tell the watchers what stands here."""
        self.publish("state", self.status(), self.run_id)

    # What may be asked

    @property
    def run_id(self) -> str | None:
        """The run in the foreground, or the one that is replayed."""
        return self.replay.run_id if self.replay else self.run.run_id if self.run else None

    @property
    def status_name(self) -> Status:
        """The state of the foreground."""
        if self.replay is not None:
            return "REPLAYING"
        if self.restored is not None and self.restored.detail.can_resume:
            return "RESUME_READY"
        return self.run.state.status if self.run else "STOPPED"

    @property
    def is_busy(self) -> bool:
        """A run waits or trains, or something is replayed."""
        return self.replay is not None or (self.run is not None and not self.run.state.is_over)

    @property
    def has_network(self) -> bool:
        """Whether a network is loaded."""
        return self.run is not None or self.spec is not None

    def check_idle(self, what: str) -> None:
        """Raise ConflictError while a run waits or trains, or something is replayed."""
        if self.is_busy and self.status_name != "RESUME_READY":
            raise ConflictError(f"cannot {what}: training is {self.status_name}")

    def replaying(self) -> FakeReplay:
        """What is replayed. Raises NotFoundError."""
        if self.replay is None:
            raise NotFoundError("nothing is replayed: POST /v1/snapshots/ID/replay shows a growth")
        return self.replay

    def loaded_spec(self) -> NetworkSpec:
        """The loaded network's shape and parameters. Raises NotFoundError."""
        if self.spec is not None:
            return self.spec
        if self.run is None:
            raise NotFoundError("no network is loaded: create one, or start training")
        return self.run.loaded_spec()

    def loaded_network(self) -> Network:
        """The network as it stands. Raises NotFoundError."""
        if self.replay is not None:
            return self.replay.shown.network
        if self.network is not None:
            return self.network
        return self.run.loaded_network() if self.run else self.loaded_spec().untrained()

    def data(self) -> TrainingData:
        """What the run trains on. Raises NotFoundError."""
        if self.run is None:
            raise NotFoundError("no run is in the foreground: start training")
        return self.run.data()

    def rows(self) -> list[MetricRow]:
        """The epochs of the run, or of what is replayed."""
        if self.replay is not None:
            return list(self.replay.shown.rows)
        return self.run.rows() if self.run else []

    def status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        status = self.run.status() if self.run is not None and self.replay is None else _resting(self.spec)
        machine, monitor = {"status": self.status_name}, {}
        if self.network is not None or self.replay is not None:
            monitor["current_hidden_units"] = self.loaded_network().n_hidden_units
        if self.replay is not None:
            monitor |= {"current_epoch": self.replay.shown.card.epoch, "total_metrics": len(self.replay.shown.rows)}
        return status.model_copy(
            update={
                "state_machine": status.state_machine.model_copy(update=machine),
                "monitor": status.monitor.model_copy(update=monitor),
                "run_id": self.run_id,
            }
        )

    def card(self) -> Card:
        """What a snapshot of the loaded network says of itself. Raises NotFoundError."""
        network, run, now = self.loaded_network(), self.run, self.clock()
        return Card(
            run_id=run.run_id if run else None,
            epoch=run.state.epoch if run else 0,
            hidden_units=network.n_hidden_units,
            created_at=now,
            seed=run.record.seed if run else 0,
            task=network.task,
            parameters=network_spec.as_json(self.loaded_spec().parameters),
            dataset_id=run.dataset_id if run else None,
            dataset_checksum=run.dataset_checksum if run else None,
            backend=run.record.backend if run else "none",
            versions=run.record.versions if run else {},
        )


def _resting(spec: NetworkSpec | None) -> TrainingStatus:
    """The status where no run is in the foreground."""
    return TrainingStatus(
        state_machine=StateMachine(status="STOPPED", phase="IDLE"),
        monitor=Monitor(
            is_training=False, current_epoch=0, current_hidden_units=0, current_phase="IDLE", total_metrics=0
        ),
        training_state=TrainingState(),
        network_loaded=spec is not None,
        training_active=False,
        params=network_spec.as_json(spec.parameters) if spec else {},
    )
