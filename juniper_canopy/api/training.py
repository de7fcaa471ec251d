"""`/api/…`: what the page shows and does, for programs."""

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from juniper_canopy.api.answering import answer, ask
from juniper_canopy.api.bodies import read_body
from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.state.live import LiveState
from juniper_canopy.transport.broadcaster import Broadcaster
from juniper_common.errors import NotFoundError
from juniper_common.openapi import Operation
from juniper_common.requests import json_response, read_query
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


class DatasetQuery(BaseModel):
    """Which columns of the patterns."""

    model_config = ConfigDict(extra="forbid")

    x_feature: int | None = Field(default=None, ge=0, description="The first; without both: all, which may be large.")
    y_feature: int | None = Field(default=None, ge=0, description="The second.")


class Done(BaseModel):
    """The answer of a change that has nothing to tell."""

    status: str = "ok"


def operations(backend: BackendProtocol, live: LiveState, broadcaster: Broadcaster) -> list[Operation]:
    """Every operation with its models."""
    api = TrainingApi(backend, live, broadcaster)
    return [
        Operation(method="GET", path="/api/status", handler=api.status, responses={200: TrainingStatus}),
        Operation(method="GET", path="/api/state", handler=api.state, responses={200: DashboardState}),
        Operation(method="GET", path="/api/metrics", handler=api.metrics, responses={200: MetricRow}),
        Operation(
            method="GET",
            path="/api/metrics/history",
            handler=api.history,
            query=HistoryQuery,
            responses={200: MetricHistory},
        ),
        Operation(method="GET", path="/api/topology", handler=api.topology, responses={200: Topology}),
        Operation(
            method="GET", path="/api/dataset", handler=api.dataset, query=DatasetQuery, responses={200: DatasetData}
        ),
        Operation(
            method="GET",
            path="/api/decision_boundary",
            handler=api.decision_boundary,
            query=BoundaryQuery,
            responses={200: DecisionBoundary},
        ),
        Operation(method="GET", path="/api/statistics", handler=api.statistics, responses={200: NetworkStats}),
        Operation(
            method="POST",
            path="/api/train/start",
            handler=api.start,
            body=StartTraining,
            responses={200: TrainingStarted},
        ),
        Operation(method="POST", path="/api/train/pause", handler=api.pause, responses={200: Commanded}),
        Operation(method="POST", path="/api/train/resume", handler=api.resume, responses={200: Commanded}),
        Operation(method="POST", path="/api/train/stop", handler=api.stop, responses={200: Commanded}),
        Operation(method="POST", path="/api/train/reset", handler=api.reset, responses={200: Commanded}),
        Operation(
            method="GET",
            path="/api/train/status",
            handler=api.status,
            responses={200: TrainingStatus},
            name="train_status",
        ),
        Operation(
            method="POST",
            path="/api/set_params",
            handler=api.set_params,
            body=ChangeParameters,
            responses={200: Done},
        ),
    ]


class TrainingApi:
    """The handlers, over one backend and what is held of it."""

    def __init__(self, backend: BackendProtocol, live: LiveState, broadcaster: Broadcaster) -> None:
        self._backend = backend
        self._live = live
        self._broadcaster = broadcaster

    async def status(self, _: Request) -> Response:
        """The state of training, as the training service tells it."""
        return await answer(self._backend.cascor.status())

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
        rows = await ask(self._backend.cascor.history(1))
        if not rows:
            raise NotFoundError("No epoch was trained yet.")
        return json_response(rows[-1])

    async def history(self, request: Request) -> Response:
        """The last epochs."""
        query = read_query(request, HistoryQuery)
        return json_response(MetricHistory(history=await ask(self._backend.cascor.history(query.count))))

    async def topology(self, _: Request) -> Response:
        """The network."""
        return await answer(self._backend.cascor.topology())

    async def dataset(self, request: Request) -> Response:
        """The patterns of the run."""
        query = read_query(request, DatasetQuery)
        return await answer(self._backend.cascor.dataset_data(x_feature=query.x_feature, y_feature=query.y_feature))

    async def decision_boundary(self, request: Request) -> Response:
        """What the network decides over the plane."""
        query = read_query(request, BoundaryQuery)
        return await answer(self._backend.cascor.decision_boundary(query.resolution))

    async def statistics(self, _: Request) -> Response:
        """Figures of the network's weights."""
        return await answer(self._backend.cascor.stats())

    async def start(self, request: Request) -> Response:
        """Begin a run."""
        return await answer(self._backend.cascor.start(await read_body(request, StartTraining)))

    async def pause(self, _: Request) -> Response:
        """Halt the run so that it can go on."""
        return await answer(self._backend.cascor.command("pause"))

    async def resume(self, _: Request) -> Response:
        """Go on with a paused run."""
        return await answer(self._backend.cascor.command("resume"))

    async def stop(self, _: Request) -> Response:
        """End the run."""
        return await answer(self._backend.cascor.command("stop"))

    async def reset(self, _: Request) -> Response:
        """Forget the network."""
        return await answer(self._backend.cascor.command("reset"))

    async def set_params(self, request: Request) -> Response:
        """Change parameters, while it trains too."""
        await ask(self._backend.cascor.change(await read_body(request, ChangeParameters)))
        return json_response(Done())
