"""What a backup and a power cut cost: how much is lost, and how long until all is ready again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.service.figures import Line
from tests.host import backups, training
from tests.host.backups import Recovery
from tests.host.run_store import newest_metric, run_store
from tests.host.user_units import number

from .running import UNITS, Running, worst

MAX_METRIC_AGE_S = 1.0


@dataclass(frozen=True)
class Recovering:
    """What was measured: backups that were restored."""

    recoveries: Sequence[Recovery]

    def lines(self) -> Iterator[Line]:
        """For the table."""
        last = self.recoveries[-1]
        taken_s = median(one.taken_s for one in self.recoveries)
        yield Line(f"a backup under load, {last.files} files, {last.n_bytes / 1e6:.1f} MB", f"{taken_s:.2g} s (median)")
        answered, lost = sum(one.answered for one in self.recoveries), sum(one.lost for one in self.recoveries)
        what = "recovery point: datasets answered before a backup and not restored"
        yield Line(what, f"{lost} of {answered}", "0", lost == 0)
        ages_s = [one.metric_age_s for one in self.recoveries]
        yield worst("recovery point: age of the newest metric at the backup's begin", ages_s, MAX_METRIC_AGE_S, "s")
        restore_s, away_s = (
            f"{median(values):.3g} s (median of {len(values)}, most {max(values):.3g} s)"
            for values in (
                [one.restore_s for one in self.recoveries],
                [one.stop_to_ready_s for one in self.recoveries],
            )
        )
        yield Line("recovery time: `juniper-ctl restore latest --yes` until all are ready", restore_s)
        yield Line("recovery time: of this from the stop of the services on", away_s)


def measure_recovering(on: Running, *, quick: bool) -> Recovering:
    """Back up and restore under load several times."""
    recoveries = []
    for _ in range(1 if quick else 3):
        on.control("restart")
        recoveries.append(backups.recovered(on.host))
        backups.clear(on.host)
    return Recovering(recoveries)


@dataclass(frozen=True)
class Power:
    """What was measured: power cuts in a training, with the services enabled."""

    ready_s: Sequence[float]
    """From the boot's begin until the last service was ready."""
    lost_s: Sequence[float]
    """How old the newest metric was that was still there."""

    def lines(self) -> Iterator[Line]:
        """For the table."""
        aside = f" (median of {len(self.ready_s)}, most {max(self.ready_s):.3g} s)"
        yield Line("power cut: from the boot to all ready, enabled", f"{median(self.ready_s):.3g} s{aside}")
        yield worst("power cut: age of the newest metric that was kept", self.lost_s, MAX_METRIC_AGE_S, "s")


def measure_power(on: Running, *, quick: bool) -> Power:
    """Cut the power several times: to see what is left before a service runs, then with the services enabled."""
    ready_s, lost_s = [], []
    for _ in range(1 if quick else 3):
        on.train()
        store = run_store(on.host)
        at = time.time()
        _cut(on)
        lost_s.append(at - newest_metric(on.host, f"{store}?mode=ro"))
        on.control("start")
        on.control("enable")
        began = _cut(on)
        on.control("wait")
        # The host's monotonic clock is this machine's.
        ready_s.append(max(number(on.host, unit, "ActiveEnterTimestampMonotonic") for unit in UNITS) / 1e6 - began)
        on.control("disable")
    training.stop(on.host)
    return Power(ready_s, lost_s)


def _cut(on: Running) -> float:
    """Cut the power, and boot; when the boot began."""
    on.machine.cut_power()
    began = time.monotonic()
    on.machine.boot()
    on.machine.wait_for_user()
    return began
