"""Calls about the service itself: its trainers, host and log."""

from juniper_cascor.calls.asking import Ask, asked
from juniper_common.http import segment
from juniper_common.wire.host import HostReport, LogLevel, LogPage
from juniper_common.wire.workers import Worker, WorkerList, WorkerStats


def workers() -> Ask[WorkerList]:
    """Every trainer process."""
    return asked("/v1/workers", WorkerList)


def worker_stats() -> Ask[WorkerStats]:
    """How many trainers there are, how many work, and how many runs wait for one."""
    return asked("/v1/workers/stats", WorkerStats)


def worker(worker_id: str) -> Ask[Worker]:
    """One trainer process. Raises NotFoundError."""
    return asked(f"/v1/workers/{segment(worker_id)}", Worker)


def host() -> Ask[HostReport]:
    """What the service says of its process and host."""
    return asked("/v1/host", HostReport)


def logs(since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> Ask[LogPage]:
    """The first records of the service's log after `since`, or its newest."""
    return asked("/v1/logs", LogPage, since=since, level=level, limit=limit)
