"""What the dashboard needs of a backend. Pages, REST and the live stream know this protocol and no service."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from juniper_canopy.backend.updates import Update
from juniper_common.health import Probe
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    DatasetData,
    DecisionBoundary,
    MetricRow,
    NetworkStats,
    StartTraining,
    Topology,
    TrainingStarted,
    TrainingStatus,
)


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A dataset that training can begin on."""

    dataset_id: str
    label: str


class BackendProtocol(Protocol):
    """Every call raises `juniper_common.http.ClientError` when it does not succeed, with the reason in words."""

    @property
    def mode(self) -> Literal["service", "demo"]:
        """Whether real services are behind it."""
        ...

    def updates(self) -> AsyncIterator[Update]:
        """What happens, from now on. Ends only when it is closed: it reconnects by itself and tells of both."""
        ...

    async def status(self) -> TrainingStatus:
        """The state of training."""
        ...

    async def history(self, count: int) -> list[MetricRow]:
        """The run's last epochs, oldest first."""
        ...

    async def topology(self) -> Topology | None:
        """The network, or None while there is none."""
        ...

    async def statistics(self) -> NetworkStats | None:
        """Figures of the network's weights, or None while there is none."""
        ...

    async def dataset(self) -> DatasetData | None:
        """The patterns that the run trains on, or None while there are none."""
        ...

    async def decision_boundary(self, resolution: int) -> DecisionBoundary | None:
        """What the network decides over the plane, or None while there is none."""
        ...

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Begin a run."""
        ...

    async def pause(self) -> Commanded:
        """Halt the run so that it can go on."""
        ...

    async def resume(self) -> Commanded:
        """Go on with a paused run."""
        ...

    async def stop(self) -> Commanded:
        """End the run."""
        ...

    async def reset(self) -> Commanded:
        """Forget the network."""
        ...

    async def set_params(self, change: ChangeParameters) -> None:
        """Change the fields that are set in `change`, while it trains too."""
        ...

    async def stored_datasets(self) -> list[StoredDataset]:
        """What the data service keeps, newest first."""
        ...

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service that this backend needs how it is."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
