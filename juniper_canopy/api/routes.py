"""`/api/…`: what the page shows and does, for programs."""

from collections.abc import Awaitable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.errors import from_backend
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_common.errors import NotFoundError
from juniper_common.http import ClientError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_body, read_query
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


class DashboardState(BaseModel):
    """The answer of `GET /api/state`: what the dashboard itself holds, whether or not a service answers now."""

    mode: str
    connected: bool = Field(description="Whether the stream from the training service is there.")
    problem: str = Field(description="Why it is not.")
    run_id: str | None
    data_age_s: float | None = Field(description="Seconds since the trainer itself was heard.")
    epochs_held: int
    hidden_units_installed: int
    browsers: int


class MetricHistory(BaseModel):
    """The answer of `GET /api/metrics/history`, oldest first."""

    history: list[MetricRow]


class HistoryQuery(BaseModel):
    """How many epochs."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=100, ge=1, le=100_000)


class BoundaryQuery(BaseModel):
    """How fine a grid."""

    model_config = ConfigDict(extra="forbid")

    resolution: int = Field(default=50, ge=5, le=200)


class Done(BaseModel):
    """The answer of a change that has nothing to tell."""

    status: str = "ok"


Answered = TypeVar("Answered")
Found = TypeVar("Found", bound=BaseModel)


class DashboardApi:
    """The handlers, and the table of operations that they make."""

    def __init__(self, backend: BackendProtocol, live: LiveState, broadcaster: Broadcaster) -> None:
        self._backend = backend
        self._live = live
        self._broadcaster = broadcaster

    def operations(self) -> list[Operation]:
        """Every operation with its models."""
        return [
            Operation(method="GET", path="/api/status", handler=self.status, responses={200: TrainingStatus}),
            Operation(method="GET", path="/api/state", handler=self.state, responses={200: DashboardState}),
            Operation(method="GET", path="/api/metrics", handler=self.metrics, responses={200: MetricRow}),
            Operation(
                method="GET",
                path="/api/metrics/history",
                handler=self.history,
                query=HistoryQuery,
                responses={200: MetricHistory},
            ),
            Operation(method="GET", path="/api/topology", handler=self.topology, responses={200: Topology}),
            Operation(method="GET", path="/api/dataset", handler=self.dataset, responses={200: DatasetData}),
            Operation(
                method="GET",
                path="/api/decision_boundary",
                handler=self.decision_boundary,
                query=BoundaryQuery,
                responses={200: DecisionBoundary},
            ),
            Operation(method="GET", path="/api/statistics", handler=self.statistics, responses={200: NetworkStats}),
            Operation(
                method="POST",
                path="/api/train/start",
                handler=self.start,
                body=StartTraining,
                responses={200: TrainingStarted},
            ),
            Operation(method="POST", path="/api/train/pause", handler=self.pause, responses={200: Commanded}),
            Operation(method="POST", path="/api/train/resume", handler=self.resume, responses={200: Commanded}),
            Operation(method="POST", path="/api/train/stop", handler=self.stop, responses={200: Commanded}),
            Operation(method="POST", path="/api/train/reset", handler=self.reset, responses={200: Commanded}),
            Operation(
                method="GET",
                path="/api/train/status",
                handler=self.status,
                responses={200: TrainingStatus},
                name="train_status",
            ),
            Operation(
                method="POST",
                path="/api/set_params",
                handler=self.set_params,
                body=ChangeParameters,
                responses={200: Done},
            ),
        ]

    async def status(self, _: Request) -> Response:
        """The state of training, as the training service tells it."""
        return await _answer(self._backend.status())

    async def state(self, _: Request) -> Response:
        """What the dashboard holds, and how old it is."""
        run = self._live.run
        return json_response(
            DashboardState(
                mode=self._backend.mode,
                connected=self._live.link_up,
                problem=self._live.link_problem,
                run_id=self._live.run_id,
                data_age_s=self._live.data_age_s(),
                epochs_held=len(run) if run else 0,
                hidden_units_installed=len(run.installations) if run else 0,
                browsers=self._broadcaster.browsers,
            )
        )

    async def metrics(self, _: Request) -> Response:
        """The newest epoch."""
        rows = await _ask(self._backend.history(1))
        return json_response(_found(rows[-1] if rows else None, "No epoch was trained yet."))

    async def history(self, request: Request) -> Response:
        """The last epochs."""
        query = read_query(request, HistoryQuery)
        return json_response(MetricHistory(history=await _ask(self._backend.history(query.count))))

    async def topology(self, _: Request) -> Response:
        """The network."""
        return await _answer_if_there(self._backend.topology(), "There is no network yet.")

    async def dataset(self, _: Request) -> Response:
        """The patterns of the run."""
        return await _answer_if_there(self._backend.dataset(), "There is no dataset yet.")

    async def decision_boundary(self, request: Request) -> Response:
        """What the network decides over the plane."""
        query = read_query(request, BoundaryQuery)
        return await _answer_if_there(self._backend.decision_boundary(query.resolution), "There is no network yet.")

    async def statistics(self, _: Request) -> Response:
        """Figures of the network's weights."""
        return await _answer_if_there(self._backend.statistics(), "There is no network yet.")

    async def start(self, request: Request) -> Response:
        """Begin a run."""
        return await _answer(self._backend.start(await read_body(request, StartTraining)))

    async def pause(self, _: Request) -> Response:
        """Halt the run so that it can go on."""
        return await _answer(self._backend.pause())

    async def resume(self, _: Request) -> Response:
        """Go on with a paused run."""
        return await _answer(self._backend.resume())

    async def stop(self, _: Request) -> Response:
        """End the run."""
        return await _answer(self._backend.stop())

    async def reset(self, _: Request) -> Response:
        """Forget the network."""
        return await _answer(self._backend.reset())

    async def set_params(self, request: Request) -> Response:
        """Change parameters, while it trains too."""
        await _ask(self._backend.set_params(await read_body(request, ChangeParameters)))
        return json_response(Done())


async def _ask(call: Awaitable[Answered]) -> Answered:
    try:
        return await call
    except ClientError as error:
        raise from_backend(error) from error


async def _answer(call: Awaitable[BaseModel]) -> Response:
    return json_response(await _ask(call))


async def _answer_if_there(call: Awaitable[BaseModel | None], otherwise: str) -> Response:
    return json_response(_found(await _ask(call), otherwise))


def _found(answer: Found | None, otherwise: str) -> Found:
    if answer is None:
        raise NotFoundError(otherwise)
    return answer
