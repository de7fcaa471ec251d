"""What a service says of its health."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, JsonValue

from juniper_common import __version__

DependencyStatus = Literal["healthy", "unhealthy", "degraded", "not_configured"]


class Health(BaseModel):
    """The answer of `/v1/health`."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class Liveness(BaseModel):
    """The answer of `/v1/health/live`."""

    status: Literal["alive"] = "alive"


class Dependency(BaseModel):
    """What a probe saw."""

    name: str
    status: DependencyStatus
    latency_ms: float | None = None
    message: str = ""


class Readiness(BaseModel):
    """The answer of `/v1/health/ready`: 200 for ready and degraded, 503 for not_ready."""

    status: Literal["ready", "degraded", "not_ready"]
    version: str = __version__
    service: str
    timestamp: datetime
    dependencies: dict[str, Dependency]
    details: dict[str, JsonValue]
