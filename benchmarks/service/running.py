"""A real service as a process of its own, and what its processes take."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import StartTraining

UNITS = Path(__file__).parents[2] / "systemd" / "user"

TIMEOUT_S = 60.0
TICK_S = 0.05  # so seldom that asking disturbs nobody

_TRAINER = "juniper_cascor.runs.trainer"
_PORT_SETTING = {"data": "port", "cascor": "port", "canopy": "server__port"}


@dataclass(frozen=True)
class Service:
    """The running training service."""

    process: psutil.Process
    address: str
    ready_s: float  # from the start of the process to READY=1
    client: JuniperCascorClient

    def trainer_cpu_s(self) -> float:
        """CPU seconds of its trainer processes so far."""
        return sum(cpu_s(child) for child in self.process.children() if _TRAINER in child.cmdline())

    def train(self, request: StartTraining) -> RunRecord:
        """Train to the end; the run's record."""
        run_id = self.client.start(request).run_id
        while (record := self.client.run(run_id)).ended_at is None:
            time.sleep(TICK_S)
        return record


@dataclass(frozen=True)
class Started:
    """A service that has said READY=1."""

    process: psutil.Popen
    port: int
    ready_s: float  # from the start of the process to READY=1

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_service(folder: Path, **settings: object) -> Iterator[Service]:
    """Start the training service with its state in this folder, and end it; settings as in `max_clients=300`."""
    with started("cascor", folder, settings) as running, JuniperCascorClient(running.address) as client:
        yield Service(running.process, running.address, running.ready_s, client)


@contextmanager
def started(
    name: str,
    folder: Path,
    settings: Mapping[str, object],
    *,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Started]:
    """Start a service with its state in this folder, and end it where it still runs.

    Args:
        name: of the service: data, cascor or canopy.
        folder: where it keeps its state; it exists.
        settings: of the service, as in `{"max_clients": 300}`.
        port: where it listens; None: on a free one.
        environment: what it is told beside its settings.
    """
    port = port or free_port()
    told = {**settings, _PORT_SETTING[name]: port, "state_dir": folder}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (folder / "log").open("ab") as log:
        notify.bind(str(folder / "notify"))
        notify.settimeout(TIMEOUT_S)
        variables = {**os.environ, **_of_unit(name), **(environment or {})}
        variables |= {f"JUNIPER_{name.upper()}_{key.upper()}": str(value) for key, value in told.items()}
        variables["NOTIFY_SOCKET"] = str(folder / "notify")
        began = time.perf_counter()
        process = psutil.Popen([sys.executable, "-m", f"juniper_{name}"], env=variables, stderr=log)
        try:
            while notify.recv(4096) != b"READY=1":
                pass
            yield Started(process, port, time.perf_counter() - began)
        finally:
            _end(process)
            (folder / "notify").unlink()


def _end(process: psutil.Popen) -> None:
    """Raises psutil.TimeoutExpired where it had to be killed."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(TIMEOUT_S)
    except psutil.TimeoutExpired:
        process.kill()
        raise


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process so far, over all its threads, to the 10 ms that the kernel counts in."""
    times = process.cpu_times()
    return float(times.user + times.system)


def loaded_libraries(process: psutil.Process, names: tuple[str, ...]) -> set[str]:
    """Which of these packages have a file mapped into the process."""
    maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8", errors="replace")
    return {name for name in names if f"/site-packages/{name}/" in maps}


def _of_unit(name: str) -> dict[str, str]:
    """The environment that a service's unit gives it."""
    lines = (UNITS / f"juniper-{name}.service").read_text().splitlines()
    given = [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]
    return {variable: value for variable, _, value in (line.partition("=") for line in given)}


def free_port() -> int:
    """A port of the loopback that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
