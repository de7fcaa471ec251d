"""How long faults last: processes that hang or die, with the settings that are shipped; and whom a restart refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.service.figures import Line
from juniper_cascor.settings import CascorSettings
from tests.host import training
from tests.host.callers import PORTS, Told, callers, goes_on
from tests.host.healing import healed_s, training_healed_s
from tests.host.user_units import number, value

from .running import UNITS, Running, worst

AFTERWARDS_S = 10.0
"""How long it may take from when a fault is seen."""

_DATA, _CASCOR, _ = UNITS


@dataclass(frozen=True)
class Healing:
    """What was measured."""

    watchdog_s: float
    deadline_s: float
    hung_service_s: Sequence[float]
    hung_trainer_s: Sequence[float]
    killed_service_s: Sequence[float]
    killed_data_s: Sequence[float]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        for what, seconds, seen_s in (
            ("cascor's process hung (SIGSTOP)", self.hung_service_s, self.watchdog_s),
            ("the trainer hung (SIGSTOP)", self.hung_trainer_s, self.deadline_s),
            ("cascor killed", self.killed_service_s, 0.0),
        ):
            yield worst(f"{what}: until the training is past where it was", seconds, seen_s + AFTERWARDS_S, "s")
        yield worst("data killed: until it is ready", self.killed_data_s, AFTERWARDS_S, "s")


def measure_healing(on: Running, *, quick: bool) -> Healing:
    """Each fault several times, in a training that is new each time."""
    times = range(1 if quick else 3)

    def each(fault: Callable[[], float]) -> Sequence[float]:
        return [_in_training(on, fault) for _ in times]

    def main(unit: str) -> int:
        return number(on.host, unit, "MainPID")

    return Healing(
        watchdog_s=float(value(on.host, _CASCOR, "WatchdogUSec").removesuffix("s")),
        deadline_s=CascorSettings.model_fields["trainer_deadline_s"].default,
        hung_service_s=each(lambda: training_healed_s(on.host, main(_CASCOR), "STOP")),
        hung_trainer_s=each(lambda: training_healed_s(on.host, training.worker(on.host), "STOP")),
        killed_service_s=each(lambda: training_healed_s(on.host, main(_CASCOR), "KILL")),
        killed_data_s=each(lambda: healed_s(on.host, main(_DATA), "KILL", PORTS["data"])),
    )


def _in_training(on: Running, fault: Callable[[], float]) -> float:
    on.control("wait")
    on.train()
    try:
        return fault()
    finally:
        training.stop(on.host)


@dataclass(frozen=True)
class Restarting:
    """What became of the calls to each service while all were restarted."""

    restarts: int
    told: Mapping[str, Told]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        for service, became in self.told.items():
            lost = became["refused"] + became["cut off"]
            told = f"{lost} ({became['answered']:,} answered)"
            what = f"{self.restarts} restarts under constant calls: refused or cut off by {service}"
            yield Line(what, told, "0", lost == 0)


def measure_restarting(on: Running, *, quick: bool) -> Restarting:
    """Call all three as fast as they answer, and restart them again and again."""
    restarts = 1 if quick else 5
    on.control("wait")
    with callers(on.host, *PORTS.values()) as told:
        for _ in range(restarts):
            on.control("restart")
        return Restarting(restarts, {service: goes_on(told, port) for service, port in PORTS.items()})
