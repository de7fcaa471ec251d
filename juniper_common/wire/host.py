"""What a service says of its own process and host, and the last records of its log. Sizes are in bytes."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

MAX_LOG_RECORDS = 2_000
"""So many records a process keeps, and gives at once."""


class CpuUse(BaseModel):
    """The processor time of the process and of all that it has started."""

    seconds: float
    percent: float = Field(
        description="Of one core, since the last report but at least a second; first since it began."
    )


class MemoryUse(BaseModel):
    """Memory: by process, and as systemd accounts for the whole service where a controller is there."""

    rss: int = Field(description="Of the process itself.")
    children_rss: int = Field(description="Of all that it has started; pages that they share are counted for each.")
    cgroup_current: int | None = Field(description="systemd's MemoryCurrent.")
    cgroup_max: int | None = Field(description="systemd's MemoryMax; null where nothing limits it.")


class Gpu(BaseModel):
    """One GPU of the host; null stands where the driver does not tell."""

    index: int
    name: str
    memory_used: int | None
    memory_total: int | None
    utilisation_percent: int | None
    temperature_c: int | None
    power_w: float | None


class Machine(BaseModel):
    """The host as a whole, as the process sees it."""

    processors: int
    cpu_percent: float = Field(description="Of all processors, since the last report; first since the host began.")
    memory_total: int
    memory_available: int = Field(description="What programs can still get without swapping.")
    swap_total: int
    swap_used: int
    disk_total: int | None = Field(description="Of the file system of the state folder; null where it is not there.")
    disk_free: int | None = Field(description="What the service can still write there.")


class HostReport(BaseModel):
    """The answer of `GET /v1/host`."""

    service: str
    version: str
    python: str
    hostname: str
    pid: int
    measured_at: datetime
    started_at: datetime
    uptime_s: float
    starts: int = Field(description="How often the service was started on this state folder.")
    cpu: CpuUse
    memory: MemoryUse
    load: tuple[float, float, float] = Field(description="The host's load over 1, 5 and 15 minutes.")
    watchdog_age_s: float | None = Field(description="Since the watchdog was last answered; null without a watchdog.")
    machine: Machine | None = Field(default=None, description="Null where the process cannot see it.")
    gpus: list[Gpu] = Field(description="Of the training service alone.")


class LogQuery(BaseModel):
    """Which records."""

    model_config = ConfigDict(extra="forbid")

    since: int | None = Field(
        default=None,
        ge=0,
        description="A `seq`: the first records after it, to follow the log without a gap. Left out: the newest.",
    )
    level: LogLevel = Field(default="DEBUG", description="The least that is told.")
    limit: int = Field(default=200, ge=1, le=MAX_LOG_RECORDS)


class LogRecord(BaseModel):
    """One record of the log. `seq` counts them from 1, in each process anew."""

    seq: int
    time: datetime
    level: str
    logger: str
    message: str
    traceback: str | None = None
    run_id: str | None = None
    request_id: str | None = None


class LogPage(BaseModel):
    """The answer of `GET /v1/logs`, oldest first."""

    records: list[LogRecord]
    next_since: int = Field(description="What to ask for `since` next.")
    missed: int = Field(description="How many records after `since` are no longer kept.")
