"""Clients of the training service: one for threads, one for event loops, and one that watches.

Each call raises a `juniper_common.http.ClientError` where it does not succeed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Literal, TypeVar

import httpx
import orjson
from pydantic import BaseModel, JsonValue, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from juniper_common.http import AsyncHttpClient, Call, ClientError, HttpClient, UnreachableError
from juniper_common.wire.envelope import Success
from juniper_common.wire.runs import RunList, RunRecord
from juniper_common.wire.snapshots import SnapshotList
from juniper_common.wire.stream import Greeting, Resumed, StreamMessage
from juniper_common.wire.training import (
    ChangeParameters,
    Commanded,
    CreateNetwork,
    DatasetData,
    DatasetSummary,
    DecisionBoundary,
    MetricRow,
    NetworkStats,
    NetworkSummary,
    RunParametersAnswer,
    StartTraining,
    Topology,
    TrainingStarted,
    TrainingStatus,
)

Command = Literal["stop", "pause", "resume", "reset"]

OPEN_TIMEOUT_S = 3.0
SILENCE_LIMIT_S = 45.0
"""The service pings every 20 seconds; longer silence is a connection that nobody closed."""

MAX_MESSAGE_BYTES = 64 << 20

ADDRESSED = frozenset(
    {"connection_established", "initial_status", "initial_metrics", "ping", "pong", "resume_ok", "resume_failed"}
)
"""Said to one watcher alone. Their number is that of the newest message, which may still be on its way."""

_POLL_S = 0.1
_READY = Call(path="/v1/health/ready")
T = TypeVar("T")


class JuniperCascorClient(HttpClient):
    """The training service, for threads. Use it as a context manager, or call `close`. Arguments as HttpClient's."""

    def wait_for_ready(self, timeout_s: float = 30.0) -> None:
        """Return once the service is ready. Raises UnreachableError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if time.monotonic() >= deadline:
                raise UnreachableError(f"{self._http.base_url}: not ready within {timeout_s:g} s")
            time.sleep(_POLL_S)

    def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return self._http.get(_READY.path).is_success
        except httpx.TransportError:
            return False

    def create_network(self, network: CreateNetwork | None = None) -> NetworkSummary:
        """Load a network for the next run."""
        return _data(NetworkSummary, self.send(_create_network(network)))

    def network(self) -> NetworkSummary:
        """The loaded network. Raises NotFoundError."""
        return _data(NetworkSummary, self.send(Call(path="/v1/network")))

    def delete_network(self) -> None:
        """Unload the network."""
        self.send(Call(method="DELETE", path="/v1/network"))

    def start(self, request: StartTraining | None = None) -> TrainingStarted:
        """Start a run. Raises ConflictError while one is active."""
        return _data(TrainingStarted, self.send(_start(request)))

    def command(self, command: Command) -> Commanded:
        """Stop, pause, resume or reset. Raises ConflictError from a state that does not allow it."""
        return _data(Commanded, self.send(_command(command)))

    def status(self) -> TrainingStatus:
        """Where the run stands."""
        return _data(TrainingStatus, self.send(Call(path="/v1/training/status")))

    def change(self, change: ChangeParameters) -> RunParametersAnswer:
        """Change the fields that are set in `change`, while it trains too."""
        return _data(RunParametersAnswer, self.send(_change(change)))

    def history(self, count: int = 1_000) -> list[MetricRow]:
        """The newest metric rows, oldest first."""
        return _data(list[MetricRow], self.send(_history(count)))

    def topology(self) -> Topology:
        """Every unit and weight. Raises NotFoundError."""
        return _data(Topology, self.send(Call(path="/v1/network/topology")))

    def decision_boundary(self, resolution: int = 50) -> DecisionBoundary:
        """What the network answers on a grid. Raises NotFoundError."""
        return _data(DecisionBoundary, self.send(_boundary(resolution)))

    def runs(self, limit: int = 100) -> list[RunRecord]:
        """Every training ever started, newest first."""
        return _data(RunList, self.send(Call(path="/v1/runs", params={"limit": limit}))).runs

    def run(self, run_id: str) -> RunRecord:
        """One run's record. Raises NotFoundError."""
        return _data(RunRecord, self.send(Call(path=f"/v1/runs/{run_id}")))

    def snapshots(self, limit: int = 100) -> SnapshotList:
        """The snapshots of all runs, newest first."""
        return _data(SnapshotList, self.send(Call(path="/v1/snapshots", params={"limit": limit})))


