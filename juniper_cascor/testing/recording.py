"""What a real run said, and how a fake reads it. `python -m juniper_cascor.testing.record` makes the files."""

import functools
import gzip
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.dataset_file import Matrix, TrainingData
from juniper_cascor.runs.history import Rows, rows_of
from juniper_cascor.snapshots import METRICS
from juniper_common.wire.host import HostReport
from juniper_common.wire.models import ModelCard, Prediction
from juniper_common.wire.runs import RunDetail, RunMetrics
from juniper_common.wire.snapshots import SnapshotDetail
from juniper_common.wire.stream import StreamMessage
from juniper_common.wire.training import (
    CandidateProgress,
    CascadeAdd,
    DatasetData,
    DatasetSummary,
    DecisionBoundary,
    MetricRow,
    NetworkStats,
    NetworkSummary,
    StartTraining,
    Topology,
    TrainingStatus,
)
from juniper_common.wire.workers import Worker

RecordingName = Literal["two_spirals", "xor", "demo"]

_TYPES = {"hidden_weights": "float32", "fan_ins": "int64", "activations": "uint8"}


class Step(BaseModel):
    """The run as it stood at one of its snapshots."""

    snapshot: SnapshotDetail
    topology: Topology
    stats: NetworkStats
    arrays: dict[str, list[float] | list[list[float]]]
    """The network in the snapshot's file, as `Network.arrays` has it."""

    @functools.cached_property
    def network(self) -> Network:
        """The network."""
        arrays = {name: np.array(values, _TYPES.get(name, "float64")) for name, values in self.arrays.items()}
        return Network.from_arrays(arrays, "classification")


class Recording(BaseModel):
    """One run from its start to its end, in the service's own words; only names, times and sizes were made uniform."""

    request: StartTraining
    network: NetworkSummary
    status: TrainingStatus
    run: RunDetail
    history: list[MetricRow]
    metrics: RunMetrics
    dataset: DatasetSummary
    data: DatasetData
    steps: list[Step]
    boundary: DecisionBoundary
    prediction: Prediction
    """For the first rows of the training data."""
    card: ModelCard
    """Of the last network, promoted to a name."""
    host: HostReport
    worker: Worker
    messages: list[StreamMessage]
    """From the greeting to the end."""

    @functools.cached_property
    def networks(self) -> list[Network]:
        """The network with 0, 1, 2, … hidden units; the last one at the run's end."""
        first = self.steps[0].network
        bare = next(topology for topology in self._topologies() if not topology.hidden_units)
        weights = np.column_stack([bare.output_bias, bare.output_weights])
        grown = {len(step.topology.hidden_units): step.network for step in self.steps}
        return [Network(first.feature_mean, first.feature_scale, (), (), weights), *grown.values()]

    @functools.cached_property
    def training_data(self) -> TrainingData:
        """What the run trained on, as the engine reads it."""
        return TrainingData(
            x=np.array(self.data.train_x, np.float32),
            y=self._targets(self.data.train_y),
            x_val=np.array(self.data.val_x, np.float32) if self.data.val_x else None,
            y_val=self._targets(self.data.val_y) if self.data.val_y else None,
        )

    @functools.cached_property
    def installs(self) -> list[CascadeAdd]:
        """Each hidden unit as it came."""
        return [CascadeAdd.model_validate(message.data) for message in self._of_type("cascade_add")]

    @functools.cached_property
    def scores(self) -> list[CandidateProgress]:
        """The candidate pools' scores, in the order of their epochs."""
        return [CandidateProgress.model_validate(message.data) for message in self._of_type("candidate_progress")]

    @functools.cached_property
    def rows(self) -> Rows:
        """The history as the service holds it."""
        return rows_of({name: np.array([_value(row, name) for row in self.history]) for name in METRICS})

    @property
    def epochs(self) -> int:
        """How long it is."""
        return len(self.history)

    def hidden_units(self, epoch: int) -> int:
        """How many hidden units there are at an epoch."""
        return sum(unit.epoch <= epoch for unit in self.installs)

    def _topologies(self) -> list[Topology]:
        return [Topology.model_validate(message.data) for message in self._of_type("topology")]

    def _of_type(self, kind: str) -> list[StreamMessage]:
        return [message for message in self.messages if message.type == kind]

    def _targets(self, y: list[int] | list[list[float]]) -> Matrix:
        """A column for each output."""
        classes = np.array(y, np.int64)
        n_outputs = self.network.output_size
        targets: NDArray[np.float32] = (
            classes[:, np.newaxis].astype(np.float32)
            if n_outputs == 1
            else np.eye(n_outputs, dtype=np.float32)[classes]
        )
        return targets


@functools.cache
def load(name: RecordingName) -> Recording:
    """A recording; all who ask share it, and leave it as it is."""
    file = resources.files("juniper_cascor.testing") / "recordings" / f"{name}.json.gz"
    return read(file.read_bytes())


def read(content: bytes) -> Recording:
    """The recording that a file holds."""
    return Recording.model_validate_json(gzip.decompress(content))


def _value(row: MetricRow, name: str) -> float:
    if name == "phase":
        return float(row.phase == "candidate")
    value: float | None = getattr(row, {"time": "timestamp"}.get(name, name))
    return float("nan") if value is None else value
