"""Workers on the wire: the trainer processes of the training service."""

from typing import Literal

from pydantic import BaseModel, Field

WorkerState = Literal["starting", "warming_up", "idle", "training", "paused"]


class Worker(BaseModel):
    """One trainer process."""

    id: str
    state: WorkerState
    pid: int | None
    run_id: str | None
    heard_s: float | None = Field(description="Seconds since it last said something; an idle one says nothing.")
    restarts: int = Field(description="How often its process died and was started again.")
    cpu_s: float | None
    memory_bytes: int | None


class WorkerList(BaseModel):
    """The answer of `GET /v1/workers`."""

    workers: list[Worker]


class WorkerStats(BaseModel):
    """The answer of `GET /v1/workers/stats`."""

    total: int
    limit: int = Field(description="Most trainers at once: max_parallel_runs.")
    busy: int
    idle: int
    restarts: int
    waiting_runs: int
