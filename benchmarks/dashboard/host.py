"""The three real services on free ports, and a trainer that grows without end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks.service.running import TICK_S, Started, started
from juniper_cascor.client import JuniperCascorClient
from juniper_common.wire.training import ChangeParameters, InlineData, RunParameters, StartTraining, TrainingStatus

RATE = 20.0
"""Updates a second: epochs, each told by itself."""

_SERVICES = ("data", "cascor", "canopy")
_TIMEOUT_S = 120.0  # the first start compiles the engine
_SETTINGS: dict[str, dict[str, object]] = {"canopy": {"pages_per_minute": 60_000}}
"""One address opens all pages here, sooner than any person would."""

_PATTERNS = 200  # of each class
_TWIN_EVERY = 10
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
                started(name, folder, _SETTINGS.get(name, {}), port=self._ports.get(name), environment=environment)
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
            inline_data=never_learnt(),
            params=RunParameters(seed=1, max_hidden_units=1_000, error_threshold=_NEVER, correlation_threshold=0),
            start_fresh=True,
        )
        with JuniperCascorClient(self.address("cascor")) as client:
            client.start(request)
            while self._training(client).monitor.current_epoch < points:
                time.sleep(TICK_S)
            client.change(ChangeParameters(pace=RATE))

    def check_training(self) -> None:
        """Raise RuntimeError where the run is over: what was measured meanwhile means nothing."""
        with JuniperCascorClient(self.address("cascor")) as client:
            self._training(client)

    @staticmethod
    def _training(client: JuniperCascorClient) -> TrainingStatus:
        status = client.status()
        if status.training_state.ended_at is not None:
            raise RuntimeError(f"the run has ended too soon: {status.training_state.outcome}")
        return status


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


def never_learnt() -> InlineData:
    """Two spirals, some of whose patterns stand in both classes: no network ever tells those apart."""
    generator = np.random.default_rng(42)
    turns = np.sqrt(generator.uniform(0.02, 1.0, _PATTERNS)) * 3 * np.pi
    arm = turns[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1) / 10
    x = np.concatenate([arm, -arm]) + generator.normal(0, 0.05, (2 * _PATTERNS, 2))
    classes = np.repeat([0.0, 1.0], _PATTERNS)
    held_out = np.arange(len(x)) % 5 == 0
    twins = np.flatnonzero(~held_out)[::_TWIN_EVERY]
    return InlineData(
        train_x=np.concatenate([x[~held_out], x[twins]]).tolist(),
        train_y=np.concatenate([classes[~held_out], 1 - classes[twins]])[:, None].tolist(),
        val_x=x[held_out].tolist(),
        val_y=classes[held_out][:, None].tolist(),
    )
