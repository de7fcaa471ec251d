"""Liveness and readiness. A dependency is probed through a function that returns a value; nothing here raises."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from juniper_common.openapi import Operation
from juniper_common.requests import json_response
from juniper_common.wire.health import Dependency, Health, Liveness, Readiness

PROBE_TIMEOUT_S = 0.4
"""Readiness answers within half a second, whatever a dependency does."""

CACHE_S = 2.0

Probe = Callable[[], Awaitable[str]]
"""Asks a dependency; returns a message, raises when it is not well."""


class HealthReport:
    """A service's health.

    Args:
        service: the name it answers with.
        critical: dependencies without which the service is not ready.
        optional: dependencies without which it is degraded.
        details: what else readiness tells.
    """

    def __init__(
        self,
        service: str,
        *,
        critical: Mapping[str, Probe] | None = None,
        optional: Mapping[str, Probe] | None = None,
        details: Callable[[], dict[str, JsonValue]] = dict,
    ) -> None:
        self._service = service
        self._critical = dict(critical or {})
        self._probes = {**self._critical, **(optional or {})}
        self._details = details
        self._lock = asyncio.Lock()
        self._running: dict[str, asyncio.Task[Dependency]] = {}
        self._probed_at = float("-inf")
        self._dependencies: dict[str, Dependency] = {}

    async def readiness(self) -> Readiness:
        """Probe what was not probed in the last two seconds, all at once, and judge."""
        async with self._lock:
            now_s = asyncio.get_running_loop().time
            if now_s() - self._probed_at > CACHE_S:
                self._dependencies = await self._probe_all()
                self._probed_at = now_s()
        away = {name for name, dependency in self._dependencies.items() if dependency.status == "unhealthy"}
        status: Literal["ready", "degraded", "not_ready"] = (
            "not_ready" if away & self._critical.keys() else "degraded" if away else "ready"
        )
        return Readiness(
            status=status,
            service=self._service,
            timestamp=datetime.now(UTC),
            dependencies=self._dependencies,
            details=self._details(),
        )

    async def _probe_all(self) -> dict[str, Dependency]:
        for name, probe in self._probes.items():
            # A probe that would not end the last time, as a thread on a dead disk, is not joined by another.
            if name not in self._running or self._running[name].done():
                self._running[name] = asyncio.create_task(_probe(name, probe), name=f"probe {name}")
        if self._running:
            await asyncio.wait(self._running.values(), timeout=PROBE_TIMEOUT_S)
        return {name: _outcome(name, task) for name, task in self._running.items()}

    def operations(self) -> list[Operation]:
        """`/v1/health`, `/v1/health/live` and `/v1/health/ready`."""

        async def get_health(_: Request) -> Response:
            """Whether the service answers, and its version."""
            return json_response(Health())

        async def get_liveness(_: Request) -> Response:
            """Whether the process lives."""
            return json_response(Liveness())

        async def get_readiness(_: Request) -> Response:
            """Whether the service can do its work, and what it lacks."""
            readiness = await self.readiness()
            return json_response(readiness, 503 if readiness.status == "not_ready" else 200)

        return [
            Operation(method="GET", path="/v1/health", handler=get_health, responses={200: Health}, is_open=True),
            Operation(
                method="GET", path="/v1/health/live", handler=get_liveness, responses={200: Liveness}, is_open=True
            ),
            Operation(
                method="GET",
                path="/v1/health/ready",
                handler=get_readiness,
                responses={200: Readiness, 503: Readiness},
                is_open=True,
            ),
        ]


def _outcome(name: str, task: asyncio.Task[Dependency]) -> Dependency:
    if task.done() and not task.cancelled():
        return task.result()
    task.cancel()  # Not waited for: it may not listen.
    return Dependency(name=name, status="unhealthy", message=f"no answer within {PROBE_TIMEOUT_S} s")


async def _probe(name: str, probe: Probe) -> Dependency:
    started = time.perf_counter()
    try:
        message = await probe()
    except Exception as error:  # noqa: BLE001 - whatever a probe meets is the answer that was asked for
        return Dependency(name=name, status="unhealthy", message=str(error) or type(error).__name__)
    return Dependency(
        name=name,
        status="healthy",
        latency_ms=round((time.perf_counter() - started) * 1e3, 2),
        message=message,
    )
