"""A run as it stands: the network that it has grown, its epochs, and what its next phase is trained with."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from juniper_cascor.engine.network import Network
from juniper_cascor.runs import dataset_file, network_spec, snapshot_folder
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.history import History, rows_of
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.run_status import status_of
from juniper_cascor.runs.state_machine import State
from juniper_common.errors import NotFoundError
from juniper_common.wire.runs import RunChange, RunRecord
from juniper_common.wire.training import TrainingStatus

KEPT_DATA_BYTES = 64 << 20
"""A dataset up to this size stays in memory while its run is looked at; a larger one is read each time."""


class Growth:
    """What is known of a run, whoever works on it.

    Args:
        record: what is kept of it.
        state: where it stands.
        datasets: where data is kept.
        history_rows: how many epochs are kept for charts.
        spec: of its network, where that is known before the network is.
        changes: what was changed while it trained.
        recorded_epoch: as far as an earlier process has recorded its metrics.
    """

    def __init__(
        self,
        record: RunRecord,
        state: State,
        datasets: Path,
        history_rows: int,
        spec: NetworkSpec | None,
        changes: Sequence[RunChange],
        recorded_epoch: int,
    ) -> None:
        self.record = record
        self.state = state
        self.parameters = network_spec.from_json(record.params)
        self.dataset_id, self.dataset_checksum = record.dataset_id, record.dataset_checksum
        self.network: Network | None = None
        self.history = History(history_rows)
        self.recorded_epoch = recorded_epoch
        self.changes: list[RunChange] = []
        self._spec = spec
        self._datasets = datasets
        self._data: TrainingData | None = None
        for change in changes:
            self.note(change)

    @property
    def run_id(self) -> str:
        """The run."""
        return self.record.id

    def note(self, change: RunChange) -> None:
        """Something was set: the next phase has it."""
        self.changes.append(change)
        self.parameters = network_spec.replaced(self.parameters, change.params)
        if change.dataset_checksum is not None:
            self.dataset_id, self.dataset_checksum = change.dataset_id, change.dataset_checksum
            self._data = None

    def has_grown_to(self, network: Network) -> None:
        """The network is this one now."""
        self.network = network
        self._spec = self._spec or NetworkSpec(network.n_inputs, network.n_outputs, self.parameters)

    async def recall(self, snapshots: Path) -> None:
        """Read network and metrics from the newest snapshot: of a run that this process has not trained."""
        snapshot = await asyncio.to_thread(snapshot_folder.newest, snapshots, self.run_id)
        epoch = 0
        if snapshot is not None:
            self.has_grown_to(snapshot.network)
            epoch = snapshot.card.epoch
            self.history.append(rows_of(snapshot.metrics))
        if not self.state.is_over:  # What came after the snapshot is trained again, and seen anew.
            self.state = replace(self.state, epoch=epoch)

    def loaded_spec(self) -> NetworkSpec:
        """The network's shape, and the parameters of its next phase. Raises NotFoundError before they are known."""
        if self._spec is None:
            raise NotFoundError(f"run {self.run_id} has no network yet")
        return replace(self._spec, parameters=self.parameters)

    def loaded_network(self) -> Network:
        """The network as it has grown so far. Raises NotFoundError before it is known."""
        return self.network or self.loaded_spec().untrained()

    async def data(self) -> TrainingData:
        """What the run trains on. Raises DatasetFileError."""
        if self._data is None:
            data = await asyncio.to_thread(dataset_file.read, self._datasets / f"{self.dataset_checksum}.npz")
            if data.x.nbytes > KEPT_DATA_BYTES:
                return data
            self._data = data
        return self._data

    def data_bytes(self) -> int:
        """How large the file of its data is; 0 where there is none."""
        path = self._datasets / f"{self.dataset_checksum}.npz"
        return path.stat().st_size if path.exists() else 0

    def record_now(self) -> RunRecord:
        """The record as it would be written now."""
        return self.record.model_copy(
            update={
                "status": self.state.status,
                "epochs": self.state.epoch,
                "hidden_units": self.network.n_hidden_units if self.network else self.record.hidden_units,
                "outcome": self.state.outcome,
                "reason": self.state.reason,
            }
        )

    def status(self) -> TrainingStatus:
        """All that is to be said of the run."""
        return status_of(
            self.record,
            self.state,
            self.parameters,
            dataset_id=self.dataset_id,
            hidden_units=self.network.n_hidden_units if self.network else 0,
            total_metrics=len(self.history),
            network_loaded=self._spec is not None,
        )
