"""Health, probed in a time of its own where waiting is the point."""

import asyncio
from collections.abc import Callable

import pytest
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.testclient import TestClient

from juniper_common import __version__, openapi
from juniper_common.health import CACHE_S, HealthReport, Probe
from juniper_common.wire.health import Readiness


async def well() -> str:
    """Answer at once."""
    return "writable"


async def away() -> str:
    """Refuse."""
    raise ConnectionError("refused")


async def silent() -> str:
    """Fail without a word."""
    raise KeyError


async def hanging() -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return "never"


class Deaf:
    """A probe that does not stop when told to, as one whose thread waits for a dead disk; it counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.release = asyncio.Event()

    async def __call__(self) -> str:
        """Wait, whatever happens."""
        self.calls += 1
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue
        return "back"


class Counting:
    """A probe that answers, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self) -> str:
        """Answer after a while."""
        self.calls += 1
        await asyncio.sleep(0.3)
        return "well"


async def _timed(report: HealthReport) -> tuple[Readiness, float]:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    return await report.readiness(), loop.time() - started_s


@pytest.mark.parametrize(
    ("critical", "optional", "status"),
    [
        (well, well, "ready"),
        (well, away, "degraded"),
        (away, well, "not_ready"),
        (away, away, "not_ready"),
        (hanging, well, "not_ready"),
    ],
)
def test_readiness(virtual_time: asyncio.Runner, critical: Probe, optional: Probe, status: str) -> None:
    """Without what it must have a service is not ready; without the rest it is degraded."""
    report = HealthReport("tiny", critical={"store": critical}, optional={"peer": optional})
    assert virtual_time.run(report.readiness()).status == status


def test_service_without_dependencies_is_ready(virtual_time: asyncio.Runner) -> None:
    """There is nothing to wait for."""
    readiness = virtual_time.run(HealthReport("tiny").readiness())
    assert (readiness.status, readiness.dependencies) == ("ready", {})


@pytest.mark.parametrize(
    ("probe", "status", "message"),
    [
        (well, "healthy", "writable"),
        (away, "unhealthy", "refused"),
        (silent, "unhealthy", "KeyError"),
        (hanging, "unhealthy", "no answer within 0.4 s"),
    ],
)
def test_dependency_says_why(virtual_time: asyncio.Runner, probe: Probe, status: str, message: str) -> None:
    """Each is told with what its probe met."""
    dependency = virtual_time.run(HealthReport("tiny", optional={"peer": probe}).readiness()).dependencies["peer"]
    assert (dependency.name, dependency.status, dependency.message) == ("peer", status, message)
    assert (dependency.latency_ms is not None) == (status == "healthy")


def test_all_are_probed_at_once(virtual_time: asyncio.Runner) -> None:
    """Three probes of 0.3 s take 0.3 s."""
    report = HealthReport("tiny", optional={name: Counting() for name in "abc"})
    readiness, took_s = virtual_time.run(_timed(report))
    assert readiness.status == "ready"
    assert took_s == pytest.approx(0.3)


@pytest.mark.parametrize("make", [lambda: hanging, Deaf])
def test_answer_comes_in_time_whatever_a_probe_does(virtual_time: asyncio.Runner, make: Callable[[], Probe]) -> None:
    """Even where a probe cannot be ended, readiness answers well under half a second."""

    async def ask() -> tuple[Readiness, float]:
        probe = make()
        answer = await _timed(HealthReport("tiny", critical={"store": probe}, optional={"peer": well}))
        if isinstance(probe, Deaf):
            probe.release.set()
        return answer

    readiness, took_s = virtual_time.run(ask())
    assert took_s < 0.45
    assert readiness.dependencies["peer"].status == "healthy"


def test_probe_that_cannot_be_ended_is_not_joined_by_another(virtual_time: asyncio.Runner) -> None:
    """A dead disk holds one thread, not one for each question; once it is back, it is probed again."""

    async def ask() -> tuple[int, Readiness]:
        probe = Deaf()
        report = HealthReport("tiny", critical={"store": probe})
        for _ in range(3):
            await report.readiness()
            await asyncio.sleep(CACHE_S + 1)
        calls = probe.calls
        probe.release.set()
        return calls, await report.readiness()

    calls, readiness = virtual_time.run(ask())
    assert (calls, readiness.status) == (1, "ready")


def test_what_was_just_seen_is_not_asked_again(virtual_time: asyncio.Runner) -> None:
    """However many ask, a dependency answers once in two seconds."""

    async def ask() -> list[int]:
        probe = Counting()
        report = HealthReport("tiny", optional={"peer": probe})
        await asyncio.gather(*(report.readiness() for _ in range(5)))
        await asyncio.sleep(CACHE_S - 0.1)
        await report.readiness()
        calls = [probe.calls]
        await asyncio.sleep(0.2)
        await report.readiness()
        return [*calls, probe.calls]

    assert virtual_time.run(ask()) == [1, 2]


def _client(**probes: Probe) -> TestClient:
    def details() -> dict[str, JsonValue]:
        return {"mode": "demo"}

    report = HealthReport("tiny", critical={"store": well}, optional=probes, details=details)
    return TestClient(Starlette(routes=openapi.routes(report.operations())))


def test_health_and_liveness_ask_nobody() -> None:
    """They tell that the process answers."""
    with _client(peer=hanging) as client:
        assert client.get("/v1/health").json() == {"status": "ok", "version": __version__}
        assert client.get("/v1/health/live").json() == {"status": "alive"}


def test_degraded_is_200() -> None:
    """A service without a peer still serves, and says what it has to say."""
    with _client(peer=away) as client:
        answer = client.get("/v1/health/ready")
    body = answer.json()
    assert answer.status_code == 200
    assert body.pop("timestamp").endswith("Z")
    assert body["dependencies"].pop("store")["latency_ms"] >= 0
    assert body == {
        "status": "degraded",
        "version": __version__,
        "service": "tiny",
        "dependencies": {"peer": {"name": "peer", "status": "unhealthy", "latency_ms": None, "message": "refused"}},
        "details": {"mode": "demo"},
    }


def test_not_ready_is_503() -> None:
    """A load balancer reads the status alone."""
    with TestClient(
        Starlette(routes=openapi.routes(HealthReport("tiny", critical={"store": away}).operations()))
    ) as client:
        answer = client.get("/v1/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
