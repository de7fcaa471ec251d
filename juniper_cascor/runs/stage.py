"""What is shown: a run, a network that was loaded or edited, or a growth that is replayed."""

import time
import uuid
from dataclasses import dataclass, replace

from pydantic import JsonValue

from juniper_cascor import versions
from juniper_cascor.engine.errors import ParameterError
from juniper_cascor.engine.network import Network
from juniper_cascor.runs import network_spec
from juniper_cascor.runs.history import History, rows_of
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.replay import Replay
from juniper_cascor.runs.session import Session
from juniper_cascor.runs.snapshot_catalogue import can_resume
from juniper_cascor.snapshots import Card, Snapshot
from juniper_common.errors import ConflictError, NotFoundError
from juniper_common.wire.errors import FieldProblem
from juniper_common.wire.models import Label
from juniper_common.wire.training import Monitor, StateMachine, Status, TrainingState, TrainingStatus


@dataclass
class Stage:
    """What is shown. While a growth is replayed, the network at its position is the loaded one."""

    session: Session | None = None
    spec: NetworkSpec | None = None  # of a network that no run here has grown
    network: Network | None = None  # restored or edited
    snapshot: Snapshot | None = None  # what was restored; once it is edited, without the state of its training
    snapshot_id: str | None = None
    curve: History | None = None  # of what was restored
    replay: Replay | None = None

    @property
    def status(self) -> Status:
        """The state of the foreground."""
        if self.replay is not None:
            return "REPLAYING"
        if self.is_restored:
            return "RESUME_READY"
        return "STOPPED" if self.session is None else self.session.state.status

    @property
    def is_restored(self) -> bool:
        """The training of a snapshot can be resumed as it was kept."""
        return self.snapshot is not None and can_resume(self.snapshot)

    @property
    def card(self) -> Card | None:
        """Of the snapshot that is replayed, or was restored."""
        if self.replay is not None:
            return self.replay.frame.card
        return self.snapshot.card if self.snapshot else None

    @property
    def run_id(self) -> str | None:
        """The run, or the one that is replayed."""
        if self.replay is not None:
            return self.replay.run_id
        return self.session.run_id if self.session else None

    @property
    def name(self) -> str:
        """What the network goes by: the id of its run or snapshot, where it is as that left it."""
        if self.replay is not None:
            return self.replay.frame.snapshot_id
        if self.network is not None and (self.snapshot is None or self.network is not self.snapshot.network):
            return "the edited network"
        return self.run_id or self.snapshot_id or "the loaded network"

    @property
    def parent_id(self) -> str | None:
        """The snapshot that the loaded network was, edited or not."""
        return self.replay.frame.snapshot_id if self.replay is not None else self.snapshot_id

    @property
    def labels(self) -> list[Label] | None:
        """The network's classes as they were given, where that is known."""
        return self.card.labels if self.card else None

    @property
    def history(self) -> History:
        """The epochs of the run, or of what is replayed or restored."""
        if self.replay is not None:
            return History.of(self.replay.frame.rows)
        return self.curve or (self.session.history if self.session else History(1))

    @property
    def has_network(self) -> bool:
        """Whether a network is loaded."""
        return self.session is not None or self.spec is not None or self.replay is not None

    def show(self, session: Session | None = None) -> None:
        """Show a run, or nothing."""
        self.session = session
        self.spec = self.network = self.snapshot = self.snapshot_id = self.curve = None

    def show_loaded(self, spec: NetworkSpec, snapshot: Snapshot | None = None, snapshot_id: str | None = None) -> None:
        """Show a network that no run here has grown: a new one, or a snapshot's."""
        self.show()
        self.spec, self.snapshot, self.snapshot_id = spec, snapshot, snapshot_id
        if snapshot is not None:
            self.network, self.curve = snapshot.network, History.of(rows_of(snapshot.metrics))

    def show_edited(self, network: Network) -> None:
        """Show what an edit has made of the network; a training that had another one cannot be resumed with it."""
        self.network = network
        if self.snapshot is not None:
            card = self.snapshot.card.model_copy(update={"outcome": None})
            self.snapshot = replace(self.snapshot, card=card, state={})

    def offer(self, session: Session) -> None:
        """Show a run that begins, unless something else is shown that somebody put there."""
        is_free = self.session is None and self.spec is None
        has_ended = self.session is not None and self.session.state.is_over and self.network is None
        if (is_free or has_ended) and self.replay is None:
            self.show(session)

    def loaded_spec(self) -> NetworkSpec:
        """The network's shape and parameters. Raises NotFoundError; ConflictError where they are unknown here."""
        if self.replay is not None:
            frame = self.replay.frame
            return spec_of(frame.snapshot_id, frame.card, frame.network)
        if self.spec is not None:
            return self.spec
        if self.session is None:
            raise NotFoundError("no network is loaded: create one, or start training")
        return self.session.loaded_spec()

    def loaded_network(self) -> Network:
        """The network as it stands. Raises NotFoundError."""
        if self.replay is not None:
            return self.replay.frame.network
        if self.network is not None:
            return self.network
        if self.session is not None:
            return self.session.loaded_network()
        return self.loaded_spec().untrained()

    def as_snapshot(self) -> Snapshot:
        """The loaded network, to be grown on from or kept. Raises NotFoundError."""
        network, session = self.loaded_network(), self.session
        known = {
            "hidden_units": network.n_hidden_units,
            "created_at": time.time(),
            "parameters": network_spec.as_json(self.loaded_spec().parameters),
        }
        if self.card is not None:
            kept = self.snapshot if self.snapshot and self.replay is None else Snapshot(self.card, network)
            return replace(kept, card=self.card.model_copy(update=known), network=network)
        card = Card(
            epoch=session.state.epoch if session else 0,
            seed=session.record.seed if session else 0,
            task=network.task,
            dataset_id=session.dataset_id if session else None,
            dataset_checksum=session.dataset_checksum if session else None,
            backend=session.record.backend if session else "none",
            versions=versions.of_libraries(),
            **known,
        )
        return Snapshot(card, network)

    def training_status(self) -> TrainingStatus:
        """All that is to be said of the foreground."""
        if self.session is not None and self.replay is None:
            status = self.session.status()
            if self.network is not None:
                status.monitor.current_hidden_units = self.network.n_hidden_units
            if self.spec is not None:
                status.params = network_spec.as_json(self.spec.parameters)
            return status
        card = self.card
        return TrainingStatus(
            state_machine=StateMachine(status=self.status, phase="IDLE"),
            monitor=Monitor(
                is_training=False,
                current_epoch=card.epoch if card else 0,
                current_hidden_units=self.loaded_network().n_hidden_units if self.has_network else 0,
                current_phase="IDLE",
                total_metrics=len(self.history),
            ),
            training_state=TrainingState(),
            network_loaded=self.has_network,
            training_active=False,
            run_id=self.run_id,
            dataset_id=card.dataset_id if card else None,
            seed=card.seed if card else None,
            params=self._params(),
        )

    def _params(self) -> dict[str, JsonValue]:
        if self.replay is not None:
            return self.replay.frame.card.parameters
        return network_spec.as_json(self.spec.parameters) if self.spec else {}


def spec_of(snapshot_id: str, card: Card, network: Network) -> NetworkSpec:
    """What a snapshot's network is grown by. Raises ConflictError where this version does not know its parameters."""
    try:
        parameters = network_spec.from_json(card.parameters)
    except (ParameterError, TypeError) as error:
        message = f"snapshot {snapshot_id} was made with parameters unknown here: {error}"
        raise ConflictError(message, (FieldProblem(loc=["snapshot_id"], msg=message),)) from error
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, snapshot_id))
    return NetworkSpec(network.n_inputs, network.n_outputs, parameters, name)
