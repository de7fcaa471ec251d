"""The backend of a host with its services: commands and questions over HTTP, news over one WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Literal, TypeVar

from juniper_canopy.backend import stream
from juniper_canopy.backend.protocol import StoredDataset
from juniper_canopy.backend.updates import Update
from juniper_cascor.client import AsyncJuniperCascorClient, CascorTrainingStream
from juniper_common.health import Probe
from juniper_common.http import AsyncHttpClient, Call, NotFoundError
from juniper_common.wire.datasets import DatasetMeta
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
from juniper_data.client import AsyncJuniperDataClient

Answer = TypeVar("Answer")

DATASETS_SHOWN = 100
ATTEMPTS = 2
"""A person waits for the answer: a service that is away is said to be away, not tried for long."""


class ServiceBackend:
    """Fulfils BackendProtocol with the real services.

    Args:
        cascor: commands and questions to the training service.
        data: questions to the data service.
        news: the subscription to the training service.
    """

    mode: Literal["service"] = "service"

    def __init__(
        self, cascor: AsyncJuniperCascorClient, data: AsyncJuniperDataClient, news: CascorTrainingStream
    ) -> None:
        self._cascor = cascor
        self._data = data
        self._news = news

    @classmethod
    def connect(
        cls, cascor_url: str, data_url: str, *, cascor_key: str | None = None, data_key: str | None = None
    ) -> "ServiceBackend":
        """The backend of two addresses. Nothing is sent yet."""
        return cls(
            AsyncJuniperCascorClient(cascor_url, api_key=cascor_key, attempts=ATTEMPTS),
            AsyncJuniperDataClient(data_url, api_key=data_key, attempts=ATTEMPTS),
            CascorTrainingStream(cascor_url, cascor_key),
        )

    def updates(self) -> AsyncIterator[Update]:
        """What happens, from now on."""
        return stream.follow(self._news)

    async def status(self) -> TrainingStatus:
        """The state of training."""
        return await self._cascor.status()

    async def history(self, count: int) -> list[MetricRow]:
        """The run's last epochs, oldest first."""
        return await self._cascor.history(count)

    async def topology(self) -> Topology | None:
        """The network, or None while there is none."""
        return await _if_there(self._cascor.topology())

    async def statistics(self) -> NetworkStats | None:
        """Figures of the network's weights, or None while there is none."""
        return await _if_there(self._cascor.stats())

    async def dataset(self) -> DatasetData | None:
        """The patterns that the run trains on, or None while there are none."""
        return await _if_there(self._cascor.dataset_data())

    async def decision_boundary(self, resolution: int) -> DecisionBoundary | None:
        """What the network decides over the plane, or None while there is none."""
        return await _if_there(self._cascor.decision_boundary(resolution))

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Begin a run."""
        return await self._cascor.start(request)

    async def pause(self) -> Commanded:
        """Halt the run so that it can go on."""
        return await self._cascor.command("pause")

    async def resume(self) -> Commanded:
        """Go on with a paused run."""
        return await self._cascor.command("resume")

    async def stop(self) -> Commanded:
        """End the run."""
        return await self._cascor.command("stop")

    async def reset(self) -> Commanded:
        """Forget the network."""
        return await self._cascor.command("reset")

    async def set_params(self, change: ChangeParameters) -> None:
        """Change the fields that are set in `change`, while it trains too."""
        await self._cascor.change(change)

    async def stored_datasets(self) -> list[StoredDataset]:
        """What the data service keeps, newest first."""
        identifiers = await self._data.list_datasets(limit=DATASETS_SHOWN)
        kept = await asyncio.gather(*(self._data.get_dataset(identifier) for identifier in identifiers))
        newest_first = sorted(kept, key=lambda meta: meta.created_at, reverse=True)
        return [StoredDataset(meta.dataset_id, _label(meta)) for meta in newest_first]

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service how it is."""
        return {"juniper_data": _probe(self._data), "juniper_cascor": _probe(self._cascor)}

    async def close(self) -> None:
        """Let go of connections."""
        await self._cascor.close()
        await self._data.close()


async def _if_there(call: Awaitable[Answer]) -> Answer | None:
    try:
        return await call
    except NotFoundError:
        return None


def _probe(client: AsyncHttpClient) -> Probe:
    async def ask() -> str:
        await client.send(Call(path="/v1/health", idempotent=False))
        return "answers"

    return ask


def _label(meta: DatasetMeta) -> str:
    name = meta.dataset_name or meta.generator.replace("_", " ")
    return f"{name}, {meta.n_samples} patterns ({meta.dataset_id.rsplit('-', 1)[-1][:6]})"
