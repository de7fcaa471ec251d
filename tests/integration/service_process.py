"""The training service as a process of its own, on a free port."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import InlineData
from juniper_data.generators.cmu_spirals import CmuSpiralsParameters, generate_cmu_spirals

TIMEOUT_S = 60


class ServiceProcess:
    """One process that has said READY, a client of it, and what it told the service manager."""

    def __init__(
        self, state_dir: Path, settings: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
    ) -> None:
        self.state_dir = state_dir
        self.told: list[str] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._address = state_dir.parent / f"notify-{self.port}"
        self._notify.bind(str(self._address))
        self._notify.settimeout(TIMEOUT_S)
        environment = os.environ | {
            "JUNIPER_CASCOR_PORT": str(self.port),
            "JUNIPER_CASCOR_STATE_DIR": str(state_dir),
            "NOTIFY_SOCKET": str(self._address),
            **(settings or {}),
        }
        command = [*wrapper, sys.executable, "-m", "juniper_cascor"]
        self.process = psutil.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        self.client = JuniperCascorClient(f"http://127.0.0.1:{self.port}")
        self.hear("READY=1")

    def hear(self, wanted: str) -> None:
        """Return when the service has told its manager this; a timeout is an error."""
        while not any(told.startswith(wanted) for told in self.told):
            self.told.append(self._notify.recv(4096).decode())

    def trainers(self) -> list[psutil.Process]:
        """Its trainer processes."""
        return [
            child for child in self.process.children(recursive=True) if "juniper_cascor.runs.trainer" in child.cmdline()
        ]

    def kill(self) -> None:
        """End it at once; return when its trainers are gone too, since they notice by themselves."""
        trainers = self.trainers()
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        assert psutil.wait_procs(trainers, TIMEOUT_S)[1] == []
        self._close()

    def stop(self) -> int:
        """End it in order; its exit code."""
        self.process.terminate()
        code: int = self.process.wait(TIMEOUT_S)
        self._close()
        return code

    def _close(self) -> None:
        self.client.close()
        self._notify.close()
        self._address.unlink(missing_ok=True)


@contextmanager
def service(
    state_dir: Path, settings: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
) -> Iterator[ServiceProcess]:
    """A service that ends with the block, whatever the block does to it."""
    running = ServiceProcess(state_dir, settings, wrapper)
    try:
        yield running
    finally:
        if running.process.is_running() and running.process.status() != psutil.STATUS_ZOMBIE:
            running.stop()


def cmu_spirals() -> InlineData:
    """The CMU spirals as rows of a request: no data service is needed."""
    points = generate_cmu_spirals(CmuSpiralsParameters(), np.random.default_rng(0))
    return InlineData(train_x=points.X.tolist(), train_y=points.labels.tolist())
