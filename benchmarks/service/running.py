"""The real service as a process of its own, and what its processes take."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.runs import RunRecord
from juniper_common.wire.training import StartTraining

TIMEOUT_S = 120.0
TICK_S = 0.05  # so seldom that asking disturbs nobody

_TRAINER = "juniper_cascor.runs.trainer"


@dataclass(frozen=True)
class Service:
    """The running service."""

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


@contextmanager
def running_service(folder: Path, **settings: object) -> Iterator[Service]:
    """Start the service with its state in this folder, and end it.

    Args:
        folder: where it keeps its state; it exists.
        settings: of the service, as in `max_clients=300`.
    """
    port = _free_port()
    told = {f"JUNIPER_CASCOR_{name.upper()}": str(value) for name, value in settings.items()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, (folder / "log").open("ab") as log:
        notify.bind(str(folder / "notify"))
        notify.settimeout(TIMEOUT_S)
        environment = (
            os.environ
            | told
            | {
                "JUNIPER_CASCOR_PORT": str(port),
                "JUNIPER_CASCOR_STATE_DIR": str(folder),
                "NOTIFY_SOCKET": str(folder / "notify"),
            }
        )
        began = time.perf_counter()
        process = psutil.Popen([sys.executable, "-m", "juniper_cascor"], env=environment, stderr=log)
        try:
            while notify.recv(4096) != b"READY=1":
                pass
            ready_s = time.perf_counter() - began
            address = f"http://127.0.0.1:{port}"
            with JuniperCascorClient(address) as client:
                yield Service(process, address, ready_s, client)
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)
            (folder / "notify").unlink()


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process so far, over all its threads, to the 10 ms that the kernel counts in."""
    times = process.cpu_times()
    return float(times.user + times.system)


def loaded_libraries(process: psutil.Process, names: tuple[str, ...]) -> set[str]:
    """Which of these packages have a file mapped into the process."""
    maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8", errors="replace")
    return {name for name in names if f"/site-packages/{name}/" in maps}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
