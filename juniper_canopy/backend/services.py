"""The services of a host, each telling of itself: two over their clients, the dashboard from its own process."""

from juniper_canopy.backend.protocol import BackendProtocol
from juniper_canopy.backend.telling import Services, TellsOfItself
from juniper_common.health import HealthReport
from juniper_common.host import Host
from juniper_common.recent_logs import RecentRecords
from juniper_common.wire.health import Readiness
from juniper_common.wire.host import HostReport, LogLevel, LogPage, LogQuery


class OwnService:
    """The dashboard itself: no request goes out for it."""

    def __init__(self, host: Host, health: HealthReport) -> None:
        self._host = host
        self._health = health

    async def host(self) -> HostReport:
        """What it uses of its host."""
        return await self._host.report()

    async def readiness(self) -> Readiness:
        """Whether it can do its work."""
        return await self._health.readiness()

    async def logs(self, since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> LogPage:
        """The first records of its log after `since`, or its newest."""
        return RecentRecords.installed().page(LogQuery(since=since, level=level, limit=limit))


def services_of(backend: BackendProtocol, own: TellsOfItself) -> Services:
    """The backend's services, and the dashboard itself."""
    return backend.services() | {"canopy": own}
