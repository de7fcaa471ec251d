"""Which run a request speaks of: the one in the foreground, or that of `?run=`."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from juniper_cascor.engine.network import Network
from juniper_cascor.runs.dataset_file import TrainingData
from juniper_cascor.runs.foreground import Foreground
from juniper_cascor.runs.history import History
from juniper_cascor.runs.network_spec import NetworkSpec
from juniper_cascor.runs.runs import Runs
from juniper_common.requests import read_query
from juniper_common.wire.training import TrainingStatus


class ChosenRun(BaseModel):
    """Whom a request is about."""

    model_config = ConfigDict(extra="forbid")

    run: str | None = Field(default=None, description="A run's id; without it, the run in the foreground.")


class RunView(Protocol):
    """A run as its watchers are greeted with it; the one in the foreground may change, or be none."""

    @property
    def run_id(self) -> str | None:
        """The run."""
        ...

    @property
    def history(self) -> History:
        """Its epochs."""
        ...

    def status(self) -> TrainingStatus:
        """Where it stands."""
        ...


class Watched(RunView, Protocol):
    """All that can be asked of the foreground, and of every run."""

    def loaded_spec(self) -> NetworkSpec:
        """Its network's shape and parameters. Raises NotFoundError."""
        ...

    def loaded_network(self) -> Network:
        """Its network. Raises NotFoundError."""
        ...

    async def data(self) -> TrainingData:
        """What it trains on. Raises NotFoundError."""
        ...


class Chosen:
    """Finds what a request asks about."""

    def __init__(self, foreground: Foreground, runs: Runs) -> None:
        self.foreground = foreground
        self.runs = runs

    async def watched(self, run_id: str | None) -> Watched:
        """The foreground, or one run. Raises NotFoundError."""
        return self.foreground if run_id is None else await self.runs.find(run_id, "run")

    async def of(self, request: Request) -> Watched:
        """What a request without other parameters asks about. Raises NotFoundError, UnprocessableError."""
        return await self.watched(read_query(request, ChosenRun).run)
