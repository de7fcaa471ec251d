"""What a process says of itself."""

import asyncio
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.testclient import TestClient

from juniper_common import openapi, starts
from juniper_common.errors import ServiceError, exception_handlers
from juniper_common.host import CpuMeter, Host, cgroup_memory, operations
from juniper_common.notify import Notifier
from juniper_common.requests import json_response
from juniper_common.wire.host import Gpu, HostReport, LogPage


class Refusal(BaseModel):
    """The body of an error."""

    detail: str


def _error_body(error: ServiceError) -> Response:
    return json_response(Refusal(detail=error.message), error.status)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Calls a service started twice."""
    starts.count(tmp_path)
    starts.count(tmp_path)
    routes = openapi.routes(operations(Host("tiny", tmp_path)))
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers(_error_body))) as client:
        yield client


def test_process_is_told(client: TestClient) -> None:
    """Who and where it is, since when, and what it uses."""
    report = HostReport.model_validate_json(client.get("/v1/host").content)
    assert (report.service, report.pid, report.starts) == ("tiny", os.getpid(), 2)
    assert report.python == platform.python_version()
    assert report.memory.rss > 1_000_000
    assert report.cpu.seconds > 0
    assert report.cpu.percent > 0
    assert report.uptime_s == pytest.approx((report.measured_at - report.started_at).total_seconds(), abs=0.01)
    assert (report.watchdog_age_s, report.gpus) == (None, [])
    assert report.machine is not None
    assert report.machine.memory_total > report.memory.rss


def test_children_are_counted(tmp_path: Path) -> None:
    """A trainer's memory is the service's too."""
    waiting = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        report = asyncio.run(Host("tiny", tmp_path).report())
        child.communicate()
    assert report.memory.children_rss > 1_000_000


def test_watchdog_is_as_old_as_its_last_ping(tmp_path: Path) -> None:
    """The notifier that pings is the one that is asked."""
    notifier = Notifier()
    notifier.alive()
    report = asyncio.run(Host("tiny", tmp_path, notifier=notifier).report())
    assert report.watchdog_age_s is not None
    assert report.watchdog_age_s >= 0


def test_measures_once_a_second_whoever_asks(tmp_path: Path) -> None:
    """Many watchers cost no more than one."""
    gpu = Gpu(index=0, name="G", memory_used=1, memory_total=2, utilisation_percent=3, temperature_c=4, power_w=None)
    measured = 0
    now_s = 0.0

    def gpus() -> list[Gpu]:
        nonlocal measured
        measured += 1
        return [gpu]

    async def ask() -> list[int]:
        nonlocal now_s
        host = Host("tiny", tmp_path, gpus=gpus, clock_s=lambda: now_s)
        counts = []
        for wait_s in (0, 0.9, 0.2):
            now_s += wait_s
            reports = await asyncio.gather(*(host.report() for _ in range(5)))
            assert reports[0].gpus == [gpu]
            counts.append(measured)
        return counts

    assert asyncio.run(ask()) == [1, 1, 2]


def test_logs_are_told(client: TestClient) -> None:
    """In a process whose log nobody keeps there are none."""
    assert LogPage.model_validate_json(client.get("/v1/logs").content) == LogPage(records=[], next_since=0, missed=0)


@pytest.mark.parametrize("query", ["since=-1", "level=LOUD", "limit=0", "limit=2001", "tail=1"])
def test_wrong_question_about_logs_names_its_field(client: TestClient, query: str) -> None:
    """As every refusal does."""
    answer = client.get(f"/v1/logs?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(query.partition("=")[0])


def test_answers_are_written_as_the_service_does(tmp_path: Path) -> None:
    """One table of operations serves with an envelope and without."""

    class Wrapped(BaseModel):
        """An envelope."""

        data: HostReport

    def respond(answer: BaseModel) -> Response:
        return Response(f'{{"data":{answer.model_dump_json()}}}')

    found = operations(Host("tiny", tmp_path), respond, Wrapped, Wrapped)
    with TestClient(Starlette(routes=openapi.routes(found))) as client:
        assert Wrapped.model_validate_json(client.get("/v1/host").content).data.service == "tiny"
    assert found[0].responses == {200: Wrapped}


def test_share_of_a_core_is_since_the_last_look() -> None:
    """Four seconds of work in two are two cores; the first look is at the whole life."""
    meter = CpuMeter()
    assert [meter.percent(5, 10), meter.percent(9, 12), meter.percent(8, 13), meter.percent(9, 13)] == [50, 200, 0, 0]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"memory.current": "1024\n", "memory.max": "4096\n"}, (1024, 4096)),
        ({"memory.current": "1024\n", "memory.max": "max\n"}, (1024, None)),
        ({}, (None, None)),
    ],
)
def test_memory_of_the_cgroup(tmp_path: Path, files: dict[str, str], told: tuple[int | None, int | None]) -> None:
    """As systemd limits it; a container without the controller does not tell."""
    own = tmp_path / "own"
    own.write_text("4:memory:/old\n0::/user.slice/juniper.service\n")
    folder = tmp_path / "cgroup" / "user.slice" / "juniper.service"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    assert cgroup_memory(own, tmp_path / "cgroup") == told


@pytest.mark.parametrize("lines", ["4:memory:/old\n", None])
def test_host_without_cgroups_does_not_tell(tmp_path: Path, lines: str | None) -> None:
    """An old host, or none of that kind."""
    own = tmp_path / "own"
    if lines is not None:
        own.write_text(lines)
    assert cgroup_memory(own, tmp_path) == (None, None)
