"""A service that tells of itself what a test wants."""

import asyncio
from datetime import UTC, datetime

from juniper_common.http import ClientError
from juniper_common.wire.health import Dependency, Readiness
from juniper_common.wire.host import CpuUse, Gpu, HostReport, LogLevel, LogPage, LogRecord, Machine, MemoryUse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

GPU = Gpu(
    index=0,
    name="H100",
    memory_used=1 << 30,
    memory_total=80 << 30,
    utilisation_percent=70,
    temperature_c=50,
    power_w=None,
)


class TellingService:
    """One service. Set what it shall say.

    Args:
        name: the service's own.
        messages: of its log, one second after the other, numbered from 1.
    """

    def __init__(self, name: str, messages: tuple[str, ...] = ()) -> None:
        self.name = name
        self.messages = messages
        self.asked = 0
        self.problem: ClientError | None = None
        self.hangs = False
        self.pid, self.starts = 10, 1
        self.gpus: list[Gpu] = []

    async def host(self) -> HostReport:
        """As it was set."""
        self.asked += 1
        await self._answer()
        return HostReport(
            service=self.name,
            version="1",
            python="3.11",
            hostname="here",
            pid=self.pid,
            measured_at=NOON,
            started_at=NOON,
            uptime_s=3.0,
            starts=self.starts,
            cpu=CpuUse(seconds=1.0, percent=30.0),
            memory=MemoryUse(rss=100, children_rss=20, cgroup_current=None, cgroup_max=None),
            load=(0.0, 0.0, 0.0),
            watchdog_age_s=None,
            machine=Machine(
                processors=4,
                cpu_percent=25.0,
                memory_total=1000,
                memory_available=600,
                swap_total=0,
                swap_used=0,
                disk_total=None,
                disk_free=None,
            ),
            gpus=self.gpus,
        )

    async def readiness(self) -> Readiness:
        """Ready, with what it needs."""
        await self._answer()
        needs = {"disk": Dependency(name="disk", status="healthy")}
        return Readiness(status="ready", service=self.name, timestamp=NOON, dependencies=needs, details={})

    async def logs(self, since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> LogPage:
        """Its messages, all of them at the level asked for."""
        await self._answer()
        records = [
            LogRecord(seq=seq, time=NOON.replace(second=seq), level=level, logger="tiny", message=message)
            for seq, message in enumerate(self.messages, 1)
            if seq > (since or 0)
        ]
        return LogPage(records=records[:limit], next_since=len(self.messages), missed=0)

    async def _answer(self) -> None:
        if self.problem is not None:
            raise self.problem
        if self.hangs:
            await asyncio.Event().wait()