class AsyncJuniperCascorClient(AsyncHttpClient):
    """The training service, for event loops. Arguments as HttpClient's."""

    async def is_ready(self) -> bool:
        """Whether the service answers and says that it is ready."""
        try:
            return (await self._http.get(_READY.path)).is_success
        except httpx.TransportError:
            return False

    async def start(self, request: StartTraining | None = None) -> TrainingStarted:
        """Start a run. Raises ConflictError while one is active."""
        return _data(TrainingStarted, await self.send(_start(request)))

    async def command(self, command: Command) -> Commanded:
        """Stop, pause, resume or reset. Raises ConflictError from a state that does not allow it."""
        return _data(Commanded, await self.send(_command(command)))

    async def status(self) -> TrainingStatus:
        """Where the run stands."""
        return _data(TrainingStatus, await self.send(Call(path="/v1/training/status")))

    async def change(self, change: ChangeParameters) -> RunParametersAnswer:
        """Change the fields that are set in `change`, while it trains too."""
        return _data(RunParametersAnswer, await self.send(_change(change)))

    async def history(self, count: int = 1_000) -> list[MetricRow]:
        """The newest metric rows, oldest first."""
        return _data(list[MetricRow], await self.send(_history(count)))

    async def topology(self) -> Topology:
        """Every unit and weight. Raises NotFoundError."""
        return _data(Topology, await self.send(Call(path="/v1/network/topology")))

    async def stats(self) -> NetworkStats:
        """Figures of the output weights. Raises NotFoundError."""
        return _data(NetworkStats, await self.send(Call(path="/v1/network/stats")))

    async def dataset(self) -> DatasetSummary:
        """What the run trains on. Raises NotFoundError."""
        return _data(DatasetSummary, await self.send(Call(path="/v1/dataset")))

    async def dataset_data(self) -> DatasetData:
        """The rows that the run trains on. Raises NotFoundError."""
        return _data(DatasetData, await self.send(Call(path="/v1/dataset/data")))

    async def decision_boundary(self, resolution: int = 50) -> DecisionBoundary:
        """What the network answers on a grid. Raises NotFoundError."""
        return _data(DecisionBoundary, await self.send(_boundary(resolution)))


class CascorTrainingStream:
    """Watches `/ws/training`, and takes up where it was after a lost connection.

    Args:
        url: of the service, as in `http://127.0.0.1:8200`.
        api_key: sent as X-API-Key.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self._url = "ws" + url.removeprefix("http").rstrip("/") + "/ws/training"
        self._headers = {"X-API-Key": api_key} if api_key else {}
        self._server: str | None = None
        self._last_seq = 0

    async def messages(self) -> AsyncIterator[StreamMessage]:
        """The messages of one connection, in order; those that were missed since the one before it come first.

        The first is `connection_established` where the stream begins anew, so that what was held must be fetched again,
        or `resume_ok` where nothing is missing.

        Raises:
            UnreachableError: the connection is lost; call again to go on.
        """
        try:
            async with connect(
                self._url,
                additional_headers=self._headers,
                open_timeout=OPEN_TIMEOUT_S,
                max_size=MAX_MESSAGE_BYTES,
                proxy=None,
            ) as socket:
                for message in await self._begin(socket):
                    yield self._seen(message)
                while True:
                    yield self._seen(await _receive(socket))
        except (OSError, TimeoutError, WebSocketException) as error:
            raise UnreachableError(f"{self._url}: {error or type(error).__name__}") from error

    def _seen(self, message: StreamMessage) -> StreamMessage:
        if message.type not in ADDRESSED:
            self._last_seq = message.seq
        return message

    async def _begin(self, socket: ClientConnection) -> list[StreamMessage]:
        greeting = await _receive(socket)
        server = Greeting.model_validate(greeting.data).server_instance_id
        known, self._server = self._server, server
        if known is None:
            self._last_seq = greeting.seq
            return [greeting]
        request: JsonValue = {"last_seq": self._last_seq, "server_instance_id": known}
        await socket.send(orjson.dumps({"type": "resume", "data": request}).decode())
        # What comes before the answer is newer than what was missed: it waits.
        waiting: list[StreamMessage] = []
        while (answer := await _receive(socket)).type not in ("resume_ok", "resume_failed"):
            waiting.append(answer)
        if answer.type == "resume_failed":
            self._last_seq = greeting.seq
            return [greeting, *waiting]
        missed = Resumed.model_validate(answer.data).messages
        return [answer, *missed, *(m for m in waiting if m.type not in ADDRESSED)]


async def _receive(socket: ClientConnection) -> StreamMessage:
    async with asyncio.timeout(SILENCE_LIMIT_S):
        text = await socket.recv()
    try:
        return StreamMessage.model_validate_json(text)
    except ValidationError as error:
        raise UnreachableError(f"not a message of the training stream: {error}") from error


def _create_network(network: CreateNetwork | None) -> Call:
    return Call(method="POST", path="/v1/network", json=_body(network or CreateNetwork()))


def _start(request: StartTraining | None) -> Call:
    return Call(method="POST", path="/v1/training/start", json=_body(request or StartTraining()))


def _command(command: Command) -> Call:
    return Call(method="POST", path=f"/v1/training/{command}")


def _change(change: ChangeParameters) -> Call:
    return Call(method="PATCH", path="/v1/training/params", json=_body(change))


def _history(count: int) -> Call:
    return Call(path="/v1/metrics/history", params={"count": count})


def _boundary(resolution: int) -> Call:
    return Call(path="/v1/decision-boundary", params={"resolution": resolution})


def _body(model: BaseModel) -> dict[str, JsonValue]:
    """Only what was said: a null pace means full speed, and silence leaves it as it is."""
    return model.model_dump(mode="json", exclude_unset=True)


def _data(kind: type[T], response: httpx.Response) -> T:
    try:
        return Success[kind].model_validate_json(response.content).data  # type: ignore[valid-type]
    except ValidationError as error:
        raise ClientError(f"{response.url}: not an answer of the training service: {error}") from error
