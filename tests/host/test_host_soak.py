"""A host on which something fails again and again, at random, while it trains: in the end nothing is missing."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable

import pytest
from testinfra.host import Host

from tests.host import datasets, training
from tests.host.backups import control
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually, kill_until_settled, number, value

MINUTES = float(os.environ.get("JUNIPER_SOAK_MINUTES", "20"))

pytestmark = [pytest.mark.host, pytest.mark.soak, pytest.mark.timeout(int(60 * MINUTES) + 900)]

SERVICES = ("data", "cascor", "canopy")
DATA = "juniper-data.service"


def signalled(host: Host, signal: str, chance: random.Random) -> str:
    """A service's process, or the trainer, gets the signal; says which."""
    name = chance.choice((*SERVICES, "trainer"))
    process = training.worker(host) if name == "trainer" else number(host, f"juniper-{name}.service", "MainPID")
    host.check_output(f"kill -{signal} {process}")
    # Else it could still be counted as well.
    eventually(lambda: not is_same(host, name, process), f"{name} is another process")
    return name


def is_same(host: Host, name: str, process: int) -> bool:
    """Whether the process is still the one that has this part."""
    if name != "trainer":
        return number(host, f"juniper-{name}.service", "MainPID") == process
    return bool(host.run(f"test -e /proc/{process}").rc == 0)


def killed(host: Host, chance: random.Random) -> str:
    """`kill -9`."""
    return signalled(host, "KILL", chance)


def hung(host: Host, chance: random.Random) -> str:
    """Stopped, so that nothing answers: the watchdog's case, or the deadline's."""
    return signalled(host, "STOP", chance)


def restarted(host: Host, chance: random.Random) -> str:
    """By the operator."""
    name = chance.choice(SERVICES)
    control(host, f"restart {name}")
    return name


def given_up(host: Host, _: random.Random) -> str:
    """Data killed past its limit of starts, and started again by the operator."""
    while value(host, DATA, "ActiveState") != "failed":
        kill_until_settled(host, DATA)
    control(host, "start data")
    return "data"


def backed_up(host: Host, _: random.Random) -> str:
    """Which is no fault, but must come through the others."""
    control(host, "backup")
    return "all"


FAULTS: tuple[Callable[[Host, random.Random], str], ...] = (killed, hung, restarted, given_up, backed_up)


def test_a_host_outlives_faults_without_end(running: Host) -> None:
    """After each all are ready and the run has gone on; at the end each dataset is there, and a backup is whole."""
    chance = random.Random(1)  # noqa: S311 - to be the same again
    training.start(running, 20, training.NEVER_SOLVED)
    eventually(lambda: training.status(running).monitor.current_epoch > 0, "it trains")
    run_id = training.status(running).run_id
    made: dict[str, str] = {}
    done: Counter[str] = Counter()
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end or not done:
        # The limit of starts is a test of its own; here other faults than one service's alone fall into five minutes.
        running.check_output("systemctl --user reset-failed")
        made.update([datasets.make(running, seed=len(made))])
        before = training.status(running)
        fault = chance.choice(FAULTS)
        done[f"{fault.__name__} {fault(running, chance)}"] += 1
        assert running.run(f"{JUNIPER_CTL} wait").rc == 0
        eventually(lambda before=before: training.goes_on(running, before), f"it goes on after {done}")  # type: ignore[misc]

    assert running.run(f"{JUNIPER_CTL} status").rc == 0
    assert training.status(running).run_id == run_id
    assert {dataset: datasets.checksum(running, dataset) for dataset in made} == made
    control(running, "backup")
    assert "is whole" in control(running, "backup verify")
    epochs = training.status(running).monitor.current_epoch
    training.stop(running)
    faults = ", ".join(f"{count} {name}" for name, count in sorted(done.items()))
    print(f"| {MINUTES:g} | {done.total()} | {epochs:,} | {len(made)} | {faults} |")  # noqa: T201 - docs/host-soak.md
