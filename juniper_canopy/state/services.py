"""What is known of each service: its newest report, or since when there is none and why; and an hour of figures.

Answers go in with the time at which they came; nothing here asks anybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from juniper_canopy.backend.telling import ServiceName
from juniper_canopy.state.samples import Samples
from juniper_common.wire.health import Readiness
from juniper_common.wire.host import Gpu, HostReport, MemoryUse

PERIOD_S = 2.0
SHORTEST_S = 0.9 * PERIOD_S
"""Who asks a little early is not put off: timers are not exact."""

KEPT_S = 3600


@dataclass(frozen=True, slots=True)
class Told:
    """What a service told of itself."""

    host: HostReport
    readiness: Readiness


@dataclass(frozen=True, slots=True)
class Away:
    """A service that did not tell of itself: it was not there, or refused."""

    problem: str
    answers: bool = False
    """It is there, but refused, as one that wants another key."""


Answer = Told | Away


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service as it was last seen.

    Args:
        told: its newest report, which may be of before it went away; None: it never answered.
        away: what came of asking it last, where it did not tell of itself.
        since: from when on it tells of itself, or does not, in Unix seconds; None: it was not asked yet.
    """

    told: Told | None = None
    away: Away | None = Away("not asked yet")
    since: float | None = None


class ServiceStates:
    """All that there are, and their figures over the last hour.

    Args:
        names: of the services.
    """

    def __init__(self, names: Iterable[ServiceName]) -> None:
        self.states: dict[ServiceName, ServiceState] = {name: ServiceState() for name in names}
        self.samples = Samples(int(KEPT_S / SHORTEST_S), PERIOD_S)

    def take(self, time: float, answers: Mapping[ServiceName, Answer]) -> None:
        """Take in what came of asking all of them at a time."""
        for name, answer in answers.items():
            self.states[name] = _after(self.states[name], answer, time)
        self.samples.add(time, figures({name: told for name, told in answers.items() if isinstance(told, Told)}))


def _after(state: ServiceState, answer: Answer, time: float) -> ServiceState:
    has_turned = state.since is None or (state.away is None) is isinstance(answer, Away)
    since = time if has_turned else state.since
    if isinstance(answer, Away):
        return replace(state, away=answer, since=since)
    return ServiceState(told=answer, away=None, since=since)


def figures(told: Mapping[ServiceName, Told]) -> dict[str, float]:
    """One row of samples. Processor time is in per cent of one core, for the host too: so the services add up to it."""
    row: dict[str, float] = {}
    for name, answer in told.items():
        row[f"{name}.cpu_percent"] = answer.host.cpu.percent
        row[f"{name}.memory"] = memory_of(answer.host.memory)
        row |= _gpu_figures(answer.host.gpus)
    if (own := told.get("canopy")) and (machine := own.host.machine):
        row["host.cpu_percent"] = machine.cpu_percent * machine.processors
        row["host.memory"] = machine.memory_total - machine.memory_available
    return row


def memory_of(memory: MemoryUse) -> int:
    """What a service uses: as systemd counts it, else what its processes hold, shared pages once for each."""
    return memory.rss + memory.children_rss if memory.cgroup_current is None else memory.cgroup_current


def _gpu_figures(gpus: Sequence[Gpu]) -> dict[str, float]:
    found: dict[str, float | None] = {}
    for gpu in gpus:
        found[f"gpu{gpu.index}.utilisation_percent"] = gpu.utilisation_percent
        found[f"gpu{gpu.index}.memory"] = gpu.memory_used
        found[f"gpu{gpu.index}.power_w"] = gpu.power_w
    return {name: float(value) for name, value in found.items() if value is not None}
