"""What a host that goes down in the middle of a training is like when it is up again."""

import pytest
from testinfra.host import Host

from tests.host import training
from tests.host.booted_host import USER, BootedHost
from tests.host.conftest import JUNIPER_CTL
from tests.host.user_units import eventually

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


def test_a_training_goes_on_after_the_host_went_down(machine: BootedHost, running: Host) -> None:
    """All of the user's processes are killed at one moment, as by a power cut; the next start takes the run up."""
    training.start(running, pace=20)
    eventually(lambda: training.status(running).monitor.current_epoch > 100, "it trains")
    before = training.status(running)

    unit = f"user@{machine.run_as_root('id', '-u', USER).strip()}.service"
    machine.run_as_root("systemctl", "kill", "--kill-whom=all", "--signal=KILL", unit)
    machine.run_as_root("systemctl", "restart", unit)
    assert running.run(f"{JUNIPER_CTL} start").rc == 0

    after = training.status(running)
    assert (after.run_id, after.training_active) == (before.run_id, True)
    # A unit was installed since the beginning, so not all of it is done again.
    assert after.monitor.current_epoch > 0
    eventually(lambda: training.status(running).monitor.current_epoch > before.monitor.current_epoch, "it goes on")
    training.stop(running)
