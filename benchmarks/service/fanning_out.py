"""Many watchers: how late each message reaches them, and what they cost the trainer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .figures import Line, Ratio, below, cheaper, percentile, ratio
from .running import Service, cpu_s
from .watchers import Received, watching
from .work import Work, large, spirals

CLIENTS = 200
PACE = 500.0  # epochs a second
RATE = 20.0  # messages a second that are promised to each client
MAX_DELAY_MS = 100.0
MAX_TRAINER_SHARE = 0.05


@dataclass(frozen=True)
class Watched:
    """One run, or a stretch of one, with all watchers there."""

    of: str
    received: Received
    service_cpu_s: float
    trainer_cpu_s: float


@dataclass(frozen=True)
class FanOut:
    """What was measured."""

    watched: Sequence[Watched]
    trainer: Ratio  # CPU per epoch with watchers against without

    def lines(self) -> Iterator[Line]:
        """For the table."""
        for one in self.watched:
            delays_ms = [1e3 * delay_s for delay_s in one.received.delays_s]
            aside = f" (median {percentile(delays_ms, 0.5):.3g} ms, most {max(delays_ms):.3g} ms)"
            name = f"{len(one.received.counts)} watchers, {one.of}"
            yield below(
                f"{name}: delay of a message, p99", percentile(delays_ms, 0.99), MAX_DELAY_MS, "ms", aside=aside
            )
            rate = one.received.least_rate
            n_bytes = one.received.n_bytes / len(delays_ms)
            yield Line(
                f"{name}: messages a second for each",
                f"{rate:.1f} (of {n_bytes:,.0f} bytes)",
                f"≥ {RATE:g}",
                rate >= RATE,
            )
            shares = (one.service_cpu_s, one.trainer_cpu_s, one.received.cpu_s)
            told = (f"{cpu / one.received.seconds:.0%}" for cpu in shares)
            yield Line(f"{name}: CPU of service, trainer, clients", " / ".join(told))
        yield cheaper(f"trainer's CPU per epoch with {CLIENTS} watchers against none", self.trainer, MAX_TRAINER_SHARE)


def measure_fan_out(service: Service, *, quick: bool) -> FanOut:
    """A paced run, then pairs of runs at full speed, with watchers and without, each first in turn."""
    work = large(1_500 if quick else 12_000)
    watched = [_paced(service, seconds=2.0 if quick else 10.0)]
    pairs = []
    for number in range(1 if quick else 5):
        sides = [_watched, _unwatched] if number % 2 else [_unwatched, _watched]
        costs = {}
        for side in sides:
            costs[side], one = side(service, work)
            watched += [one] if one else []
        pairs.append((costs[_watched], costs[_unwatched]))
    return FanOut([watched[0], watched[-1]], ratio(pairs))


def _paced(service: Service, seconds: float) -> Watched:
    with watching(_stream(service), CLIENTS) as watchers:
        service.client.start(spirals().request(PACE))
        before = cpu_s(service.process), service.trainer_cpu_s()
        time.sleep(seconds)
        after = cpu_s(service.process), service.trainer_cpu_s()
        received = watchers.received()
    service.client.command("stop")
    return Watched(f"{PACE:g} epochs a second", received, after[0] - before[0], after[1] - before[1])


def _watched(service: Service, work: Work) -> tuple[float, Watched]:
    with watching(_stream(service), CLIENTS) as watchers:
        before = cpu_s(service.process)
        cost_s, trainer_s = _cost(service, work)
        received = watchers.received()
    return cost_s, Watched(f"full speed on {work.name}", received, cpu_s(service.process) - before, trainer_s)


def _unwatched(service: Service, work: Work) -> tuple[float, None]:
    return _cost(service, work)[0], None


def _cost(service: Service, work: Work) -> tuple[float, float]:
    """Of one run: the trainer's CPU seconds per epoch, and in all."""
    before = service.trainer_cpu_s()
    record = service.train(work.request())
    spent_s = service.trainer_cpu_s() - before
    return spent_s / record.epochs, spent_s


def _stream(service: Service) -> str:
    return f"ws{service.address.removeprefix('http')}/ws/training"
