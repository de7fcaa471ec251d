"""The dataset service as a process of its own, on a free port."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

TIMEOUT_S = 60


class DatasetProcess:
    """One process that has said READY, and a client of it."""

    def __init__(self, state_dir: Path, settings: Mapping[str, str], wrapper: tuple[str, ...]) -> None:
        self.state_dir = state_dir
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        address = state_dir.parent / f"notify-{self.port}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(TIMEOUT_S)
            environment = os.environ | {
                "JUNIPER_DATA_PORT": str(self.port),
                "JUNIPER_DATA_STATE_DIR": str(state_dir),
                "NOTIFY_SOCKET": str(address),
                **settings,
            }
            command = [*wrapper, sys.executable, "-m", "juniper_data"]
            self.process = psutil.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            while manager.recv(4096) != b"READY=1":
                pass
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=TIMEOUT_S)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(TIMEOUT_S)

    def stop(self) -> int:
        """End it in order; its exit code."""
        self.process.terminate()
        code: int = self.process.wait(TIMEOUT_S)
        return code


@contextmanager
def dataset_service(
    state_dir: Path, settings: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
) -> Iterator[DatasetProcess]:
    """A service that ends with the block, whatever the block does to it."""
    running = DatasetProcess(state_dir, settings or {}, wrapper)
    try:
        yield running
    finally:
        running.http.close()
        if running.process.is_running():
            running.stop()
