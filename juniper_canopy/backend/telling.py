"""What the dashboard asks a service about itself."""

from typing import Literal, Protocol

from juniper_common.wire.health import Readiness
from juniper_common.wire.host import HostReport, LogLevel, LogPage

ServiceName = Literal["data", "cascor", "canopy"]


class TellsOfItself(Protocol):
    """A service that can be asked how it is. Each call raises `juniper_common.http.ClientError`."""

    async def host(self) -> HostReport:
        """What it uses of its host."""
        ...

    async def readiness(self) -> Readiness:
        """Whether it can do its work."""
        ...

    async def logs(self, since: int | None = None, *, level: LogLevel = "DEBUG", limit: int = 200) -> LogPage:
        """The first records of its log after `since`, or its newest."""
        ...


Services = dict[ServiceName, TellsOfItself]
"""Those that there are."""
