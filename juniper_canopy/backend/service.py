"""The backend of a host with its services: commands and questions over HTTP, news over one WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Literal, TypeVar

from pydantic import BaseModel, JsonValue

from juniper_canopy.backend.protocol import StoredDataset
from juniper_canopy.backend.stream import TrainingStream
from juniper_canopy.backend.updates import Update
from juniper_common.health import Probe
from juniper_common.http import AsyncHttpClient, NotFoundError
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

Model = TypeVar("Model", bound=BaseModel)

DATASETS_SHOWN = 100


class _Answer(BaseModel):
    """The training service's envelope."""

    data: JsonValue


class _Rows(BaseModel):
    rows: list[MetricRow]


class ServiceBackend:
    """Fulfils BackendProtocol with the real services.

    Args:
        cascor: HTTP to the training service.
        data: HTTP to the data service.
        stream: the subscription to the training service.
    """

    mode: Literal["service"] = "service"

    def __init__(self, cascor: AsyncHttpClient, data: AsyncJuniperDataClient, stream: TrainingStream) -> None:
        self._cascor = cascor
        self._data = data
        self._stream = stream

    @classmethod
    def connect(
        cls, cascor_url: str, data_url: str, *, cascor_key: str | None = None, data_key: str | None = None
    ) -> "ServiceBackend":
        """The backend of two addresses. Nothing is sent yet."""
        socket_url = "ws" + cascor_url.removeprefix("http").rstrip("/") + "/ws/training"
        return cls(
            AsyncHttpClient(cascor_url, api_key=cascor_key, attempts=2),
            AsyncJuniperDataClient(data_url, api_key=data_key, attempts=2),
            TrainingStream(socket_url, cascor_key),
        )

    def updates(self) -> AsyncIterator[Update]:
        """What happens, from now on."""
        return self._stream.updates()

    async def status(self) -> TrainingStatus:
        """The state of training."""
        return TrainingStatus.model_validate(await self._get("/v1/training/status"))

    async def history(self, count: int) -> list[MetricRow]:
        """The run's last epochs, oldest first."""
        answer = await self._get("/v1/metrics/history", {"count": count})
        return _Rows.model_validate({"rows": answer}).rows

    async def topology(self) -> Topology | None:
        """The network, or None while there is none."""
        return await self._get_if_there("/v1/network/topology", Topology)

    async def statistics(self) -> NetworkStats | None:
        """Figures of the network's weights, or None while there is none."""
        return await self._get_if_there("/v1/network/stats", NetworkStats)

    async def dataset(self) -> DatasetData | None:
        """The patterns that the run trains on, or None while there are none."""
        return await self._get_if_there("/v1/dataset/data", DatasetData)

    async def decision_boundary(self, resolution: int) -> DecisionBoundary | None:
        """What the network decides over the plane, or None while there is none."""
        return await self._get_if_there("/v1/decision-boundary", DecisionBoundary, {"resolution": resolution})

    async def start(self, request: StartTraining) -> TrainingStarted:
        """Begin a run."""
        return TrainingStarted.model_validate(await self._post("/v1/training/start", _body(request)))

    async def pause(self) -> Commanded:
        """Halt the run so that it can go on."""
        return Commanded.model_validate(await self._post("/v1/training/pause"))

    async def resume(self) -> Commanded:
        """Go on with a paused run."""
        return Commanded.model_validate(await self._post("/v1/training/resume"))

    async def stop(self) -> Commanded:
        """End the run."""
        return Commanded.model_validate(await self._post("/v1/training/stop"))

    async def reset(self) -> Commanded:
        """Forget the network."""
        return Commanded.model_validate(await self._post("/v1/training/reset"))

    async def set_params(self, change: ChangeParameters) -> None:
        """Change the fields that are set in `change`, while it trains too."""
        await self._cascor.request("PATCH", "/v1/training/params", json=_body(change))

    async def stored_datasets(self) -> list[StoredDataset]:
        """What the data service keeps, newest first."""
        identifiers = await self._data.list_datasets(limit=DATASETS_SHOWN)
        kept = await asyncio.gather(*(self._data.get_dataset(identifier) for identifier in identifiers))
        newest_first = sorted(kept, key=lambda meta: meta.created_at, reverse=True)
        return [StoredDataset(meta.dataset_id, _label(meta)) for meta in newest_first]

    def probes(self) -> Mapping[str, Probe]:
        """How to ask each service how it is."""

        def probe(client: AsyncHttpClient) -> Probe:
            async def ask() -> str:
                await client.request("GET", "/v1/health", idempotent=False)
                return "answers"

            return ask

        return {"juniper_data": probe(self._data), "juniper_cascor": probe(self._cascor)}

    async def close(self) -> None:
        """Let go of connections."""
        await self._cascor.close()
        await self._data.close()

    async def _get(self, path: str, params: Mapping[str, int] | None = None) -> JsonValue:
        response = await self._cascor.request("GET", path, params=params)
        return _Answer.model_validate_json(response.content).data

    async def _get_if_there(
        self, path: str, model: type[Model], params: Mapping[str, int] | None = None
    ) -> Model | None:
        try:
            return model.model_validate(await self._get(path, params))
        except NotFoundError:
            return None

    async def _post(self, path: str, body: JsonValue = None) -> JsonValue:
        response = await self._cascor.request("POST", path, json=body)
        return _Answer.model_validate_json(response.content).data


def _body(model: BaseModel) -> dict[str, JsonValue]:
    """Only what was said: a null pace means full speed, and silence leaves it as it is."""
    return model.model_dump(mode="json", exclude_unset=True)


def _label(meta: DatasetMeta) -> str:
    name = meta.dataset_name or meta.generator.replace("_", " ")
    return f"{name}, {meta.n_samples} patterns ({meta.dataset_id.rsplit('-', 1)[-1][:6]})"
