"""What a process says of itself and of its host, measured at most once a second whoever asks."""

import asyncio
import os
import platform
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from juniper_common import __version__, starts
from juniper_common.machine import MachineMeter
from juniper_common.notify import Notifier
from juniper_common.openapi import Operation
from juniper_common.recent_logs import RecentRecords
from juniper_common.requests import Respond, json_response, read_query
from juniper_common.wire.host import CpuUse, Gpu, HostReport, LogPage, LogQuery, MemoryUse

CACHE_S = 1.0

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


class Host:
    """One service's process.

    Args:
        service: the name it answers with.
        state_dir: where its starts are counted.
        notifier: which answers its watchdog.
        gpus: reads the host's GPUs; called in a thread, and must not fail.
        clock_s: seconds that never go back.
    """

    def __init__(
        self,
        service: str,
        state_dir: Path,
        *,
        notifier: Notifier | None = None,
        gpus: Callable[[], list[Gpu]] = list,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._state_dir = state_dir
        self._watchdog_age_s = notifier.ping_age_s if notifier else _no_age
        self._gpus = gpus
        self._clock_s = clock_s
        self._lock = asyncio.Lock()
        self._cpu = CpuMeter()
        self._machine = MachineMeter(state_dir)
        self._measured_at_s = float("-inf")
        self._report: HostReport | None = None

    async def report(self) -> HostReport:
        """What was measured in the last second, or now."""
        async with self._lock:
            if self._report is None or self._clock_s() - self._measured_at_s >= CACHE_S:
                self._report = await asyncio.to_thread(self._measure)
                self._measured_at_s = self._clock_s()
            return self._report

    def _measure(self) -> HostReport:
        process = psutil.Process()
        started_s, now_s = process.create_time(), time.time()
        children_rss, children_cpu_s = _use_of_children(process)
        cpu_s = sum(process.cpu_times()[:4]) + children_cpu_s
        current, limit = cgroup_memory(_OWN_CGROUP, _CGROUPS)
        return HostReport(
            service=self._service,
            version=__version__,
            python=platform.python_version(),
            hostname=socket.gethostname(),
            pid=process.pid,
            measured_at=datetime.fromtimestamp(now_s, UTC),
            started_at=datetime.fromtimestamp(started_s, UTC),
            uptime_s=now_s - started_s,
            starts=starts.counted(self._state_dir),
            cpu=CpuUse(seconds=cpu_s, percent=self._cpu.percent(cpu_s, now_s - started_s)),
            memory=MemoryUse(
                rss=process.memory_info().rss, children_rss=children_rss, cgroup_current=current, cgroup_max=limit
            ),
            load=os.getloadavg(),
            watchdog_age_s=self._watchdog_age_s(),
            machine=self._machine.measure(),
            gpus=self._gpus(),
        )


def operations(
    host: Host,
    respond: Respond = json_response,
    host_model: type[BaseModel] = HostReport,
    logs_model: type[BaseModel] = LogPage,
) -> list[Operation]:
    """`/v1/host` and `/v1/logs`.

    Args:
        host: what is told.
        respond: how this service writes an answer.
        host_model: the model of that answer, for the document, with a HostReport in it.
        logs_model: the same with a LogPage.
    """

    async def get_host(_: Request) -> Response:
        """What the process uses of its host, and how it fares."""
        return respond(await host.report())

    async def get_logs(request: Request) -> Response:
        """The last records of the log, oldest first."""
        return respond(RecentRecords.installed().page(read_query(request, LogQuery)))

    return [
        Operation(method="GET", path="/v1/host", handler=get_host, responses={200: host_model}),
        Operation(method="GET", path="/v1/logs", handler=get_logs, query=LogQuery, responses={200: logs_model}),
    ]


class CpuMeter:
    """Turns processor seconds that add up into a share of one core since they were last told."""

    def __init__(self) -> None:
        self._cpu_s = 0.0
        self._at_s = 0.0

    def percent(self, cpu_s: float, at_s: float) -> float:
        """The share, `at_s` seconds after the process began; since its begin the first time."""
        passed_s = at_s - self._at_s
        # A child that ended while it was looked at may take its seconds with it, and a clock may be set back.
        share = 100 * max(0.0, cpu_s - self._cpu_s) / passed_s if passed_s > 0 else 0.0
        self._cpu_s, self._at_s = cpu_s, at_s
        return share


def cgroup_memory(own: Path, cgroups: Path) -> tuple[int | None, int | None]:
    """What the cgroup of the process in `own` uses, and what it may use: None where it does not tell."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None, None
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if path is None:
        return None, None
    return _number(cgroups / path / "memory.current"), _number(cgroups / path / "memory.max")


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:  # No controller of memory is delegated here.
        return None
    return int(text) if text.isdecimal() else None


def _use_of_children(process: psutil.Process) -> tuple[int, float]:
    rss, cpu_s = 0, 0.0
    for child in process.children(recursive=True):
        try:
            rss += child.memory_info().rss
            cpu_s += sum(child.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue  # It has ended since it was listed.
    return rss, cpu_s


def _no_age() -> float | None:
    return None
