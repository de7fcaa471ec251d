"""The three real services on free ports, and a trainer that grows without end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.service.running import TICK_S, Started, started
from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import ChangeParameters, DatasetSource, RunParameters, StartTraining

RATE = 20.0
"""Updates a second: epochs, each told by itself."""

_SERVICES = ("data", "cascor", "canopy")
_TIMEOUT_S = 120.0  # the first start compiles the engine
_SPIRAL = {"n_spirals": 2, "n_points_per_spiral": 200, "noise": 1.0, "seed": 42}  # too much noise to be solved soon
_NEVER = 1e-6


@dataclass(frozen=True)
class _Running:
    service: Started
    ending: ExitStack


class Host:
    """Services as processes with a state of their own. One that was killed comes back at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._running: dict[str, _Running] = {}

    @property
    def page(self) -> str:
        """The dashboard's address."""
        return self.address("canopy")

    @property
    def canopy(self) -> psutil.Process:
        """The dashboard's process."""
        return self._running["canopy"].service.process

    def address(self, name: str) -> str:
        """Where a service that was started listens."""
        return f"http://127.0.0.1:{self._ports[name]}"

    def start(self, name: str) -> None:
        """Return when it has said that it is ready."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        environment = {f"JUNIPER_{other.upper()}_URL": self.address(other) for other in self._ports}
        with ExitStack() as stack:
            service = stack.enter_context(
                started(name, folder, {}, port=self._ports.get(name), environment=environment)
            )
            self._ports[name] = service.port
            self._running[name] = _Running(service, stack.pop_all())

    def kill(self, name: str) -> None:
        """End it without a word."""
        running = self._running.pop(name)
        running.service.process.kill()
        running.service.process.wait()
        running.ending.close()

    def close(self) -> None:
        """End all that runs, the dashboard first."""
        with ExitStack() as stack:
            for name in _SERVICES:
                if name in self._running:
                    stack.enter_context(self._running.pop(name).ending)

    def train(self, points: int) -> None:
        """Begin a run that has so many points or more already, and goes on at `RATE`."""
        request = StartTraining(
            dataset=DatasetSource(generator="spiral", params=dict(_SPIRAL)),
            params=RunParameters(seed=1, max_hidden_units=1_000, error_threshold=_NEVER),
            start_fresh=True,
        )
        with JuniperCascorClient(self.address("cascor")) as client:
            client.start(request)
            while (status := client.status()).monitor.current_epoch < points:
                if status.training_state.ended_at is not None:
                    raise RuntimeError(f"the run has ended too soon: {status.training_state.outcome}")
                time.sleep(TICK_S)
            client.change(ChangeParameters(pace=RATE))


@contextmanager
def running_host() -> Iterator[Host]:
    """Start all three, the trainer warm, and end them."""
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))
        try:
            for name in _SERVICES:
                host.start(name)
            _wait_for_trainer(host.address("cascor"))
            yield host
        finally:
            host.close()


def _wait_for_trainer(cascor: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not httpx.get(f"{cascor}/v1/health/ready").json()["details"]["trainer_warm"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the trainer does not become warm")
        time.sleep(TICK_S)
